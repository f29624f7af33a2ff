import { createKernel } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accounts } from '../src/accounts.ts'
import { compose } from '../src/contract.ts'
import { faultInjector } from '../src/fault-injector.ts'
import { generator } from '../src/generator.ts'
import { loopback } from '../src/loopback.ts'
import { patchCable } from '../src/patch-cable.ts'
import { pcapWriter } from '../src/pcap-writer.ts'
import { rateLimit } from '../src/rate-limit.ts'
import { tracer } from '../src/tracer.ts'
import { Wrapper } from '../src/wrapper.ts'
import { leftBehind, numbered, StubBackend, TestPort } from './helpers.ts'

/** Loses a frame in three and tells nobody. */
class Careless extends Wrapper {
  #n = 0

  override receive(mem: Uint8Array, offset: number, length: number): boolean {
    if (++this.#n % 3 === 0) {
      this.counters.upFrames++
      return true
    }
    return super.receive(mem, offset, length)
  }

  protected override pass(mem: Uint8Array, offset: number, length: number): boolean {
    const taken = super.pass(mem, offset, length)
    if (this.#n > 5) this.counters.downFrames++
    return taken
  }
}

describe('accounts', () => {
  it('STAT-13 adds up a chain, layer by layer and as one', () => {
    const kernel = createKernel()
    const bottom = generator(kernel, { everyNs: 0, count: 1000 })
    const faults = faultInjector(kernel, { drop: 0.1, duplicate: 0.1, delayNs: 2000, seed: 1 })
    const backend = compose(bottom, faults, tracer(kernel))
    const port = new TestPort(kernel).plug(backend)
    port.takes = () => port.frames.length < 500
    kernel.runFor(20_000)
    const books = accounts(backend)
    expect(books.problems).toEqual([])
    expect(books.total.name).toBe('tracer > faults > generator')
    expect(books.layers.map((layer) => layer.name)).toEqual(['tracer', 'faults', 'generator'])
    const { total, missed } = books
    expect(total.held).toBeGreaterThan(0)
    expect(total.made).toBeGreaterThan(0)
    expect(total.in + total.made).toBe(total.out + total.dropped + total.held)
    expect(total.out - missed).toBe(port.frames.length)
  })

  it('STAT-13 says in a sentence what does not add up', () => {
    const kernel = createKernel()
    const stub = new StubBackend(kernel)
    const backend = new Careless('careless', stub)
    const port = new TestPort(kernel).plug(backend)
    for (let i = 0; i < 6; i++) stub.bring(numbered(i))
    expect(accounts(backend).problems).toEqual(['careless: 6 in + 0 made is not 4 out + 0 dropped + 0 held'])
    port.send(backend, numbered(9))
    expect(accounts(backend).problems).toContain('careless sent 2 frames down, stub took 1')
  })

  it('STAT-13 holds for any stack over any end, at any moment and after unplugging (property)', () => {
    const ends = fc.constantFrom('loopback', 'cable', 'generator', 'stub')
    const layer = fc.constantFrom('faults', 'rate', 'tracer', 'pcap')
    const action = fc.record({
      send: fc.integer({ min: 0, max: 40 }),
      length: fc.integer({ min: 0, max: 2000 }),
      run: fc.integer({ min: 0, max: 20_000 }),
      replug: fc.boolean(),
    })
    const script = fc.record({
      end: ends,
      stack: fc.array(layer, { maxLength: 4, size: 'max' }),
      seed: fc.integer({ min: 0, max: 0xffff }),
      actions: fc.array(action, { maxLength: 12, size: 'max' }),
    })
    fc.assert(
      fc.property(script, ({ end, stack, seed, actions }) => {
        const kernel = createKernel({ seed })
        const cable = patchCable(kernel, { delayNs: 1500, queueLimit: 8 })
        const far = new TestPort(kernel)
        far.onReceive = (frame) => far.send(cable.b, frame)
        if (end === 'cable') far.plug(cable.b)
        const bottom =
          end === 'loopback'
            ? loopback(kernel, { frames: 16 })
            : end === 'cable'
              ? cable.a
              : end === 'generator'
                ? generator(kernel, { everyNs: 700, frame: 'mix' })
                : new StubBackend(kernel)
        const middleware = stack.map((kind) =>
          kind === 'faults'
            ? faultInjector(kernel, { drop: 0.2, duplicate: 0.2, reorder: 0.2, delayNs: 900, jitterNs: 800 })
            : kind === 'rate'
              ? rateLimit(kernel, { rate: { bitsPerSecond: 1e9 }, burst: 2000, queue: { frames: 8 } })
              : kind === 'tracer'
                ? tracer(kernel)
                : pcapWriter(kernel, () => {}),
        )
        const backend = compose(bottom, ...middleware)
        const port = new TestPort(kernel).plug(backend)
        port.takes = (frame) => frame.length % 7 !== 0
        for (const { send, length, run, replug } of actions) {
          for (let i = 0; i < send; i++) port.send(backend, numbered(i, length))
          backend.flush?.()
          expect(accounts(backend).problems).toEqual([])
          kernel.runFor(run)
          expect(accounts(backend).problems).toEqual([])
          if (!replug) continue
          backend.attach(null)
          expect(accounts(backend)).toMatchObject({ problems: [], total: { held: 0 } })
          port.plug(backend)
        }
        expect(port.reentered || far.reentered).toBe(false)
        backend.attach(null)
        cable.b.attach(null)
        expect(accounts(cable.b).problems).toEqual([])
        expect(cable.a.counters.downFrames).toBe(cable.b.counters.upFrames)
        expect(leftBehind(kernel)).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})
