import { createKernel } from '@vnet/kernel'
import type { Check } from '../check.ts'
import { frameNumber, testFrame } from '../frames.ts'
import type { RingsUnderTest } from '../rings.ts'
import type { Runner } from '../test-driver.ts'
import { MS, US } from '../testbed.ts'
import { noLimit } from './observe.ts'
import { ringShapeChecks, type RingCheck } from './ring-shapes.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const after = (id: string): Check[] => driverChecks.filter((check) => check.id === id)

function ofDriver(check: RingCheck): Check {
  return {
    id: check.id,
    title: `has rings: ${check.title}`,
    run(t) {
      const make = t.spec.rings?.[check.shape]
      if (make === undefined) t.skip(`the driver names no ring of the shape ${check.shape}`)
      check.run(make as never, t.kernel.rng)
    },
  }
}

const driverChecks: readonly Check[] = [
  {
    id: 'RING-06',
    title: 'fills a descriptor before it shows it to the card',
    needs: ['txRing', 'completion'],
    run(t) {
      const dev = t.start({ txRing: 4 })
      t.card('slow')(5 * US)
      noLimit(dev)
      // Wherever the driver lets others in, the card takes what it has been shown.
      t.kernel.preemptHook = (point) => {
        if (point.startsWith('xmit:')) t.passSoon(50 * US)
      }
      t.sendMany(40, 100)
      t.run(10 * MS)
      const good = t.cable.wire.filter((f, n) => f.length === 100 && frameNumber(f) === n)
      t.equal(
        [good.length, t.cable.wire.length],
        [40, 40],
        'whole frames in order, and all frames on the wire',
      )
    },
  },
  {
    id: 'RING-12',
    title: 'reads no frame twice when the receive ring is full',
    needs: ['rxRing'],
    run(t) {
      t.start({ rxRing: 8 })
      for (let round = 0; round < 3; round++) {
        const before = t.received.length
        const taken = t.inject(...numbers(100).map((n) => testFrame(60, round * 100 + n)))
        t.run(5 * MS)
        const expected = numbers(100)
          .filter((n) => taken[n])
          .map((n) => round * 100 + n)
        t.expect(expected.length > 0, 'the card took no frame at all')
        t.equal(t.received.slice(before).map(frameNumber), expected, `frames passed up in round ${round}`)
      }
    },
  },
]

/** Checks of rings. @kernel none */
export const ringChecks: readonly Check[] = [
  ...ringShapeChecks.filter((c) => c.id < 'RING-06').map(ofDriver),
  ...after('RING-06'),
  ...ringShapeChecks.filter((c) => c.id > 'RING-06').map(ofDriver),
  ...after('RING-12'),
]

/** What {@link testRing} tests: rings made by `create`, of any shape it returns a maker for. @kernel none */
export interface RingSpec {
  readonly name: string
  create(): RingsUnderTest
  readonly seed?: number
}

/**
 * Defines a test for each rule about rings, with any runner: `testRing({ describe, it }, { name, create })`.
 *
 * @kernel none
 */
export function testRing(runner: Runner, { name, create, seed = 1 }: RingSpec): void {
  runner.describe(`${name} keeps the rules of rings`, () => {
    const rings = create()
    for (const check of ringShapeChecks) {
      const make = rings[check.shape]
      if (make === undefined) continue
      runner.it(`${check.id} ${check.title}`, () => check.run(make as never, createKernel({ seed }).rng))
    }
  })
}
