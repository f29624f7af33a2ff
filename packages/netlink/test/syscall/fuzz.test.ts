import { Rng } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Sioc, Sys } from '../../src/index.ts'
import { card } from '../card.ts'
import { makeRig } from '../rig.ts'
import { BASE, FakeProgram } from './fake-program.ts'

const OPS = Object.values(Sys)
const REQUESTS = [...Object.values(Sioc), 0x5421, 0]

describe('a program that means ill', () => {
  it('gets no further than its own connection with random bytes', () => {
    const rig = makeRig(card())
    const p = new FakeProgram(rig.kernel, 1 << 14)
    const before = rig.kernel.census.take()
    const good = p.open()
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (pushes) => {
        const fd = p.open()
        for (const bytes of pushes) fd.connection.push(bytes)
        fd.die()
        expect(good.call(999)).toBe(-38)
      }),
      { numRuns: 500 },
    )
    good.die()
    expect(p.server.open + rig.server.open).toBe(0)
    expect(rig.kernel.census.take()).toEqual(before)
  })

  it('is answered once a call, whatever the arguments, and leaves nothing: 200,000 calls', () => {
    const rig = makeRig(card())
    const p = new FakeProgram(rig.kernel, 1 << 12)
    const rng = new Rng(11)
    const { kernel } = rig
    const before = kernel.census.take()
    const numbers = [
      0,
      1,
      2,
      3,
      4,
      12,
      16,
      20,
      40,
      56,
      128,
      129,
      270,
      1024,
      1500,
      65536,
      2 ** 20,
      2 ** 31,
      -1,
      -22,
    ]
    const arg = (): number | bigint => {
      const kind = rng.below(8)
      if (kind < 3) return numbers[rng.below(numbers.length)]!
      if (kind < 7) return BASE + BigInt(rng.below(4096))
      return BigInt(rng.u32()) << BigInt(rng.below(33))
    }
    let fd = p.open()
    let answered = 0
    for (let i = 0; i < 200_000; i++) {
      if (rng.below(50) === 0) {
        fd.die()
        fd = p.open()
        p.split = rng.below(3) === 0 ? rng.below(40) : 0
        fd.call(
          Sys.socket,
          rng.below(4) === 0 ? 2 : 16,
          2 + rng.below(2),
          [0, 16, 0, 4][rng.below(4)]!,
          rng.below(9),
          0,
        )
      }
      if (rng.below(4) === 0) p.memory[rng.below(4096)] = rng.u32() & 0xff
      if (rng.below(8) === 0) p.view.setBigUint64(rng.below(500) * 8, BASE + BigInt(rng.below(4096)), true)
      if (rng.below(16) === 0) p.memory.set(new TextEncoder().encode('vnet0\0'), rng.below(4000))
      const op = OPS[rng.below(OPS.length)]!
      const first = op === Sys.ioctl ? REQUESTS[rng.below(REQUESTS.length)]! : arg()
      const result = fd.call(op, first, arg(), arg(), arg(), arg(), arg())
      if (fd.closed) throw new Error('the server ended a connection that keeps the protocol')
      if (result === undefined) {
        fd.call(Sys.interrupt)
        if (op !== Sys.interrupt && fd.results.length !== 1) throw new Error(`no answer to ${op}`)
      } else {
        answered++
        if (fd.results.length !== 1) throw new Error(`${fd.results.length} answers to ${op}`)
        if (result < -133) throw new Error(`${op} gave ${result}`)
      }
    }
    fd.die()
    expect(answered).toBeGreaterThan(150_000)
    expect([p.server.open, rig.server.open]).toEqual([0, 0])
    kernel.runFor(1e9)
    // The device may have got another name.
    expect(kernel.census.take().map(({ kind }) => kind)).toEqual(before.map(({ kind }) => kind))
    expect(kernel.violations).toEqual([])
  })
})
