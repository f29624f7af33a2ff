import { jiffiesToMsecs, type Kernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  devClose,
  devQueueXmit,
  type NetDevice,
  netifCarrierOff,
  netifCarrierOn,
  netifDeviceAttach,
  netifDeviceDetach,
  netifTxStopQueue,
  netifTxWakeQueue,
  netdevTxSentQueue,
  QueueState,
  unregisterNetdev,
} from '../src/index.ts'
import { frame, liveSkbs, logTexts, makeDev, type TestOps } from './helpers.ts'
import { Ring, ringOps } from './ring-driver.ts'

const SECOND = 1e9

function watched(more: TestOps = {}, txqs = 1) {
  const alarms: { queue: number; at: number; ctx: string; frozen: boolean }[] = []
  const made = makeDev(
    {
      ndoTxTimeout(dev, queue) {
        const frozen = dev.txq.every((txq) => (txq.state & QueueState.FROZEN) !== 0)
        alarms.push({ queue, at: dev.kernel.clock.ktimeGet() / SECOND, ctx: dev.kernel.ctx, frozen })
      },
      ...more,
    },
    { txqs },
  )
  return { ...made, alarms }
}

const timers = (kernel: Kernel): string[] =>
  kernel.census
    .take()
    .filter((entry) => entry.kind === 'timer')
    .map((entry) => entry.name)

