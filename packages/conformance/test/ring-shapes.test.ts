import { describe, expect, it } from 'vitest'
import { RefFifo, refRings, testRing, type RingsUnderTest } from '../src/index.ts'
import { ringMutants } from '../src/mutants/ring.ts'

testRing({ describe, it }, { name: 'the rings of the reference driver', create: () => refRings })

/** A runner that only notes which tests fail. */
function failing(rings: RingsUnderTest): string[] {
  const failed: string[] = []
  const runner = {
    describe: (_name: string, fn: () => void) => fn(),
    it(name: string, fn: () => void) {
      try {
        fn()
      } catch {
        failed.push(name.slice(0, 7))
      }
    },
  }
  testRing(runner, { name: 'rings', create: () => rings })
  return failed
}

describe('testRing', () => {
  it('tests the shapes it is given, and no others', () => {
    expect(failing({})).toEqual([])
    expect(failing({ fifo: <T>(size: number) => new RefFifo<T>(size) })).toEqual([])
  })

  it.each(ringMutants.filter((m) => m.spec.rings !== refRings).map((m) => [m.id, m] as const))(
    '%s finds the broken ring',
    (id, { spec }) => {
      expect(failing(spec.rings!)).toContain(id)
    },
  )
})
