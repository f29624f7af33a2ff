import { ethtoolSetRingparam } from '@vnet/ethtool'
import { onAnotherCpu } from '@vnet/kernel'
import { NETDEV_TX_BUSY, netifTxQueueStopped, netifTxWakeQueue } from '@vnet/netdev'
import type { Check } from '../check.ts'
import { frameNumber } from '../frames.ts'
import { MS, SECOND, type Testbed } from '../testbed.ts'
import { beforeOps, fill, noLimit } from './observe.ts'

/** 0 … count − 1. */
export const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

/** The numbers of frames, whatever their order: that is for TXQ-12 alone. */
export const sorted = (frames: readonly Uint8Array[]): number[] =>
  frames.map(frameNumber).sort((a, b) => a - b)

/** How often a driver returned BUSY. */
function countBusy(t: Testbed): () => number {
  let busy = 0
  t.kernel.trace.on('net:net_dev_xmit', (e) => {
    if (e.fields['rc'] === NETDEV_TX_BUSY) busy++
  })
  return () => busy
}

/** Sends frames of several lengths; returns how often each of them was freed. */
function sendTracked(t: Testbed): () => number[] {
  const { dev } = t
  const freed = new Map<number, number>()
  beforeOps(dev, ['ndoStartXmit'], () => {})
  const { ops } = dev
  Object.assign(dev, {
    ops: Object.assign(Object.create(ops) as typeof ops, {
      ndoStartXmit: (...args: Parameters<typeof ops.ndoStartXmit>) => {
        if (!freed.has(args[0].id)) freed.set(args[0].id, 0)
        return ops.ndoStartXmit(...args)
      },
    }),
  })
  t.kernel.trace.on('skb:*', (e) => {
    const id = Number(e.fields['id'])
    const times = freed.get(id)
    if (times !== undefined) freed.set(id, times + 1)
  })
  for (let n = 0; n < 40; n++) t.send([14, 60, 300, 1514][n % 4], n)
  return () => [...freed.values()]
}

/** Stops the queue at a hung card with a full ring. */
function fullRing(t: Testbed): number {
  const dev = t.start({ txRing: 8 })
  t.card('hang')()
  noLimit(dev)
  return fill(t)
}

/** What the driver counts of frames to send. */
function told(t: Testbed): bigint {
  const s = t.stats()
  return s.txPackets + s.txDropped + s.txErrors
}

