import { napiIsScheduled, napiSchedule } from '@vnet/napi'
import type { Check } from '../check.ts'
import { frameNumber, testFrame } from '../frames.ts'
import { MS, SECOND } from '../testbed.ts'
import { eachFrame, expectAlive, interruptsOf, napiOf, pollsOf, queuedAgain } from './napi-kit.ts'

/** Races between polling and what comes meanwhile. @kernel none */
export const napiGapChecks: readonly Check[] = [
  {
    id: 'NAPI-09',
    title: 'receives nothing any more once it has completed',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      let strays = 0
      let inGap = false
      eachFrame(t, () => {
        if (inGap && n.depth > 0 && !napiIsScheduled(n)) strays++
      })
      let left = 3
      t.kernel.preemptHook = (point) => {
        if (point !== 'napi:after-complete' || left-- <= 0) return
        inGap = true
        t.cable.injectNow(testFrame(60, 100))
      }
      t.inject(3)
      t.run(10 * MS)
      if (queuedAgain(t)) return
      t.equal(strays, 0, 'frames received by a poll that had completed')
    },
  },
  {
    id: 'NAPI-10',
    title: 'is polled exactly once more when scheduled during its poll',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      const polls = pollsOf(t)
      eachFrame(t, (k) => {
        if (k === 0) {
          napiSchedule(n)
          napiSchedule(n)
        }
      })
      t.inject(1)
      t.run(10 * MS)
      if (queuedAgain(t)) return
      t.equal(
        [polls.length, n.stats.missed >= 2],
        [2, true],
        'polls for one frame with two schedules inside, and schedules noted',
      )
      expectAlive(t, n)
    },
  },
  {
    id: 'NAPI-11',
    title: 'leaves its interrupt masked when napiCompleteDone says false',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      const interrupts = interruptsOf(t)
      let [before, after] = [-1, -1]
      eachFrame(t, (k) => {
        if (k === 0) napiSchedule(n)
      })
      t.kernel.trace.on('napi:napi_poll', () => {
        if (before >= 0) return
        // Between the two polls, nobody may be interrupted.
        before = interrupts()
        t.cable.injectNow(testFrame(60, 7))
        after = interrupts()
      })
      t.inject(1)
      t.run(10 * MS)
      if (queuedAgain(t)) return
      t.expect(before >= 0, 'a frame led to no poll')
      t.equal(after - before, 0, 'interrupts between a poll that was scheduled again and the next')
      t.equal(t.received.length, 2, 'frames received')
    },
  },
  {
    id: 'NAPI-12',
    title: 'masks its interrupt before it schedules the poll',
    needs: ['napi'],
    run(t) {
      t.start()
      const interrupts = interruptsOf(t)
      let [before, after] = [-1, -1]
      t.kernel.trace.on('irq:softirq_raise', (e) => {
        if (before >= 0 || t.kernel.ctx !== 'hardirq' || e.subject !== 'NET_RX') return
        before = interrupts()
        t.cable.injectNow(testFrame(60, 7))
        after = interrupts()
      })
      t.inject(1)
      t.run(10 * MS)
      t.expect(before >= 0, 'no poll was scheduled by an interrupt')
      t.equal(after - before, 0, 'interrupts raised after the poll was scheduled and before it ran')
      t.equal(t.received.length, 2, 'frames received')
    },
  },
  {
    id: 'NAPI-12',
    title: 'takes one interrupt for a storm of frames during its poll',
    needs: ['napi'],
    run(t) {
      t.start()
      const interrupts = interruptsOf(t)
      const seen: number[] = []
      eachFrame(t, (k) => {
        if (k < 20) t.cable.injectNow(testFrame(60, k))
        seen.push(interrupts())
      })
      t.inject(1)
      t.run(10 * MS)
      if (queuedAgain(t)) return
      t.equal(seen.length, 21, 'frames received')
      // At most one more for what came in the last poll.
      t.expect(
        seen.at(-1)! - seen[0]! <= 1,
        `${seen.at(-1)! - seen[0]!} more interrupts while frames came during polls`,
      )
    },
  },
  ...(['napi:after-complete', 'napi:before-unmask'] as const).map((where): Check => ({
    id: 'NAPI-13',
    title: `finds a frame that came at ${where}`,
    needs: ['napi'],
    run(t) {
      t.start()
      let left = 3
      t.kernel.preemptHook = (point) => {
        if (point === where && left-- > 0) t.cable.injectNow(testFrame(60, 10 + left))
      }
      t.inject(1)
      t.run(SECOND)
      const came = left < 3 ? 3 - Math.max(left, 0) : 0
      t.equal(
        t.received.map(frameNumber).length,
        1 + came,
        'frames received, of one and those that came in the gap',
      )
    },
  })),
]
