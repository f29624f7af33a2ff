import type { Kernel } from '@vnet/kernel'
import type { DescRingShape, RingsUnderTest } from '../rings.ts'

/** A broken ring. */
class RingFailure extends Error {
  override readonly name = 'RingFailure'
}

function same(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new RingFailure(`${what}: expected ${b}, got ${a}`)
}

function throws(fn: () => unknown): boolean {
  try {
    fn()
    return false
  } catch {
    return true
  }
}

/** One thing a ring must do, for rings of one shape. */
export interface RingCheck<K extends keyof RingsUnderTest = keyof RingsUnderTest> {
  readonly id: string
  readonly title: string
  readonly shape: K
  run(make: NonNullable<RingsUnderTest[K]>, random: Kernel['rng']): void
}

function ringCheck<K extends keyof RingsUnderTest>(check: RingCheck<K>): RingCheck {
  return check as unknown as RingCheck
}

const indexes = (r: DescRingShape): number[] => [r.prod, r.cons, r.clean]
const STEPS = 400

/** Every rule of rings that shows in their behaviour, in order. @kernel none */
export const ringShapeChecks: readonly RingCheck[] = [
  ringCheck({
    id: 'RING-01',
    title: 'used and free descriptors add up to the size at all times, also where u32 wraps',
    shape: 'desc',
    run(make, random) {
      const ring = make(8)
      ring.reset(2 ** 32 - 3)
      let [posted, done, cleaned] = [0, 0, 0]
      for (let step = 0; step < STEPS; step++) {
        const n = random.below(4)
        const kind = random.below(3)
        if (kind === 0) {
          const fits = posted - cleaned + n <= 8
          same(
            throws(() => ring.post(n)),
            !fits,
            `posting ${n} with ${posted - cleaned} of 8 used is refused`,
          )
          if (fits) posted += n
        } else if (kind === 1 && done + n <= posted) {
          ring.complete(n)
          done += n
        } else if (kind === 2 && cleaned + n <= done) {
          ring.reclaim(n)
          cleaned += n
        }
        const used = posted - cleaned
        same([ring.used(), ring.avail()], [used, 8 - used], `used and free after ${step} steps`)
        same(
          [ring.pending(), ring.completed()],
          [posted - done, done - cleaned],
          `pending and completed after ${step} steps`,
        )
      }
    },
  }),
  ringCheck({
    id: 'RING-02',
    title: 'with free-running indexes all slots are used',
    shape: 'desc',
    run(make) {
      const ring = make(8)
      ring.post(8)
      same(ring.avail(), 0, 'free slots of a ring of 8 with 8 posted')
      same(ring.used(), 8, 'used slots of a full ring of 8')
    },
  }),
  ringCheck({
    id: 'RING-02',
    title: 'with a head and a tail one slot stays empty',
    shape: 'circ',
    run(circ) {
      for (let head = 0; head < 8; head++) {
        for (let tail = 0; tail < 8; tail++) {
          const waiting = (head - tail + 8) % 8
          same(circ.cnt(head, tail, 8), waiting, `entries between ${tail} and ${head}`)
          same(circ.space(head, tail, 8), 7 - waiting, `room from ${head} to ${tail}`)
        }
      }
    },
  }),
  ringCheck({
    id: 'RING-03',
    title: 'refuses a size that is no power of two',
    shape: 'desc',
    run(make) {
      for (const size of [0, 3, 6, 12, 100, -8, 2.5])
        same(
          throws(() => make(size)),
          true,
          `a ring of ${size} is refused`,
        )
      for (const size of [2, 4, 64, 1024]) same(make(size).size, size, 'size')
    },
  }),
  ringCheck({
    id: 'RING-04',
    title: 'gives entries out in the order they came',
    shape: 'fifo',
    run(make, random) {
      const ring = make<number>(7)
      const model: number[] = []
      for (let step = 0; step < STEPS; step++) {
        if (random.below(2) === 0) {
          const taken = ring.produce(step) === 0
          same(taken, model.length < 7, 'an entry is taken while there is room')
          if (taken) model.push(step)
        } else same(ring.consume() ?? null, model.shift() ?? null, 'the oldest entry')
        same(
          [ring.length, ring.full, ring.empty],
          [model.length, model.length === 7, model.length === 0],
          'fill',
        )
        same(ring.peek() ?? null, model[0] ?? null, 'peek')
      }
    },
  }),
  ringCheck({
    id: 'RING-05',
    title: 'lets only the producer move prod, and only the consumer cons',
    shape: 'desc',
    run(make) {
      const ring = make(8)
      ring.post(3)
      same(indexes(ring), [3, 0, 0], 'prod, cons, clean after posting 3')
      same(
        throws(() => ring.complete(4)),
        true,
        'the card cannot complete 4 of 3',
      )
      same(indexes(ring), [3, 0, 0], 'prod, cons, clean after that')
      ring.complete(2)
      same(indexes(ring), [3, 2, 0], 'prod, cons, clean after completing 2')
      same(
        throws(() => ring.reclaim(3)),
        true,
        'the driver cannot reclaim 3 of 2',
      )
      ring.reclaim(2)
      same(indexes(ring), [3, 2, 2], 'prod, cons, clean after reclaiming 2')
    },
  }),
  ringCheck({
    id: 'RING-08',
    title: 'never counts across the wrap to the end',
    shape: 'circ',
    run(circ) {
      for (let size = 2; size <= 16; size *= 2) {
        for (let head = 0; head < size; head++) {
          for (let tail = 0; tail < size; tail++) {
            const where = `head ${head}, tail ${tail}, size ${size}`
            const waiting = (head - tail + size) % size
            same(
              circ.cntToEnd(head, tail, size),
              Math.min(waiting, size - tail),
              `entries to the end, ${where}`,
            )
            same(
              circ.spaceToEnd(head, tail, size),
              Math.min(size - 1 - waiting, size - head),
              `room to the end, ${where}`,
            )
          }
        }
      }
    },
  }),
  ringCheck({
    id: 'RING-09',
    title: 'keeps what fits when resized, in order, and hands the rest to the callback',
    shape: 'fifo',
    run(make) {
      const ring = make<number>(8)
      for (let n = 0; n < 5; n++) ring.produce(n)
      ring.consume()
      ring.consume()
      for (let n = 5; n < 10; n++) ring.produce(n)
      const destroyed: number[] = []
      ring.resize(3, (n) => destroyed.push(n))
      same(destroyed, [5, 6, 7, 8, 9], 'handed to the callback')
      same([ring.size, ring.full], [3, true], 'size and full')
      ring.resize(16, (n) => destroyed.push(n))
      const kept: number[] = []
      for (let n = ring.consume(); n !== undefined; n = ring.consume()) kept.push(n)
      same([kept, destroyed.length], [[2, 3, 4], 5], 'kept, and handed to the callback')
    },
  }),
  ringCheck({
    id: 'RING-10',
    title: 'holds no reference to an entry it gave out',
    shape: 'fifo',
    run(make) {
      const ring = make<object>(4)
      const entry = { mark: 'taken out' }
      ring.produce(entry)
      same(ring.consume() === entry, true, 'the entry comes out')
      same(reaches(ring, entry, new Set()), false, 'the ring still refers to it')
    },
  }),
]

/** True when `from` leads to `target` over own fields. */
function reaches(from: unknown, target: object, seen: Set<unknown>): boolean {
  if (from === target) return true
  if (typeof from !== 'object' || from === null || ArrayBuffer.isView(from) || seen.has(from)) return false
  seen.add(from)
  return Object.values(from).some((value) => reaches(value, target, seen))
}
