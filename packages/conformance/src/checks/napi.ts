import { udelay } from '@vnet/kernel'
import {
  NAPI_POLL_WEIGHT,
  napiCompleteDone,
  napiDisable,
  napiEnable,
  napiIsScheduled,
  napiList,
  napiSchedule,
  netifNapiAdd,
  netifNapiDel,
  pollOneNapi,
  softnet,
  type NapiStruct,
} from '@vnet/napi'
import { NET_RX_SUCCESS, backlogStats, consumeSkb, devAddPack } from '@vnet/netdev'
import type { Check } from '../check.ts'
import { ETH_P_TEST, frameNumber, testFrame } from '../frames.ts'
import { MS, SECOND, US, type Testbed } from '../testbed.ts'

/** The instance that polls a device with one queue. */
export function napiOf(t: Testbed): NapiStruct {
  const all = napiList(t.dev).filter((n) => n.enabled)
  if (all.length !== 1) t.skip(`the device has ${all.length} NAPI instances that are enabled, not 1`)
  return all[0]!
}

/** Notes the work and budget of each poll of the device from now on. */
export function pollsOf(t: Testbed): { work: number; budget: number }[] {
  const polls: { work: number; budget: number }[] = []
  t.kernel.trace.on('napi:napi_poll', (e) => {
    if (e.subject === t.dev.name) polls.push({ work: Number(e.fields['work']), budget: Number(e.fields['budget']) })
  })
  return polls
}

/** Calls `fn` for each test frame that goes up, inside the poll. */
function eachFrame(t: Testbed, fn: (n: number) => void): void {
  let n = 0
  devAddPack(t.kernel, {
    type: ETH_P_TEST,
    dev: t.dev,
    func(skb) {
      consumeSkb(skb)
      fn(n++)
      return NET_RX_SUCCESS
    },
  })
}

/** Fails unless nothing is left to poll and a new frame is received: no instance is stuck. */
function expectAlive(t: Testbed, n: NapiStruct): void {
  t.run(10 * MS)
  t.expect(!napiIsScheduled(n), 'the instance is still owned, though nothing is left to poll')
  const before = t.received.length
  t.inject(1)
  t.run(10 * MS)
  t.equal(t.received.length - before, 1, 'frames received afterwards')
}

/** True for a driver that queues what it receives a second time: what these checks see is then no poll. RX-04 tells. */
function queuedAgain(t: Testbed): boolean {
  return backlogStats(t.kernel).processed > 0
}

/** A card that counts, so that the check sees whether the interrupt is masked. */
function interruptsOf(t: Testbed): () => number {
  return t.card('interrupts')
}

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
      dev.txq[0]!.dql.minLimit = 1 << 20
      const n = napiOf(t)
      t.kernel.hardware(() => {
        t.sendMany(200)
      })
      const { polls } = n.stats
      t.run(MS)
      t.equal(t.stats().txPackets, 200n, 'frames counted as sent')
      const used = n.stats.polls - polls
      // A card that hands them back in bursts interrupts for each.
      t.expect(used <= 4, `200 completions took ${used} polls, about one for each budget`)
    },
  },
  {
    id: 'NAPI-04',
    title: 'receives nothing and does not complete with budget 0, but takes back sent frames',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      // Nobody polls: the softirq is off until we are done.
      t.kernel.cpu.bhDepth++
      try {
        t.inject(5)
        t.send(60)
        t.passSoon(100 * US)
        pollOneNapi(n)
        t.equal(t.received.length, 0, 'frames received by a poll with budget 0')
        t.expect(napiIsScheduled(n), 'the poll with budget 0 let go of an instance that somebody else had scheduled')
      } finally {
        t.kernel.cpu.bhDepth--
      }
      t.kernel.softirq.runIfPending()
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
      t.inject(NAPI_POLL_WEIGHT + 1)
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
        t.expect(good, `64 frames with a budget of 64: polls returned ${works.join(', ')}; expected 64 and 0, or 63`)
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
      t.expect(!t.kernel.violations.some((v) => v.rule === 'NAPI-08'), 'it completed and returned its whole budget')
    },
  },
]

/** Races between polling and what comes meanwhile. */
const gapChecks: readonly Check[] = [
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
      t.equal([polls.length, n.stats.missed >= 2], [2, true], 'polls for one frame with two schedules inside, and schedules noted')
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
      t.expect(seen.at(-1)! - seen[0]! <= 1, `${seen.at(-1)! - seen[0]!} more interrupts while frames came during polls`)
    },
  },
  ...(['napi:after-complete', 'napi:before-unmask'] as const).map(
    (where): Check => ({
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
        t.equal(t.received.map(frameNumber).length, 1 + came, 'frames received, of one and those that came in the gap')
      },
    }),
  ),
]

