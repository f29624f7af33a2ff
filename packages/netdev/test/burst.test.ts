import { describe, expect, it } from 'vitest'
import {
  consumeSkb,
  devGetStats,
  devQueueXmit,
  devQueueXmitList,
  type NetDevice,
  netdevXmitMore,
  netifTxStopQueue,
  netifTxWakeQueue,
  QueueState,
  type SkBuff,
} from '../src/index.ts'
import { frame, liveSkbs, makeDev } from './helpers.ts'
import { Ring, ringOps, ringXmit } from './ring-driver.ts'

function burst(dev: NetDevice<any>, count: number, bytes = 60): SkBuff {
  const skbs = Array.from({ length: count }, (_, i) => {
    const skb = frame(dev, bytes)
    skb.mem[skb.data] = i
    return skb
  })
  skbs.forEach((skb, i) => (skb.next = skbs[i + 1] ?? null))
  return skbs[0]!
}

describe('bursts', () => {
  function noting(ring = new Ring(64)) {
    const more: boolean[] = []
    const made = makeDev(
      ringOps({
        ndoStartXmit(skb, dev) {
          more.push(netdevXmitMore(dev))
          return ringXmit(skb, dev)
        },
      }),
      { priv: ring },
    )
    return { ...made, ring, more }
  }

  it('TXQ-18 a list reaches the driver as one burst with one doorbell', () => {
    const { dev, ring, more } = noting()
    expect(devQueueXmitList(burst(dev, 16))).toBe(16)
    expect(more).toEqual([...new Array<boolean>(15).fill(true), false])
    expect(ring.doorbells).toBe(1)
    expect(ring.wire).toEqual(Array.from({ length: 16 }, (_, i) => i))
    const { packets, bytes } = dev.txq[0]!.qdisc
    expect([packets, bytes]).toEqual([16, 16 * 60])
  })

  it('TXQ-18 a backlog leaves as bursts as long as the byte limit allows', () => {
    const ring = new Ring(64)
    ring.bql = true
    const { kernel, dev, more } = noting(ring)
    const { dql } = dev.txq[0]!
    dql.minLimit = 600
    dql.reset()
    netifTxStopQueue(dev.txq[0]!)
    for (let i = 0; i < 20; i++) devQueueXmit(frame(dev))
    netifTxWakeQueue(dev.txq[0]!)
    kernel.runFor(0)
    // The one that was put back goes alone, then a burst up to the limit, then the one that passes it.
    expect(more).toEqual([false, ...new Array<boolean>(8).fill(true), false, false])
    expect(dev.txq[0]!.state & QueueState.STACK_XOFF).not.toBe(0)
    expect(dev.txq[0]!.qdisc.qlen).toBe(9)
  })

  it('TXQ-12 a list longer than the ring goes out in order, the rest after completions', () => {
    const { kernel, dev, ring } = noting(new Ring(8))
    expect(devQueueXmitList(burst(dev, 30))).toBe(30)
    for (let i = 0; i < 10; i++) {
      ring.complete(dev, 8)
      kernel.runFor(0)
    }
    expect(ring.wire).toEqual(Array.from({ length: 30 }, (_, i) => i))
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('a list over several queues keeps each queue in order', () => {
    const got: number[][] = [[], [], []]
    const { kernel, dev } = makeDev(
      {
        ndoSelectQueue: (_dev, skb) => [0, 0, 1, 2, 2, 1][skb.mem[skb.data]! % 6]!,
        ndoStartXmit(skb) {
          got[skb.queueMapping]!.push(skb.mem[skb.data]!)
          consumeSkb(skb)
          return 0
        },
      },
      { txqs: 3 },
    )
    expect(devQueueXmitList(burst(dev, 12))).toBe(12)
    expect(got).toEqual([
      [0, 1, 6, 7],
      [2, 5, 8, 11],
      [3, 4, 9, 10],
    ])
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('a list on a device that is down is dropped, and none is counted as sent', () => {
    const { kernel, dev } = makeDev({}, { down: true })
    expect(devQueueXmitList(burst(dev, 5))).toBe(0)
    expect(devGetStats(dev).txDropped).toBe(5n)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('one run sends 64 packets and leaves the rest to the next softirq', () => {
    const { kernel, dev } = noting(new Ring(512))
    const txq = dev.txq[0]!
    netifTxStopQueue(txq)
    for (let i = 0; i < 200; i++) devQueueXmit(frame(dev))
    const before = kernel.softirq.counts[2]!
    netifTxWakeQueue(txq)
    kernel.runFor(0)
    expect(txq.qdisc.qlen).toBe(0)
    expect(kernel.softirq.counts[2]! - before).toBe(4)
  })
})
