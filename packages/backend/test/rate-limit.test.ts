import { createKernel } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rateLimit } from '../src/rate-limit.ts'
import type { RateLimitOptions } from '../src/rate-limit.ts'
import { leftBehind, numbered, numberOf, problems, StubBackend, TestPort } from './helpers.ts'

const around = (options: RateLimitOptions) => {
  const kernel = createKernel()
  const stub = new StubBackend(kernel)
  const backend = rateLimit(kernel, options)(stub)
  return { kernel, stub, backend, port: new TestPort(kernel).plug(backend) }
}

describe('rateLimit', () => {
  it('lets a burst pass at once, then the rate', () => {
    const { kernel, stub, port } = around({ rate: { bitsPerSecond: 1e6 }, burst: 250 })
    for (let i = 0; i < 5; i++) stub.bring(numbered(i, 125))
    kernel.runFor(1e9)
    expect(port.times).toEqual([0, 0, 1e6, 2e6, 3e6])
    for (let i = 0; i < 3; i++) stub.bring(numbered(i, 125))
    kernel.runFor(1e9)
    expect(port.times.slice(5).map((t) => t - 1e9)).toEqual([0, 0, 1e6])
  })

  it('counts frames when the rate is in frames', () => {
    const { kernel, stub, port } = around({ rate: { framesPerSecond: 100 }, burst: 1 })
    for (let i = 0; i < 3; i++) stub.bring(numbered(i, 60 + i * 1000))
    kernel.runFor(1e9)
    expect(port.times).toEqual([0, 1e7, 2e7])
  })

  it('from the card: refuses when the queue is full, calls back, loses nothing', () => {
    const { kernel, stub, backend, port } = around({
      rate: { framesPerSecond: 1000 },
      burst: 2,
      queue: { frames: 4 },
      direction: 'tx',
    })
    let next = 0
    const pump = (): void => {
      while (next < 30 && port.send(backend, numbered(next))) next++
    }
    port.onWritable = pump
    pump()
    expect(next).toBe(6)
    kernel.runUntil(() => stub.sent.length === 30, 1e9)
    expect(kernel.clock.ktimeGet()).toBe(28e6)
    expect(stub.sent.map(numberOf)).toEqual([...Array(30).keys()])
    expect(backend.counters.dropped).toBe(0)
    expect(port.reentered).toBe(false)
    expect(stub.flushes).toBeGreaterThan(0)
  })

  it('to the card: drops when the queue is full, and counts it', () => {
    const { kernel, stub, backend, port } = around({
      rate: { framesPerSecond: 1000 },
      burst: 1,
      queue: { frames: 4 },
    })
    for (let i = 0; i < 10; i++) stub.bring(numbered(i))
    kernel.runFor(1e9)
    expect(port.frames.map(numberOf)).toEqual([0, 1, 2, 3, 4])
    expect(backend.counters.dropped).toBe(5)
    expect(problems(backend)).toEqual([])
  })

  it('drops a frame that can never fit its queue instead of refusing it for ever', () => {
    const { kernel, backend, port } = around({
      rate: { bitsPerSecond: 1e6 },
      burst: 60,
      queue: { bytes: 1000 },
    })
    expect(port.send(backend, numbered(1, 2000))).toBe(true)
    expect(backend.counters.dropped).toBe(1)
    kernel.runFor(1e9)
    expect(problems(backend)).toEqual([])
  })

  it('lets a frame larger than the burst pass, late', () => {
    const { kernel, stub, port } = around({ rate: { bitsPerSecond: 8e9 }, burst: 100 })
    stub.bring(numbered(1, 1100))
    kernel.runFor(1e9)
    expect(port.times).toEqual([1000])
  })

  it('never lets more pass than burst + rate × time, in any window (property)', () => {
    const frame = fc.record({
      wait: fc.integer({ min: 0, max: 3_000_000 }),
      length: fc.integer({ min: 14, max: 1500 }),
    })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 60, size: 'max' }), (frames) => {
        const { kernel, stub, backend, port } = around({ rate: { bitsPerSecond: 8e6 }, burst: 3000 })
        for (const { wait, length } of frames) {
          kernel.runFor(wait)
          stub.bring(numbered(1, length))
        }
        kernel.runFor(1e9)
        expect(port.frames.length + backend.counters.dropped).toBe(frames.length)
        for (let from = 0; from < port.frames.length; from++) {
          let bytes = 0
          for (let to = from; to < port.frames.length; to++) {
            bytes += port.frames[to]!.length
            const ns = port.times[to]! - port.times[from]!
            // One byte a microsecond, and a nanosecond of rounding.
            expect(bytes).toBeLessThanOrEqual(3000 + (ns + 1) / 1000)
          }
        }
        expect(problems(backend)).toEqual([])
        backend.attach(null)
        expect(leftBehind(kernel)).toEqual([])
      }),
    )
  })

  it('refuses a rate or burst that makes no sense', () => {
    const kernel = createKernel()
    for (const options of [
      { rate: { bitsPerSecond: 0 } },
      { rate: { framesPerSecond: NaN } },
      { rate: { bitsPerSecond: 1 }, burst: 0 },
    ]) {
      expect(() => rateLimit(kernel, options)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
  })
})