/** When a queue stops and wakes, and what happens to a packet. @kernel none */
export const txqChecks: readonly Check[] = [
  {
    id: 'TXQ-01',
    title: 'never returns BUSY: it stops the queue before the ring is full',
    needs: ['txRing'],
    run(t) {
      const dev = t.start({ txRing: 16 })
      t.card('slow')(10_000)
      noLimit(dev)
      const busy = countBusy(t)
      t.sendMany(200)
      t.run(SECOND)
      t.equal(busy(), 0, 'times BUSY was returned')
      t.equal(t.cable.wire.length, 200, 'frames on the wire')
    },
  },
  {
    id: 'TXQ-02',
    title: 'keeps, frees and counts nothing when it returns BUSY, and has stopped the queue',
    needs: ['txRing'],
    run(t) {
      const sent = fullRing(t)
      const txq = t.dev.txq[0]!
      const busy = countBusy(t)
      const before = told(t)
      for (let n = 0; n < 3; n++) {
        netifTxWakeQueue(txq)
        t.send(60, sent + n)
        if (busy() > 0) t.expect(netifTxQueueStopped(txq), 'the queue is awake after BUSY')
      }
      t.run(MS)
      if (busy() > 0) t.equal(told(t), before, 'frames counted')
      t.card('recover')()
      t.run(SECOND)
    },
  },
  {
    id: 'TXQ-03',
    title: 'frees each packet it took exactly once',
    run(t) {
      t.start()
      const freed = sendTracked(t)
      t.run(SECOND)
      t.down()
      t.equal([...new Set(freed())], [1], 'how often packets were freed')
    },
  },
  {
    id: 'TXQ-04',
    title: 'frees what was sent even if nothing is ever sent again',
    run(t) {
      t.start()
      const freed = sendTracked(t)
      t.run(SECOND)
      t.equal(freed().filter((times) => times === 0).length, 0, 'packets not freed after a second')
    },
  },
  {
    id: 'TXQ-05',
    title: 'looks again after it stopped: room that appeared meanwhile starts the queue',
    needs: ['txRing', 'completion'],
    run(t) {
      const dev = t.start({ txRing: 8 })
      noLimit(dev)
      let points = 0
      t.kernel.preemptHook = (point) => {
        if (point !== 'xmit:before-stop' || points++ > 0) return
        onAnotherCpu(t.kernel, () => t.run(MS))
      }
      t.sendMany(40)
      t.run(SECOND)
      t.kernel.preemptHook = null
      if (points === 0) t.skip('it does not stop its queue at a preemption point')
      t.expect(!netifTxQueueStopped(dev.txq[0]!), 'the queue sleeps for ever')
      t.equal(t.cable.wire.length, 40, 'frames on the wire')
    },
  },
  {
    id: 'TXQ-06',
    title: 'moves its index before it decides to wake',
    needs: ['txRing', 'completion'],
    run(t) {
      const dev = t.start({ txRing: 8 })
      noLimit(dev)
      let points = 0
      let n = 4
      t.kernel.preemptHook = (point) => {
        if (point !== 'reclaim:after-index' || points++ > 0) return
        onAnotherCpu(t.kernel, () => {
          while (n < 100 && !netifTxQueueStopped(dev.txq[0]!)) t.send(60, n++)
          t.run(MS)
        })
      }
      t.sendMany(4)
      t.run(SECOND)
      t.kernel.preemptHook = null
      if (points === 0) t.skip('it does not reclaim at a preemption point')
      t.expect(!netifTxQueueStopped(dev.txq[0]!), 'the queue sleeps for ever')
      t.equal(t.cable.wire.length, n, 'frames on the wire')
    },
  },
  {
    id: 'TXQ-07',
    title: 'does not wake for each completion',
    needs: ['txRing', 'completion'],
    run(t) {
      const dev = t.start({ txRing: 64 })
      t.card('slow')(10_000)
      noLimit(dev)
      t.sendMany(400)
      t.run(SECOND)
      const { wakes } = dev.txq[0]!
      t.expect(wakes * 2 <= 400, `${wakes} wakes for 400 frames`)
      t.equal(t.cable.wire.length, 400, 'frames on the wire')
    },
  },
  {
    id: 'TXQ-09',
    title: 'wakes its queue after a change, so that what waits is sent',
    needs: ['txRing', 'ringparam'],
    run(t) {
      const dev = t.start({ txRing: 16 })
      t.card('slow')(10_000)
      noLimit(dev)
      t.sendMany(60)
      t.kernel.rtnl.run(() => ethtoolSetRingparam(dev, { txPending: 32 }))
      t.run(3 * SECOND)
      t.equal(dev.txq[0]!.qdisc.qlen, 0, 'frames still waiting')
      t.expect(
        t.cable.wire.length >= 60 - 16,
        `${t.cable.wire.length} of 60 frames were sent; 16 at most were in the ring`,
      )
    },
  },
  {
    id: 'TXQ-10',
    title: 'does not wake its queue while the carrier is off',
    needs: ['txRing', 'completion', 'carrier'],
    run(t) {
      const dev = t.start({ txRing: 8 })
      const txq = dev.txq[0]!
      t.card('slow')(10_000)
      noLimit(dev)
      fill(t)
      t.cable.setLink(false)
      const { wakes } = txq
      t.run(3 * SECOND)
      t.equal(txq.wakes - wakes, 0, 'wakes without carrier')
      t.cable.setLink(true)
      t.run(3 * SECOND)
      const { length } = t.cable.wire
      t.sendMany(4)
      t.run(SECOND)
      t.equal(t.cable.wire.length - length, 4, 'frames sent with the carrier back')
    },
  },
  {
    id: 'TXQ-11',
    title: 'survives a wake it did not ask for: it checks for room when xmit begins',
    needs: ['txRing'],
    run(t) {
      const sent = fullRing(t)
      for (let n = 0; n < 4; n++) {
        netifTxWakeQueue(t.dev.txq[0]!)
        t.send(60, sent + n)
      }
      t.card('recover')()
      t.run(SECOND)
      t.equal(sorted(t.cable.wire), numbers(sent + 4), 'frames on the wire')
    },
  },
  {
    id: 'TXQ-12',
    title: 'keeps the order within a queue',
    run(t) {
      t.start()
      noLimit(t.dev)
      for (let n = 0; n < 100; n++) t.send(n % 5 === 3 ? 1400 : 60, n)
      t.run(100 * MS)
      t.equal(t.cable.wire.map(frameNumber), numbers(100), 'order on the wire')
    },
  },
  {
    id: 'TXQ-13',
    title: 'is not given a packet while its queue is stopped',
    needs: ['txRing'],
    run(t) {
      const sent = fullRing(t)
      let calls = 0
      beforeOps(t.dev, ['ndoStartXmit'], () => calls++)
      t.sendMany(20)
      t.run(MS)
      t.equal(calls, 0, 'calls of ndoStartXmit on a stopped queue')
      t.card('recover')()
      t.run(SECOND)
      t.equal(t.cable.wire.length, sent + 20, 'frames on the wire')
    },
  },
]
