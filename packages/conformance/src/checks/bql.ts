import {
  QueueState,
  netdevTxCompletedQueue,
  netdevTxSentQueue,
  netifTxStartQueue,
  netifTxStopQueue,
} from '@vnet/netdev'
import type { Check } from '../check.ts'
import { MS, SECOND } from '../testbed.ts'
import { napisOf, noLimit, replace, watch } from './observe.ts'

/** Byte queue limits. @kernel none */
export const bqlChecks: readonly Check[] = [
  {
    id: 'BQL-01',
    title: 'reports each frame once when it is queued and once when it is finished, with the same bytes',
    needs: ['bql'],
    run(t) {
      const { dql } = t.start().txq[0]!
      noLimit(t.dev)
      let calls = 0
      let inFlight = 0
      let lowest = 0
      replace(dql, 'queued', (queued) => (bytes) => {
        calls++
        inFlight += bytes
        queued(bytes)
      })
      replace(dql, 'completed', (completed) => (bytes) => {
        inFlight -= bytes
        lowest = Math.min(lowest, inFlight)
        completed(bytes)
      })
      for (let n = 0; n < 40; n++) {
        t.send([14, 60, 333, 1514][n % 4], n)
        if (n % 8 === 7) t.run(MS)
      }
      t.run(SECOND)
      t.equal(calls, 40, 'frames reported as queued')
      t.equal(
        [inFlight, lowest, dql.inflight],
        [0, 0, 0],
        'bytes in flight when idle, the least ever, and by the limit',
      )
    },
  },
  {
    id: 'BQL-02',
    title: 'reports what was finished once a poll',
    needs: ['bql', 'napi', 'completion'],
    run(t) {
      const dev = t.start()
      noLimit(dev)
      let reports = 0
      let most = 0
      let polls = 0
      replace(dev.txq[0]!.dql, 'completed', (completed) => (bytes) => {
        reports++
        completed(bytes)
      })
      for (const napi of napisOf(dev)) {
        replace(napi, 'poll', (poll) => (n, budget) => {
          reports = 0
          const work = poll(n, budget)
          most = Math.max(most, reports)
          if (reports > 0) polls++
          return work
        })
      }
      t.sendMany(32)
      t.run(SECOND)
      if (polls === 0) t.skip('it reports elsewhere than in its poll')
      t.equal(most, 1, 'most reports in one poll')
    },
  },
  {
    id: 'BQL-03',
    title: 'resets the limit when it stops with frames in flight',
    needs: ['bql', 'completion'],
    run(t) {
      const dev = t.start()
      t.card('slow')(MS)
      noLimit(dev)
      t.sendMany(20)
      t.down()
      t.equal(dev.txq[0]!.dql.inflight, 0, 'bytes in flight when down')
      t.up()
      const { length } = t.cable.wire
      t.sendMany(20)
      t.run(SECOND)
      t.equal(t.cable.wire.length - length, 20, 'frames on the wire after opening again')
    },
  },
  {
    id: 'BQL-04',
    title: 'leaves the stop of the byte limit to the limit',
    needs: ['bql', 'completion'],
    run(t) {
      const dev = t.start()
      const txq = dev.txq[0]!
      const { dql } = txq
      const state = (): number => txq.state & QueueState.ANY_XOFF
      const states = [state()]
      for (const act of [
        () => netdevTxSentQueue(txq, 100_000),
        () => netifTxStopQueue(txq),
        () => netdevTxCompletedQueue(txq, 1, 100_000),
        () => netifTxStartQueue(txq),
      ]) {
        act()
        states.push(state())
      }
      t.equal(
        states,
        [0, QueueState.STACK_XOFF, QueueState.ANY_XOFF, QueueState.DRV_XOFF, 0],
        'states of the queue',
      )
      t.card('slow')(MS)
      dql.minLimit = dql.maxLimit = 100
      dql.reset()
      let early = 0
      watch(txq, 'state', (now, before) => {
        if ((before & ~now & QueueState.STACK_XOFF) !== 0 && dql.avail() < 0) early++
      })
      for (let n = 0; n < 12; n++) t.send(n % 2 === 0 ? 60 : 1514, n)
      t.run(SECOND)
      t.equal(early, 0, 'times the stop of the limit was taken away too early')
      t.equal(t.cable.wire.length, 12, 'frames on the wire')
    },
  },
  {
    id: 'BQL-05',
    title: 'lets the limit grow when the ring runs dry, and shrink when it holds too much',
    needs: ['bql', 'completion'],
    run(t) {
      const { dql } = t.start({ txRing: 16 }).txq[0]!
      t.card('slow')(100_000)
      const { limit: first } = dql
      t.sendMany(100, 1500)
      t.run(SECOND)
      const { limit: grown } = dql
      t.expect(grown > first, `the limit stayed at ${grown} when the ring ran dry`)
      // The ring keeps less in flight than the limit would let it.
      t.card('slow')(10 * MS)
      t.sendMany(500, 60)
      t.run(5 * SECOND)
      t.expect(dql.limit < grown, `the limit stayed at ${dql.limit} when far less was in flight`)
    },
  },
]