/** NAPI, the rest: order of calls, fairness, life. */
const lifeChecks: readonly Check[] = [
  {
    id: 'NAPI-14',
    title: 'does no harm when polled without a reason',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      const before = JSON.stringify(t.stats(), big)
      for (let k = 0; k < 20; k++) {
        if (k % 3 === 0) pollOneNapi(n)
        else napiSchedule(n)
        t.run(k * 10 * US)
      }
      t.equal(JSON.stringify(t.stats(), big), before, 'counters after polls with nothing to do')
      t.inject(3)
      t.send(60)
      for (let k = 0; k < 5; k++) napiSchedule(n)
      t.run(10 * MS)
      t.equal([t.received.length, t.cable.wire.length], [3, 1], 'frames received and sent among them')
      expectAlive(t, n)
    },
  },
  {
    id: 'NAPI-15',
    title: 'enables and disables its instances in turn',
    needs: ['napi'],
    run(t) {
      t.create()
      for (let k = 0; k < 5; k++) {
        t.up()
        t.inject(2)
        t.run(MS)
        t.down()
      }
      t.expect(!t.kernel.violations.some((v) => v.rule === 'NAPI-15'), 'an instance was enabled or disabled twice in a row')
    },
  },
  {
    id: 'NAPI-16',
    title: 'has a weight of at most 64',
    needs: ['napi'],
    run(t) {
      t.start()
      for (const n of napiList(t.dev)) t.expect(n.weight <= NAPI_POLL_WEIGHT, `a weight of ${n.weight}`)
    },
  },
  {
    id: 'NAPI-17',
    title: 'lets the softirq stop after 300 packets, and goes on later',
    needs: ['napi'],
    run(t) {
      t.start({ rxRing: 256 })
      const others = [1, 2, 3, 4].map(() => new Neighbour(t))
      const taken = flood(t, others, 200)
      t.run(50 * MS)
      for (const other of others) other.leave()
      t.expect(softnet(t.kernel).timeSqueeze > 0, 'five busy instances counted no squeeze')
      t.equal(t.received.length, taken, 'frames received in the end')
      t.expect(others.every((other) => other.polls > 1), 'another instance starved')
    },
  },
  {
    id: 'NAPI-17',
    title: 'lets the softirq stop after two ticks',
    needs: ['napi'],
    run(t) {
      t.start({ rxRing: 256 })
      eachFrame(t, () => udelay(t.kernel, 300))
      const taken = t.inject(200).filter(Boolean).length
      t.run(SECOND)
      if (queuedAgain(t)) return
      t.expect(softnet(t.kernel).timeSqueeze > 0, `${taken} frames of 300 us each counted no squeeze`)
      t.equal(t.received.length, taken, 'frames received in the end')
    },
  },
  {
    id: 'NAPI-18',
    title: 'shares the softirq with another busy instance',
    needs: ['napi'],
    run(t) {
      t.start({ rxRing: 512 })
      const other = new Neighbour(t)
      const order: string[] = []
      t.kernel.trace.on('napi:napi_poll', (e) => {
        if (other.busy && Number(e.fields['work']) >= NAPI_POLL_WEIGHT - 1) order.push(e.subject)
        if (order.length >= 8) other.busy = false
      })
      flood(t, [other], 500)
      t.run(10 * MS)
      other.leave()
      const mine = order.filter((name) => name === t.dev.name).length
      if (order.length < 8) t.skip(`both were busy for ${order.length} polls only`)
      t.expect(mine >= 3 && mine <= 5, `${mine} of the first 8 full polls were the device's: ${order.join(' ')}`)
    },
  },
  {
    id: 'NAPI-19',
    title: 'leaves no instance behind',
    needs: ['napi'],
    run(t) {
      t.start()
      t.inject(3)
      t.run(MS)
      t.down()
      t.up()
      t.run(MS)
      t.destroy()
      const left = t.kernel.census.take().filter((e) => e.kind === 'napi').map((e) => e.name)
      t.equal(left, [], 'instances alive after the driver is gone')
    },
  },
  {
    id: 'NAPI-20',
    title: 'keeps the settings of an instance over down and up',
    needs: ['napi'],
    run(t) {
      t.start()
      const n = napiOf(t)
      n.groFlushTimeout = 123_000
      n.irqSuspendTimeout = 456_000
      const id = n.napiId
      t.down()
      t.up()
      const again = napiOf(t)
      t.equal([again.groFlushTimeout, again.irqSuspendTimeout, again.napiId], [123_000, 456_000, id], 'flush timeout, suspend timeout, id')
    },
  },
  {
    id: 'NAPI-21',
    title: 'adds each instance once, and polls the one it added',
    needs: ['napi'],
    run(t) {
      t.start()
      t.expect(napiList(t.dev).length <= Math.max(t.dev.numRxQueues, t.dev.numTxQueues) * 2, 'more instances than two a queue')
      t.inject(1)
      t.run(MS)
      t.down()
      t.up()
      t.inject(1)
      t.run(MS)
      t.equal(t.received.length, 2, 'frames received')
      t.expect(!t.kernel.violations.some((v) => v.rule === 'NAPI-21'), 'an instance was added twice or written over')
    },
  },
]

/** Another source of work on the same CPU: it always has more to do, for a while. */
class Neighbour {
  busy = true
  polls = 0
  readonly napi: NapiStruct

  constructor(t: Testbed) {
    this.napi = netifNapiAdd({ kernel: t.kernel, name: 'other', ifindex: 99 }, (n, budget) => {
      if (++this.polls > 20) this.busy = false
      if (this.busy) return budget
      napiCompleteDone(n, 0)
      return 0
    })
    napiEnable(this.napi)
  }

  leave(): void {
    napiDisable(this.napi)
    netifNapiDel(this.napi)
  }
}

/** Makes the neighbours and the device busy at one moment; returns how many frames the card took. */
function flood(t: Testbed, others: readonly Neighbour[], frames: number): number {
  let taken = 0
  t.kernel.hardware(() => {
    for (const other of others) napiSchedule(other.napi)
    for (let k = 0; k < frames; k++) if (t.cable.injectNow(testFrame(60, k))) taken++
  })
  return taken
}

function big(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value
}

/** NAPI. @kernel none */
export const napiChecks: readonly Check[] = [...budgetChecks, ...gapChecks, ...lifeChecks]
