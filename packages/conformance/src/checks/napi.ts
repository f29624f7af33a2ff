import { localBhDisable, localBhEnable } from '@vnet/kernel'
import { NAPI_POLL_WEIGHT, napiIsScheduled, napiList, napiSchedule, pollOneNapi } from '@vnet/napi'
import type { Check } from '../check.ts'
import { MS, US } from '../testbed.ts'
import { napiGapChecks } from './napi-gap.ts'
import { expectAlive, napiOf, pollsOf } from './napi-kit.ts'
import { napiLifeChecks } from './napi-life.ts'
import { noLimit } from './observe.ts'

/** NAPI, the first half: enabling, budgets, completing. @kernel none */
const budgetChecks: readonly Check[] = [
  {
    id: 'NAPI-01',
    title: 'has its instances disabled until it is open, and again when it is closed',
    needs: ['napi'],
    run(t) {
      t.create()
      const enabled = (): number => napiList(t.dev).filter((n) => n.enabled).length
      const polls = pollsOf(t)
      t.equal(enabled(), 0, 'instances enabled before the first open')
      t.up()
      t.expect(enabled() > 0, 'no instance is enabled while the device is open')
      t.down()
      t.equal(enabled(), 0, 'instances enabled after closing')
      for (const n of napiList(t.dev)) napiSchedule(n)
      polls.length = 0
      t.run(MS)
      t.equal(polls.length, 0, 'polls of a disabled instance')
    },
  },
  {
    id: 'NAPI-02',
    title: 'handles at most its budget in a poll',
    needs: ['napi'],
    run(t) {
      t.start({ rxRing: 256 })
      const polls = pollsOf(t)
      t.inject(200)
      t.run(10 * MS)
      t.equal(polls.filter((p) => p.work > p.budget).length, 0, 'polls with more work than budget')
    },
  },
  {
    id: 'NAPI-03',
    title: 'takes back all sent frames in one poll, whatever the budget',
    needs: ['napi', 'txRing', 'completion'],
    run(t) {
      const dev = t.start({ txRing: 256 })
      noLimit(dev)
      const n = napiOf(t)
      // Nobody polls until the card has sent all.
      localBhDisable(t.kernel)
      t.sendMany(200)
      t.passSoon(MS)
      const { polls } = n.stats
      t.equal(t.cable.wire.length, 200, 'frames on the wire')
      localBhEnable(t.kernel)
      t.run(MS)
      t.equal(t.stats().txPackets, 200n, 'frames counted as sent')
      const used = n.stats.polls - polls
      t.expect(used <= 2, `200 completions took ${used} polls, not one`)
    },
  },
  {
    id: 'NAPI-04',
    title: 'receives nothing and does not complete with budget 0, but takes back sent frames',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      // Nobody polls: softirqs are off until we are done.
      localBhDisable(t.kernel)
      t.inject(5)
      t.send(60)
      t.passSoon(100 * US)
      pollOneNapi(n)
      const [received, owned] = [t.received.length, napiIsScheduled(n)]
      localBhEnable(t.kernel)
      t.equal(received, 0, 'frames received by a poll with budget 0')
      t.expect(owned, 'the poll with budget 0 let go of an instance that somebody else had scheduled')
      t.run(MS)
      t.equal(t.received.length, 5, 'frames received afterwards')
    },
  },
  {
    id: 'NAPI-05',
    title: 'returns exactly the budget, without completing, while frames are left',
    needs: ['napi'],
    run(t) {
      t.start({ rxRing: 256 })
      const polls = pollsOf(t)
      const taken = t.inject(NAPI_POLL_WEIGHT + 1).filter(Boolean).length
      if (taken <= NAPI_POLL_WEIGHT) t.skip(`its ring takes ${taken} frames`)
      t.run(10 * MS)
      const works = polls.filter((p) => p.work > 0).map((p) => p.work)
      if (works.some((w) => w > NAPI_POLL_WEIGHT)) return // NAPI-02 tells.
      t.equal(works, [NAPI_POLL_WEIGHT, 1], 'work of the polls for 65 frames')
    },
  },
  {
    id: 'NAPI-06',
    title: 'completes when it did less than its budget',
    needs: ['napi'],
    run(t) {
      t.start({ rxRing: 256 })
      const n = napiOf(t)
      for (const frames of [1, 2, NAPI_POLL_WEIGHT - 1]) {
        t.inject(frames)
        expectAlive(t, n)
      }
    },
  },
  {
    id: 'NAPI-07',
    title: 'with exactly its budget done and nothing left, polls once more or completes with one less',
    needs: ['napi'],
    run(t) {
      t.start({ rxRing: 256 })
      const n = napiOf(t)
      const polls = pollsOf(t)
      t.inject(NAPI_POLL_WEIGHT)
      t.run(10 * MS)
      const works = polls.map((p) => p.work)
      const good = [[64, 0], [63], [64, 63]].some((w) => w.join() === works.join())
      if (n.stats.polls > 0 && t.kernel.violations.length === 0) {
        t.expect(
          good,
          `64 frames with a budget of 64: polls returned ${works.join(', ')}; expected 64 and 0, or 63`,
        )
        expectAlive(t, n)
      }
      t.equal(t.received.length >= 64, true, 'all 64 frames received')
    },
  },
  {
    id: 'NAPI-08',
    title: 'never completes and returns its whole budget',
    needs: ['napi'],
    run(t) {
      t.start({ rxRing: 256 })
      for (const frames of [63, 64, 65, 128]) {
        t.inject(frames)
        t.run(10 * MS)
      }
      t.expect(
        !t.kernel.violations.some((v) => v.rule === 'NAPI-08'),
        'it completed and returned its whole budget',
      )
    },
  },
]

/** NAPI. @kernel none */
export const napiChecks: readonly Check[] = [...budgetChecks, ...napiGapChecks, ...napiLifeChecks]
