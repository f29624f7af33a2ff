import { createKernel, mightSleep } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  consumeSkb,
  devAddPack,
  devClose,
  devGetStats,
  devQueueXmit,
  devQueueXmitList,
  devRemovePack,
  ETH_P_ALL,
  kfreeSkb,
  NET_XMIT_CN,
  NET_XMIT_SUCCESS,
  type NetDevice,
  NETDEV_TX_BUSY,
  netdevStartXmit,
  netifCarrierOff,
  netifTxStopQueue,
  netifTxWakeQueue,
  QueueState,
  type SkBuff,
  skbGet,
  skbPull,
} from '../src/index.ts'
import { frame, inSoftirq, lenient, liveSkbs, makeDev, reported, rules, type TestOps } from './helpers.ts'
import { Ring, ringOps } from './ring-driver.ts'

describe('the way out', () => {
  it('gives an idle device the packet at once, past the qdisc, and counts it there', () => {
    const { kernel, dev } = makeDev()
    expect(devQueueXmit(frame(dev, 100))).toBe(NET_XMIT_SUCCESS)
    const { packets, bytes, qlen, backlog } = dev.txq[0]!.qdisc
    expect({ packets, bytes, qlen, backlog }).toEqual({ packets: 1, bytes: 100, qlen: 0, backlog: 0 })
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('drops and counts what is sent on a device that is down', () => {
    const { kernel, dev } = makeDev({}, { down: true })
    expect(devQueueXmit(frame(dev))).toBe(NET_XMIT_CN)
    expect(devGetStats(dev).txDropped).toBe(1n)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('drops and counts what waits when the device goes down or loses its carrier', () => {
    for (const leave of ['down', 'carrier']) {
      const ring = new Ring(2)
      const { kernel, dev } = makeDev(ringOps(), { priv: ring })
      for (let i = 0; i < 10; i++) devQueueXmit(frame(dev))
      const qdisc = dev.txq[0]!.qdisc
      expect(qdisc.qlen).toBe(8)
      if (leave === 'down') kernel.rtnl.run(() => devClose(dev))
      else {
        netifCarrierOff(dev)
        kernel.runFor(2e9)
      }
      expect({ leave, drops: qdisc.drops, qlen: qdisc.qlen, backlog: qdisc.backlog }).toEqual({
        leave,
        drops: 8,
        qlen: 0,
        backlog: 0,
      })
    }
  })

  it('refuses a packet without a device', () => {
    const { dev } = makeDev()
    const skb = frame(dev)
    skb.dev = null
    expect(() => devQueueXmit(skb)).toThrow(TypeError)
    expect(() => devQueueXmitList(skb)).toThrow(TypeError)
  })

  it('traces a packet on its way', () => {
    const { kernel, dev } = makeDev()
    const seen: unknown[] = []
    kernel.trace.on('net:net_dev_*', (event) => seen.push([event.name, event.subject, event.fields]))
    devQueueXmit(frame(dev, 77))
    expect(seen).toEqual([
      ['net:net_dev_queue', 'test0', { len: 77 }],
      ['net:net_dev_start_xmit', 'test0', { queue: 0, len: 77, ip_summed: 0, gso_size: '0' }],
      ['net:net_dev_xmit', 'test0', { len: 77, rc: 0 }],
    ])
  })

  it('shows what is sent to a tap, as a clone of its own', () => {
    const wire: number[] = []
    const { kernel, dev } = makeDev({
      ndoStartXmit(skb) {
        wire.push(skb.len)
        skbPull(skb, 10)
        consumeSkb(skb)
        return 0
      },
    })
    const seen: number[] = []
    const tap = {
      type: ETH_P_ALL,
      func: (skb: SkBuff) => {
        seen.push(skb.len)
        consumeSkb(skb)
        return 0
      },
    }
    devAddPack(kernel, tap)
    devQueueXmit(frame(dev, 90))
    devRemovePack(kernel, tap)
    devQueueXmit(frame(dev, 91))
    expect(seen).toEqual([90])
    expect(wire).toEqual([90, 91])
    expect(liveSkbs(kernel)).toBe(0)
  })
})

describe('the contract of ndoStartXmit', () => {
  it('CTX-02 it runs with softirqs off and cannot sleep', () => {
    const { kernel, dev } = makeDev({
      ndoStartXmit(skb, d) {
        mightSleep(d.kernel, 'the driver')
        consumeSkb(skb)
        return 0
      },
    })
    const skb = frame(dev)
    expect(reported(() => devQueueXmit(skb))).toBe('CTX-02')
    expect(kernel.cpu.bhDepth).toBe(0)
    expect(dev.txq[0]!.xmitLocked).toBe(false)
  })

  it('CTX-02 sending from a softirq is fine, from an interrupt handler it is reported', () => {
    const { kernel, dev } = makeDev({}, { options: lenient })
    inSoftirq(kernel, () => devQueueXmit(frame(dev)))
    expect(rules(kernel)).toEqual([])
  })

  it('CTX-02 calling a driver without the lock, or again from inside, is reported', () => {
    const { kernel, dev } = makeDev({}, { options: lenient })
    const txq = dev.txq[0]!
    netdevStartXmit(frame(dev), dev, txq, false)
    expect(kernel.violations.map(({ rule, message }) => [rule, message])).toEqual([
      ['CTX-02', 'test0 queue 0: ndoStartXmit with softirqs on'],
      ['CTX-02', 'test0 queue 0: ndoStartXmit without the xmit lock'],
    ])
    const busy = makeDev()
    busy.dev.txq[0]!.xmitLocked = true
    expect(reported(() => void devQueueXmit(frame(busy.dev)))).toBe('CTX-02')
  })

  it('CTX-02 a packet sent from inside xmit waits in the queue and does not enter the driver again', () => {
    let depth = 0
    let deepest = 0
    let more = 3
    const { kernel, dev } = makeDev({
      ndoStartXmit(skb, d) {
        deepest = Math.max(deepest, ++depth)
        if (more-- > 0) devQueueXmit(frame(d))
        depth--
        consumeSkb(skb)
        return 0
      },
    })
    devQueueXmit(frame(dev))
    kernel.runFor(0)
    expect(deepest).toBe(1)
    expect(dev.txq[0]!.qdisc.packets).toBe(4)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('TXQ-02 a correct BUSY gives the packet back untouched, and it goes later, first', () => {
    const wire: number[] = []
    let busy = true
    const { kernel, dev } = makeDev({
      ndoStartXmit(skb, d) {
        if (busy) {
          netifTxStopQueue(d.txq[0]!)
          return NETDEV_TX_BUSY
        }
        wire.push(skb.mem[skb.data]!)
        consumeSkb(skb)
        return 0
      },
    })
    const txq = dev.txq[0]!
    for (let i = 0; i < 3; i++) {
      const skb = frame(dev)
      skb.mem[skb.data] = i
      expect(devQueueXmit(skb)).toBe(NET_XMIT_SUCCESS)
    }
    expect({ busy: txq.busy, requeues: txq.qdisc.requeues, qlen: txq.qdisc.qlen }).toEqual({
      busy: 1,
      requeues: 1,
      qlen: 3,
    })
    busy = false
    netifTxWakeQueue(txq)
    kernel.runFor(0)
    expect(wire).toEqual([0, 1, 2])
    expect(txq.qdisc.backlog).toBe(0)
  })

  const mutants: [string, string, (skb: SkBuff, dev: NetDevice<any>) => number][] = [
    ['leaves the queue awake', 'TXQ-02', () => NETDEV_TX_BUSY],
    [
      'frees the packet',
      'TXQ-02',
      (skb, dev) => {
        netifTxStopQueue(dev.txq[0]!)
        kfreeSkb(skb)
        return NETDEV_TX_BUSY
      },
    ],
    [
      'keeps a reference',
      'TXQ-02',
      (skb, dev) => {
        netifTxStopQueue(dev.txq[0]!)
        skbGet(skb)
        return NETDEV_TX_BUSY
      },
    ],
    [
      'shortens the packet',
      'TXQ-02',
      (skb, dev) => {
        netifTxStopQueue(dev.txq[0]!)
        skbPull(skb, 2)
        return NETDEV_TX_BUSY
      },
    ],
    ['answers something else', 'TXQ-02', (skb) => (consumeSkb(skb), 7)],
  ]
  it.each(mutants)('TXQ-02 a driver whose BUSY %s is reported', (_what, rule, xmit) => {
    const { kernel, dev } = makeDev(
      { ndoStartXmit: xmit as NonNullable<TestOps['ndoStartXmit']> },
      { options: lenient },
    )
    devQueueXmit(frame(dev))
    expect(rules(kernel)[0]).toBe(rule)
  })

  it('TXQ-02 a driver that counts a packet it did not take is reported', () => {
    let counted = 0
    const { kernel, dev } = makeDev(
      {
        ndoStartXmit(_skb, d) {
          counted++
          netifTxStopQueue(d.txq[0]!)
          return NETDEV_TX_BUSY
        },
        ndoGetStats64: (_d, stats) => void (stats.txDropped = BigInt(counted)),
      },
      { options: lenient },
    )
    devQueueXmit(frame(dev))
    netifTxWakeQueue(dev.txq[0]!)
    kernel.runFor(0)
    expect(rules(kernel)).toEqual(['TXQ-02'])
  })

  it('TXQ-01 a driver that knows no other backpressure than BUSY is reported', () => {
    const ring = new Ring(4)
    const xmit: NonNullable<TestOps['ndoStartXmit']> = (skb, dev) => {
      if (ring.avail() === 0) {
        netifTxStopQueue(dev.txq[0]!)
        return NETDEV_TX_BUSY
      }
      ring.put(skb)
      return 0
    }
    const { kernel, dev } = makeDev(ringOps({ ndoStartXmit: xmit }), { priv: ring, options: lenient })
    for (let i = 0; i < 6; i++) devQueueXmit(frame(dev))
    expect(rules(kernel)).toEqual(['TXQ-01'])
  })

  it('TXQ-01 a driver kept to the rules never says BUSY, however slow the card', () => {
    const ring = new Ring(8)
    const { kernel, dev } = makeDev(ringOps(), { priv: ring })
    for (let i = 0; i < 500; i++) {
      devQueueXmit(frame(dev))
      if (i % 3 === 0) ring.complete(dev, 1)
      kernel.runFor(0)
    }
    expect(dev.txq[0]!.busy).toBe(0)
    expect(rules(kernel)).toEqual([])
  })

  it('TXQ-13 calling the driver on a stopped queue is reported', () => {
    const { kernel, dev } = makeDev({}, { options: lenient })
    const txq = dev.txq[0]!
    netifTxStopQueue(txq)
    txq.xmitLocked = true
    kernel.cpu.bhDepth++
    netdevStartXmit(frame(dev), dev, txq, false)
    expect(rules(kernel)).toEqual(['TXQ-13'])
  })

  it('CTX-05 calling the driver on a frozen queue is reported', () => {
    const { kernel, dev } = makeDev({}, { options: lenient })
    const txq = dev.txq[0]!
    txq.state |= QueueState.FROZEN
    txq.xmitLocked = true
    kernel.cpu.bhDepth++
    netdevStartXmit(frame(dev), dev, txq, false)
    expect(rules(kernel)).toEqual(['CTX-05'])
  })

  it('a driver that throws leaves no lock behind', () => {
    const { kernel, dev } = makeDev({
      ndoStartXmit: () => {
        throw new Error('oops')
      },
    })
    expect(() => devQueueXmit(frame(dev))).toThrow('oops')
    expect([kernel.cpu.bhDepth, dev.txq[0]!.xmitLocked, dev.txq[0]!.qdisc.running]).toEqual([0, false, false])
  })

  it('a driver that throws in the softirq leaves no lock behind, and the other queues are still served', () => {
    const kernel = createKernel()
    let angry = true
    const bad = makeDev(
      {
        ndoStartXmit(skb) {
          if (angry) throw new Error('oops')
          consumeSkb(skb)
          return 0
        },
      },
      { kernel },
    ).dev
    const ring = new Ring(8)
    const good = makeDev(ringOps(), { kernel, priv: ring }).dev
    for (const dev of [bad, good]) {
      netifTxStopQueue(dev.txq[0]!)
      devQueueXmit(frame(dev))
    }
    for (const dev of [bad, good]) netifTxWakeQueue(dev.txq[0]!)
    expect(() => kernel.runFor(0)).toThrow('oops')
    kernel.runFor(0)
    expect(ring.prod).toBe(1)
    angry = false
    devQueueXmit(frame(bad))
    expect(bad.txq[0]!.qdisc.packets).toBe(2)
    expect([bad.txq[0]!.xmitLocked, bad.txq[0]!.qdisc.running]).toEqual([false, false])
  })

  it('TXQ-12 packets that come back again and again keep their order', () => {
    const wire: number[] = []
    let refuse = 3
    const { kernel, dev } = makeDev({
      ndoStartXmit(skb, d) {
        if (refuse-- > 0) {
          netifTxStopQueue(d.txq[0]!)
          return NETDEV_TX_BUSY
        }
        wire.push(skb.mem[skb.data]!)
        consumeSkb(skb)
        return 0
      },
    })
    const skbs = [0, 1, 2, 3].map((i) => {
      const skb = frame(dev)
      skb.mem[skb.data] = i
      return skb
    })
    skbs.forEach((skb, i) => (skb.next = skbs[i + 1] ?? null))
    expect(devQueueXmitList(skbs[0]!)).toBe(4)
    for (let i = 0; i < 3; i++) {
      expect(dev.txq[0]!.qdisc.qlen).toBe(4)
      netifTxWakeQueue(dev.txq[0]!)
      kernel.runFor(0)
    }
    expect(wire).toEqual([0, 1, 2, 3])
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('without checks the packet takes the same way', () => {
    const { kernel, dev } = makeDev({}, { options: { strict: false, checks: false } })
    for (let i = 0; i < 10; i++) expect(devQueueXmit(frame(dev))).toBe(NET_XMIT_SUCCESS)
    expect(dev.txq[0]!.qdisc.packets).toBe(10)
    expect(rules(kernel)).toEqual([])
  })
})
