import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  devGetStats,
  devQueueXmit,
  IfLinkMode,
  IfOper,
  LinkState,
  netifCarrierOff,
  netifCarrierOn,
  netifDormantOff,
  netifDormantOn,
  netifTestingOff,
  netifTestingOn,
  registerNetdev,
  registerNetdeviceNotifier,
  unregisterNetdev,
} from '../src/index.ts'
import { allocDev, frame, liveSkbs, makeDev, rules } from './helpers.ts'

const SECOND = 1e9

function notices(kernel: ReturnType<typeof createKernel>): string[] {
  const seen: string[] = []
  registerNetdeviceNotifier(kernel, (event) => void (event === 'NETDEV_CHANGE' && seen.push(event)))
  return seen
}

describe('carrier', () => {
  it('LINK-01 without carrier nothing reaches the driver, and afterwards it does', () => {
    const sent: number[] = []
    const { kernel, dev } = makeDev()
    const send = () => {
      const before = dev.txq[0]!.qdisc.packets
      devQueueXmit(frame(dev))
      sent.push(dev.txq[0]!.qdisc.packets - before)
    }
    send()
    netifCarrierOff(dev)
    kernel.runFor(2 * SECOND)
    expect(dev.txq[0]!.qdisc.id).toBe('noop')
    send()
    netifCarrierOn(dev)
    kernel.runFor(2 * SECOND)
    send()
    expect(sent).toEqual([1, 0, 1])
    expect(devGetStats(dev).txDropped).toBe(1n)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('LINK-01 a device opened without carrier has its qdisc and uses it once the link is there', () => {
    const { kernel, dev } = makeDev({}, { setup: netifCarrierOff })
    expect(dev.qdisc.id).toBe('pfifo_fast')
    expect(dev.txq[0]!.qdisc.id).toBe('noop')
    netifCarrierOn(dev)
    kernel.runFor(SECOND)
    expect(dev.txq[0]!.qdisc.id).toBe('pfifo_fast')
  })

  it('LINK-02 the operational state follows carrier, dormant, testing and link mode', () => {
    interface Row {
      carrier: boolean
      dormant?: boolean
      testing?: boolean
      mode?: number
      state: IfOper
    }
    const table: Row[] = [
      { carrier: false, state: IfOper.DOWN },
      { carrier: true, state: IfOper.UP },
      { carrier: true, dormant: true, state: IfOper.DORMANT },
      { carrier: false, dormant: true, state: IfOper.DOWN },
      { carrier: true, testing: true, state: IfOper.TESTING },
      { carrier: true, mode: IfLinkMode.DORMANT, state: IfOper.DORMANT },
      { carrier: true, mode: IfLinkMode.TESTING, state: IfOper.TESTING },
    ]
    for (const row of table) {
      const { kernel, dev } = makeDev()
      expect(dev.operstate).toBe(IfOper.UNKNOWN)
      dev.linkmode = row.mode ?? IfLinkMode.DEFAULT
      netifCarrierOff(dev)
      if (row.carrier) netifCarrierOn(dev)
      if (row.dormant) netifDormantOn(dev)
      if (row.testing) netifTestingOn(dev)
      kernel.runFor(3 * SECOND)
      expect({ ...row, state: dev.operstate }).toEqual(row)
      if (row.dormant) netifDormantOff(dev)
      if (row.testing) netifTestingOff(dev)
      kernel.runFor(3 * SECOND)
      expect(dev.operstate).toBe(!row.carrier ? IfOper.DOWN : row.mode === undefined ? IfOper.UP : row.state)
    }
  })

  it('LINK-02 a device on top of one without carrier is lower layer down', () => {
    const { kernel, dev: lower } = makeDev()
    const { dev: upper } = makeDev({}, { kernel })
    upper.iflink = lower.ifindex
    netifCarrierOff(lower)
    netifCarrierOff(upper)
    kernel.runFor(3 * SECOND)
    expect(upper.operstate).toBe(IfOper.LOWERLAYERDOWN)
    expect(lower.operstate).toBe(IfOper.DOWN)
    netifCarrierOn(lower)
    netifCarrierOn(upper)
    netifCarrierOff(upper)
    kernel.runFor(3 * SECOND)
    expect(upper.operstate).toBe(IfOper.DOWN)
  })

  it('LINK-02 one registered without carrier begins as down, one that was never told as unknown', () => {
    const kernel = createKernel()
    const dark = allocDev(kernel)
    netifCarrierOff(dark)
    registerNetdev(dark)
    expect(dark.operstate).toBe(IfOper.DOWN)
    expect(dark.carrierDownCount).toBe(0)
    expect(makeDev({}, { kernel, down: true }).dev.operstate).toBe(IfOper.UNKNOWN)
  })

  it('LINK-03 each change sends one notice, and repeating a state sends none', () => {
    const { kernel, dev } = makeDev()
    const seen = notices(kernel)
    for (const [act, count] of [
      [netifCarrierOff, 1],
      [netifCarrierOff, 1],
      [netifCarrierOn, 2],
      [netifCarrierOn, 2],
      [netifDormantOn, 3],
      [netifDormantOn, 3],
    ] as const) {
      act(dev)
      kernel.runFor(2 * SECOND)
      expect(seen).toHaveLength(count)
    }
  })

  it('LINK-03 changes are told at most once a second, but a link that comes up is told at once', () => {
    const { kernel, dev } = makeDev()
    const times: number[] = []
    registerNetdeviceNotifier(
      kernel,
      (event) => void (event === 'NETDEV_CHANGE' && times.push(kernel.clock.ktimeGet())),
    )
    kernel.runFor(10 * SECOND)
    netifCarrierOff(dev)
    kernel.runFor(SECOND / 10)
    netifCarrierOn(dev)
    kernel.runFor(SECOND / 10)
    netifCarrierOff(dev)
    kernel.runFor(2 * SECOND)
    expect(times.map((t) => t / SECOND)).toEqual([10, 10.1, 11.1])
  })

  it('LINK-03 a device that is down sends no notice', () => {
    const { kernel, dev } = makeDev({}, { down: true })
    const seen = notices(kernel)
    netifCarrierOff(dev)
    kernel.runFor(2 * SECOND)
    expect(seen).toEqual([])
    expect(dev.operstate).toBe(IfOper.DOWN)
  })

  it('LINK-04 counts up and down changes apart, and only real ones', () => {
    const { dev } = makeDev()
    for (const act of [netifCarrierOff, netifCarrierOff, netifCarrierOn, netifCarrierOn, netifCarrierOff])
      act(dev)
    expect([dev.carrierUpCount, dev.carrierDownCount]).toEqual([1, 2])
  })

  it('waits when rtnl is held by someone who sleeps', () => {
    const { kernel, dev } = makeDev()
    kernel.rtnl.lock()
    netifCarrierOff(dev)
    kernel.runFor(SECOND)
    expect(dev.operstate).toBe(IfOper.UNKNOWN)
    kernel.rtnl.unlock()
    kernel.runFor(SECOND)
    expect(dev.operstate).toBe(IfOper.DOWN)
    expect(rules(kernel)).toEqual([])
  })

  it('forgets a device that goes while its event waits', () => {
    const { kernel, dev } = makeDev()
    netifCarrierOff(dev)
    unregisterNetdev(dev)
    kernel.runFor(2 * SECOND)
    expect(dev.state & LinkState.START).toBe(0)
    expect(dev.operstate).toBe(IfOper.UNKNOWN)
  })

  it('LIFE-11 the link work belongs to no module, whoever caused it first', () => {
    const kernel = createKernel()
    kernel.currentModule = 'mod'
    const dev = allocDev(kernel)
    kernel.currentModule = null
    registerNetdev(dev)
    netifCarrierOff(dev)
    expect(kernel.census.take().filter((entry) => entry.kind !== 'netdev' && entry.module === 'mod')).toEqual(
      [],
    )
  })
})
