import fc from 'fast-check'
import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  __netdevTxSentQueue,
  devQueueXmit,
  Dql,
  DQL_MAX_LIMIT,
  netdevTxCompletedQueue,
  netdevTxResetQueue,
  netdevTxSentQueue,
  netifTxStopQueue,
  netifTxWakeQueue,
  netifXmitStopped,
  QueueState,
} from '../src/index.ts'
import { frame, lenient, makeDev, reported, rules } from './helpers.ts'
import { Ring, ringOps } from './ring-driver.ts'

function txq(options = {}) {
  const made = makeDev({}, { options })
  return { ...made, txq: made.dev.txq[0]! }
}

describe('byte queue limits', () => {
  it('BQL-01 queued is always completed plus in flight, across the 32-bit wrap', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 1514 }), fc.nat(4)), { maxLength: 300 }),
        (steps) => {
          const { clock } = createKernel()
          const dql = new Dql(clock)
          dql.numQueued = dql.numCompleted = 0x7ffffff0
          dql.adjLimit = 0x7ffffff0
          const flight: number[] = []
          for (const [bytes, done] of steps) {
            dql.queued(bytes)
            flight.push(bytes)
            const finished = flight.splice(0, done).reduce((sum, b) => sum + b, 0)
            if (finished > 0) dql.completed(finished)
            expect(dql.inflight).toBe(flight.reduce((sum, b) => sum + b, 0))
          }
        },
      ),
    )
  })

  it('BQL-01 completing more than was queued is reported', () => {
    const { txq: q } = txq()
    netdevTxSentQueue(q, 100)
    expect(reported(() => netdevTxCompletedQueue(q, 2, 200))).toBe('BQL-01')
  })

  it('BQL-01 without strictness the count stays whole', () => {
    const { kernel, txq: q } = txq(lenient)
    netdevTxSentQueue(q, 100)
    netdevTxCompletedQueue(q, 2, 200)
    expect(q.dql.inflight).toBe(0)
    expect(rules(kernel)).toEqual(['BQL-01'])
  })

  it('BQL-04 the queue is off when driver or limit stopped it, and each clears only its own bit', () => {
    const { txq: q } = txq()
    const state = () => [
      (q.state & QueueState.DRV_XOFF) !== 0,
      (q.state & QueueState.STACK_XOFF) !== 0,
      netifXmitStopped(q),
    ]
    expect(state()).toEqual([false, false, false])
    netdevTxSentQueue(q, 100)
    expect(state()).toEqual([false, true, true])
    netifTxStopQueue(q)
    expect(state()).toEqual([true, true, true])
    netifTxWakeQueue(q)
    expect(state()).toEqual([false, true, true])
    netifTxStopQueue(q)
    netdevTxCompletedQueue(q, 1, 100)
    expect(state()).toEqual([true, false, true])
    netifTxWakeQueue(q)
    expect(state()).toEqual([false, false, false])
  })

  it('BQL-03 a reset forgets what was in flight and lets the queue go on', () => {
    const { txq: q } = txq()
    netdevTxSentQueue(q, 5000)
    netdevTxResetQueue(q)
    expect(netifXmitStopped(q)).toBe(false)
    expect(q.dql.inflight).toBe(0)
  })

  it('TXQ-18 with more to come it only counts, and says to ring when the driver stopped', () => {
    const { txq: q } = txq()
    expect(__netdevTxSentQueue(q, 100, true)).toBe(false)
    expect(netifXmitStopped(q)).toBe(false)
    netifTxStopQueue(q)
    expect(__netdevTxSentQueue(q, 100, true)).toBe(true)
    expect(__netdevTxSentQueue(q, 100, false)).toBe(true)
    expect(q.dql.inflight).toBe(300)
  })

  it('nothing completed changes nothing', () => {
    const { txq: q } = txq()
    netdevTxSentQueue(q, 100)
    netdevTxCompletedQueue(q, 0, 0)
    expect(netifXmitStopped(q)).toBe(true)
  })

  it('BQL-02 the ring driver of the tests reports once per poll and every frame once', () => {
    const ring = new Ring(16)
    ring.bql = true
    const { kernel, dev } = makeDev(ringOps(), { priv: ring })
    for (let i = 0; i < 200; i++) {
      devQueueXmit(frame(dev, 60 + (i % 50)))
      if (i % 4 === 3) ring.complete(dev, 4)
      kernel.runFor(0)
    }
    while (ring.clean < ring.prod || dev.txq[0]!.qdisc.qlen > 0) {
      ring.complete(dev, 16)
      kernel.runFor(0)
    }
    expect(dev.txq[0]!.dql.inflight).toBe(0)
    expect(ring.packets).toBe(200)
  })
})

/** A card that needs `perTick` bytes a step, fed as much as the limit allows; says the limit at the end. */
function settle(perTick: number, ticks: number, kernel = createKernel()): number[] {
  const dql = new Dql(kernel.clock)
  const limits: number[] = []
  for (let tick = 0; tick < ticks; tick++) {
    while (dql.avail() >= 0) dql.queued(1000)
    dql.completed(Math.min(dql.inflight, perTick))
    limits.push(dql.limit)
    kernel.runFor(4e6)
  }
  return limits
}

describe('the limit', () => {
  it('BQL-05 grows while the card runs dry with more waiting, until it is never idle', () => {
    const slow = settle(2000, 2000).at(-1)!
    const fast = settle(20000, 2000).at(-1)!
    expect(slow).toBeGreaterThanOrEqual(1000)
    expect(fast).toBeGreaterThanOrEqual(19000)
    expect(fast).toBeLessThanOrEqual(60000)
    expect(slow).toBeLessThan(fast)
  })

  it('BQL-05 shrinks slowly, not before a second of surplus', () => {
    const kernel = createKernel()
    const dql = new Dql(kernel.clock)
    dql.limit = 100_000
    dql.adjLimit = 100_000
    const limits: number[] = []
    for (let tick = 0; tick < 2000; tick++) {
      while (dql.avail() >= 0) dql.queued(1000)
      dql.completed(2000)
      limits.push(dql.limit)
      kernel.runFor(4e6)
    }
    expect(limits[200]).toBe(100_000)
    expect(limits.at(-1)).toBeLessThan(30_000)
    expect(Math.max(...limits)).toBe(100_000)
  })

  it('stays between its bounds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.boolean()), { maxLength: 200 }),
        (steps) => {
          const kernel = createKernel()
          const dql = new Dql(kernel.clock)
          dql.minLimit = 500
          dql.maxLimit = 9000
          dql.reset()
          for (const [bytes, all] of steps) {
            dql.queued(bytes)
            dql.completed(all ? dql.inflight : Math.ceil(dql.inflight / 2))
            expect(dql.limit).toBeGreaterThanOrEqual(500)
            expect(dql.limit).toBeLessThanOrEqual(9000)
            expect(dql.avail()).toBe(dql.adjLimit - dql.numQueued)
          }
        },
      ),
    )
    expect(new Dql(createKernel().clock).maxLimit).toBe(DQL_MAX_LIMIT)
  })

  it('never stalls: once all is completed there is room again', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 65536 }), { minLength: 1, maxLength: 100 }), (sizes) => {
        const dql = new Dql(createKernel().clock)
        for (const size of sizes) {
          dql.queued(size)
          dql.completed(dql.inflight)
          expect(dql.avail()).toBeGreaterThanOrEqual(0)
        }
      }),
    )
  })
})
