import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  devChangeTxQueueLen,
  devQueueXmit,
  kfreeSkb,
  netifTxStopQueue,
  netifTxWakeQueue,
  NET_XMIT_DROP,
  PfifoFastQdisc,
  PRIO2BAND,
} from '../../src/index.ts'
import { frame, liveSkbs, makeDev } from '../helpers.ts'
import { Ring, ringOps } from '../ring-driver.ts'

describe('pfifo_fast', () => {
  it('keeps order inside a band and takes the bands in turn, like a model', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.nat(20), { freq: 2 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 12 }),
        (steps, length) => {
          const { kernel, dev } = makeDev({}, { setup: (d) => void (d.txQueueLen = length) })
          const qdisc = new PfifoFastQdisc(dev, dev.txq[0]!)
          const model: number[][] = [[], [], []]
          let drops = 0
          let serial = 0
          for (const priority of steps) {
            if (priority === null) {
              const skb = qdisc.dequeue()
              const want = model.find((band) => band.length > 0)?.shift()
              expect(skb?.mark).toBe(want)
              if (skb !== null) kfreeSkb(skb)
            } else {
              const skb = frame(dev)
              skb.priority = priority
              skb.mark = ++serial
              const band = model[PRIO2BAND[priority & 15]!]!
              const full = band.length === length
              expect(qdisc.enqueue(skb)).toBe(full ? NET_XMIT_DROP : 0)
              if (full) drops++
              else band.push(serial)
            }
            const waiting = model.flat().length
            expect([qdisc.qlen, qdisc.backlog, qdisc.drops]).toEqual([waiting, waiting * 60, drops])
          }
          qdisc.reset()
          expect(qdisc.dequeue()).toBeNull()
          expect(liveSkbs(kernel)).toBe(0)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('sends interactive packets before bulk ones', () => {
    const ring = new Ring(64)
    const { kernel, dev } = makeDev(ringOps(), { priv: ring })
    netifTxStopQueue(dev.txq[0]!)
    for (const [i, priority] of [2, 2, 0, 6, 0, 7, 2].entries()) {
      const skb = frame(dev)
      skb.priority = priority
      skb.mem[skb.data] = i
      devQueueXmit(skb)
    }
    netifTxWakeQueue(dev.txq[0]!)
    kernel.runFor(0)
    // The very first passed the empty qdisc by and was put back: it goes first.
    expect(ring.wire).toEqual([0, 3, 5, 2, 4, 1, 6])
  })

  it('a shorter queue drops what no longer fits, and counts it', () => {
    const { kernel, dev } = makeDev()
    const txq = dev.txq[0]!
    netifTxStopQueue(txq)
    for (let i = 0; i < 11; i++) devQueueXmit(frame(dev))
    kernel.rtnl.run(() => devChangeTxQueueLen(dev, 4))
    expect([txq.qdisc.qlen, txq.qdisc.drops]).toEqual([5, 6])
    for (let i = 0; i < 3; i++) expect(devQueueXmit(frame(dev))).toBe(NET_XMIT_DROP)
    kernel.rtnl.run(() => devChangeTxQueueLen(dev, 100))
    expect(devQueueXmit(frame(dev))).toBe(0)
    netifTxWakeQueue(txq)
    kernel.runFor(0)
    expect(liveSkbs(kernel)).toBe(0)
    expect([txq.qdisc.qlen, txq.qdisc.backlog]).toEqual([0, 0])
  })
})
