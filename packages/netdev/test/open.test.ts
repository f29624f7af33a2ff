import { createKernel, Errno } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  devClose,
  devOpen,
  devQueueXmit,
  ethValidateAddr,
  Iff,
  netdevTxResetQueue,
  netdevTxSentQueue,
  netifDeviceDetach,
  netifRunning,
  netifTxStartAllQueues,
  registerNetdev,
  registerNetdeviceNotifier,
  unregisterNetdev,
} from '../src/index.ts'
import { allocDev, frame, inSoftirq, lenient, liveSkbs, makeDev, reported, rules } from './helpers.ts'

function trace(fails: (name: string) => boolean = () => false) {
  const kernel = createKernel()
  const log: string[] = []
  const step = (name: string) => {
    log.push(name)
    if (fails(name)) throw new Errno('EIO')
  }
  const dev = allocDev(kernel, {
    ndoValidateAddr: (d) => step(`validate running=${netifRunning(d)}`),
    ndoOpen: (d) => {
      step(`open up=${(d.flags & Iff.UP) !== 0} qdisc=${d.txq[0]!.qdisc.id}`)
      netifTxStartAllQueues(d)
    },
    ndoSetRxMode: (d) => step(`rxmode up=${(d.flags & Iff.UP) !== 0} qdisc=${d.txq[0]!.qdisc.id}`),
    ndoStop: (d) =>
      step(`stop running=${netifRunning(d)} up=${(d.flags & Iff.UP) !== 0} qdisc=${d.txq[0]!.qdisc.id}`),
  })
  registerNetdev(dev)
  registerNetdeviceNotifier(kernel, (event, d) => {
    if (event === 'NETDEV_REGISTER') return
    step(`${event} running=${netifRunning(d)}`)
  })
  return { kernel, dev, log }
}

describe('opening', () => {
  it('OPEN-01 goes through the steps in the order of the core', () => {
    const { kernel, dev, log } = trace()
    kernel.rtnl.run(() => devOpen(dev))
    expect(log).toEqual([
      'NETDEV_PRE_UP running=false',
      'validate running=true',
      'open up=false qdisc=noop',
      'rxmode up=true qdisc=noop',
      'NETDEV_UP running=true',
    ])
    expect(dev.txq[0]!.qdisc.id).toBe('pfifo_fast')
    log.length = 0
    kernel.rtnl.run(() => devOpen(dev))
    expect(log).toEqual([])
  })

  it.each(['NETDEV_PRE_UP running=false', 'validate running=true', 'open up=false qdisc=noop'])(
    'OPEN-01 OPEN-05 an error in "%s" leaves the device down, and a later open works',
    (failAt) => {
      let working = false
      const { kernel, dev, log } = trace((name) => !working && name === failAt)
      expect(() => kernel.rtnl.run(() => devOpen(dev))).toThrow(expect.objectContaining({ code: 'EIO' }))
      expect(log.at(-1)).toBe(failAt)
      expect(netifRunning(dev)).toBe(false)
      expect(dev.flags & Iff.UP).toBe(0)
      expect(dev.txq[0]!.qdisc.id).toBe('noop')
      expect(kernel.rtnl.held).toBe(false)
      working = true
      kernel.rtnl.run(() => devOpen(dev))
      expect(netifRunning(dev)).toBe(true)
    },
  )

  it('ADDR-03 opening with a bad address fails when the driver has the validator', () => {
    for (const addr of [
      [0, 0, 0, 0, 0, 0],
      [1, 0, 0, 0, 0, 1],
      [255, 255, 255, 255, 255, 255],
    ]) {
      const { kernel, dev } = makeDev(
        { ndoValidateAddr: ethValidateAddr },
        { down: true, setup: (d) => d.devAddr.set(addr) },
      )
      expect(() => kernel.rtnl.run(() => devOpen(dev))).toThrow(
        expect.objectContaining({ code: 'EADDRNOTAVAIL' }),
      )
      expect(netifRunning(dev)).toBe(false)
    }
  })

  it('CTX-01 opening without rtnl, or in a softirq, is reported', () => {
    const { kernel, dev } = makeDev({}, { down: true })
    expect(reported(() => devOpen(dev))).toBe('CTX-01')
    expect(reported(() => kernel.rtnl.run(() => inSoftirq(kernel, () => devOpen(dev))))).toBe('CTX-01')
  })

  it('a detached device does not open', () => {
    const { kernel, dev } = makeDev({}, { down: true })
    netifDeviceDetach(dev)
    expect(() => kernel.rtnl.run(() => devOpen(dev))).toThrow(expect.objectContaining({ code: 'ENODEV' }))
  })

  it('BQL-03 opening with bytes still in flight is reported: the driver forgot to reset the limit', () => {
    const { kernel, dev } = makeDev({}, { options: lenient })
    netdevTxSentQueue(dev.txq[0]!, 100)
    kernel.rtnl.run(() => devClose(dev))
    kernel.rtnl.run(() => devOpen(dev))
    expect(rules(kernel)).toEqual(['BQL-03'])
  })

  it('BQL-03 a driver that resets the limit at stop opens again and sends', () => {
    const { kernel, dev } = makeDev({ ndoStop: (d) => netdevTxResetQueue(d.txq[0]!) })
    netdevTxSentQueue(dev.txq[0]!, 100)
    kernel.rtnl.run(() => devClose(dev))
    kernel.rtnl.run(() => devOpen(dev))
    devQueueXmit(frame(dev))
    expect(liveSkbs(kernel)).toBe(0)
  })
})

describe('closing', () => {
  it('STOP-05 the device is not running and its queues are idle when ndoStop is called', () => {
    const { kernel, dev, log } = trace()
    kernel.rtnl.run(() => devOpen(dev))
    log.length = 0
    kernel.rtnl.run(() => devClose(dev))
    expect(log).toEqual([
      'NETDEV_GOING_DOWN running=true',
      'stop running=false up=true qdisc=noop',
      'NETDEV_DOWN running=false',
    ])
    log.length = 0
    kernel.rtnl.run(() => devClose(dev))
    expect(log).toEqual([])
  })

  it('keeps its root qdisc for show while it is down', () => {
    const { kernel, dev } = makeDev()
    kernel.rtnl.run(() => devClose(dev))
    expect(dev.qdisc.id).toBe('pfifo_fast')
    expect(dev.txq[0]!.qdisc.id).toBe('noop')
  })

  it('STOP-06 up and down 1,000 times under traffic leaves nothing behind', () => {
    const { kernel, dev } = makeDev()
    for (let i = 0; i < 1000; i++) {
      devQueueXmit(frame(dev))
      kernel.rtnl.run(() => devClose(dev))
      devQueueXmit(frame(dev))
      kernel.rtnl.run(() => devOpen(dev))
    }
    unregisterNetdev(dev)
    expect(liveSkbs(kernel)).toBe(0)
    expect(kernel.census.take().filter((entry) => entry.kind === 'timer')).toEqual([])
  })
})