describe('the transmit watchdog', () => {
  it('WDT-01 CTX-05 fires after watchdogTimeo for the stopped queue, in a softirq with all queues frozen', () => {
    const { kernel, dev, alarms } = watched({}, 3)
    kernel.runFor(SECOND)
    netifTxStopQueue(dev.txq[1]!)
    kernel.runFor(4.9 * SECOND)
    expect(alarms).toEqual([])
    kernel.runFor(0.2 * SECOND)
    expect(alarms).toEqual([{ queue: 1, at: expect.closeTo(6, 1) as number, ctx: 'softirq', frozen: true }])
    expect(dev.txq.map((txq) => txq.txTimeouts)).toEqual([0, 1, 0])
    expect(dev.txq.every((txq) => (txq.state & QueueState.FROZEN) === 0)).toBe(true)
    expect(logTexts(kernel).at(-1)).toMatch(
      /^test0: NETDEV WATCHDOG: CPU: 0: transmit queue 1 timed out 500\d ms$/,
    )
  })

  it('WDT-01 tells again every period while nothing gets better', () => {
    const { kernel, dev, alarms } = watched()
    netifTxStopQueue(dev.txq[0]!)
    kernel.runFor(21 * SECOND)
    expect(alarms).toHaveLength(4)
    expect(dev.txq[0]!.txTimeouts).toBe(4)
  })

  it('WDT-01 the driver chooses the time', () => {
    const { kernel, dev, alarms } = watched()
    netifTxStopQueue(dev.txq[0]!)
    expect(jiffiesToMsecs(kernel, dev.watchdogTimeo)).toBe(5000)
    const quick = makeDev(
      { ndoTxTimeout: () => void alarms.push({ queue: 9, at: 0, ctx: '', frozen: true }) },
      {
        kernel,
        setup: (d) => void (d.watchdogTimeo = kernel.clock.hz),
      },
    )
    netifTxStopQueue(quick.dev.txq[0]!)
    kernel.runFor(1.5 * SECOND)
    expect(alarms).toHaveLength(1)
  })

  it('WDT-01 a queue the byte limit stopped counts as well', () => {
    const ring = new Ring(8)
    ring.bql = true
    let alarms = 0
    const { kernel, dev } = makeDev(ringOps({ ndoTxTimeout: () => void alarms++ }), { priv: ring })
    devQueueXmit(frame(dev))
    kernel.runFor(6 * SECOND)
    expect(alarms).toBe(1)
  })

  it('WDT-01 a queue that moves, or is stopped only for a moment, is left in peace', () => {
    const { kernel, dev, alarms } = watched()
    for (let i = 0; i < 30; i++) {
      netifTxStopQueue(dev.txq[0]!)
      kernel.runFor(SECOND / 2)
      netifTxWakeQueue(dev.txq[0]!)
      devQueueXmit(frame(dev))
      kernel.runFor(SECOND / 2)
    }
    expect(alarms).toEqual([])
  })

  it('WDT-02 no alarm without carrier, and the time starts anew with it', () => {
    const { kernel, dev, alarms } = watched()
    netifTxStopQueue(dev.txq[0]!)
    netifCarrierOff(dev)
    kernel.runFor(20 * SECOND)
    expect(alarms).toEqual([])
    netifCarrierOn(dev)
    kernel.runFor(4 * SECOND)
    expect(alarms).toEqual([])
    kernel.runFor(2 * SECOND)
    expect(alarms).toHaveLength(1)
  })

  it('WDT-02 no alarm while down or detached', () => {
    const { kernel, dev, alarms } = watched()
    netifTxStopQueue(dev.txq[0]!)
    kernel.rtnl.run(() => devClose(dev))
    kernel.runFor(20 * SECOND)
    const other = watched()
    netifTxStopQueue(other.dev.txq[0]!)
    netifDeviceDetach(other.dev)
    other.kernel.runFor(20 * SECOND)
    expect([...alarms, ...other.alarms]).toEqual([])
    netifDeviceAttach(other.dev)
    netifTxStopQueue(other.dev.txq[0]!)
    other.kernel.runFor(11 * SECOND)
    expect(other.alarms.length).toBeGreaterThan(0)
  })

  it('WDT-04 a driver without ndoTxTimeout has no watchdog', () => {
    const { kernel, dev } = makeDev()
    netifTxStopQueue(dev.txq[0]!)
    expect(dev.watchdogTimer).toBeNull()
    kernel.runFor(20 * SECOND)
    expect(dev.txq[0]!.txTimeouts).toBe(0)
  })

  it('WDT-03 a driver that recovers in it sends again', () => {
    const ring = new Ring(4)
    const { kernel, dev } = makeDev(
      ringOps({
        ndoTxTimeout(d: NetDevice<Ring>) {
          d.priv.drain()
          netifTxWakeQueue(d.txq[0]!)
        },
      }),
      { priv: ring },
    )
    for (let i = 0; i < 6; i++) devQueueXmit(frame(dev))
    expect(ring.prod).toBe(4)
    kernel.runFor(6 * SECOND)
    expect(ring.prod).toBe(6)
    ring.complete(dev, 2)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('CTX-05 no packet moves during the call, whatever the driver does', () => {
    let during = -1
    let sent = 0
    const { kernel, dev } = makeDev({
      ndoTxTimeout(d) {
        netifTxWakeQueue(d.txq[0]!)
        devQueueXmit(frame(d))
        during = sent
      },
      ndoStartXmit(skb) {
        sent++
        skb.dev = null
        freed.push(skb)
        return 0
      },
    })
    const freed: unknown[] = []
    netifTxStopQueue(dev.txq[0]!)
    kernel.runFor(6 * SECOND)
    expect(during).toBe(0)
    expect(sent).toBe(1)
  })

  it('STOP-01 leaves no timer behind when the device goes', () => {
    const { kernel, dev } = watched()
    netifTxStopQueue(dev.txq[0]!)
    expect(timers(kernel)).toEqual(['test0 watchdog'])
    unregisterNetdev(dev)
    expect(timers(kernel)).toEqual([])
  })

  it('WDT-01 no timer runs while no queue is stopped, and a queue stopped later arms it anew', () => {
    const { kernel, dev, alarms } = watched()
    const txq = dev.txq[0]!
    expect(timers(kernel)).toEqual([])
    netifTxStopQueue(txq)
    kernel.runFor(SECOND)
    netifTxWakeQueue(txq)
    kernel.runFor(20 * SECOND)
    expect(timers(kernel)).toEqual([])
    expect(alarms).toEqual([])
    netifTxStopQueue(txq)
    kernel.runFor(6 * SECOND)
    expect(alarms).toHaveLength(1)
  })

  it('WDT-01 a queue stopped by the byte limit is watched too', () => {
    const { kernel, dev, alarms } = watched()
    dev.txq[0]!.dql.maxLimit = 0
    netdevTxSentQueue(dev.txq[0]!, 100)
    expect(timers(kernel)).toEqual(['test0 watchdog'])
    kernel.runFor(6 * SECOND)
    expect(alarms).toHaveLength(1)
  })

  it('traces the alarm', () => {
    const { kernel, dev } = watched()
    const seen: unknown[] = []
    kernel.trace.on('net:net_dev_xmit_timeout', (event) => seen.push([event.subject, event.fields]))
    netifTxStopQueue(dev.txq[0]!)
    kernel.runFor(6 * SECOND)
    expect(seen).toEqual([['test0', { queue_index: 0 }]])
  })
})
