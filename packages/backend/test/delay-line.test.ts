import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { BackendCounters } from '../src/counters.ts'
import { DelayLine } from '../src/delay-line.ts'
import { leftBehind, numbered, numberOf } from './helpers.ts'

const line = (takes: () => boolean = () => true) => {
  const kernel = createKernel()
  const counters = new BackendCounters()
  const got: [number, number][] = []
  const target = {
    slices: 0,
    deliver(mem: Uint8Array, offset: number, length: number): boolean {
      if (!takes()) return false
      got.push([numberOf(mem.slice(offset, offset + length)), kernel.clock.ktimeGet()])
      return true
    },
    sliceDone(): void {
      this.slices++
    },
  }
  const delay = new DelayLine(kernel, 'line', counters, target)
  delay.open()
  const put = (frame: Uint8Array, due: number): boolean => {
    delay.due[0] = due
    return delay.push(frame, 0, frame.length)
  }
  return { kernel, counters, got, target, delay, put }
}

describe('DelayLine', () => {
  it('hands each frame on when it is due, also one that is due before those already waiting', () => {
    const { kernel, put, got } = line()
    put(numbered(1), 5000)
    put(numbered(2), 1000)
    put(numbered(3), 3000)
    kernel.runFor(10_000)
    expect(got).toEqual([
      [2, 1000],
      [3, 3000],
      [1, 5000],
    ])
  })

  it('keeps a frame the target refuses, and offers it again after resume(), from an event', () => {
    let free = false
    const { kernel, delay, put, got, counters } = line(() => free)
    put(numbered(1), 0)
    put(numbered(2), 0)
    kernel.runFor(1000)
    expect([delay.blocked, delay.count, counters.held]).toEqual([true, 2, 2])
    expect(leftBehind(kernel)).toEqual([expect.stringMatching(/^memory/)])
    free = true
    delay.resume()
    expect(got).toEqual([])
    kernel.runFor(0)
    expect(got.map(([n]) => n)).toEqual([1, 2])
    expect([delay.blocked, delay.count, counters.held]).toEqual([false, 0, 0])
  })

  it('clear() drops and counts everything and says that there is room', () => {
    const { kernel, delay, put, got, counters, target } = line()
    for (let i = 0; i < 5; i++) put(numbered(i), 1000)
    delay.clear()
    expect(target.slices).toBe(1)
    expect(counters).toMatchObject({ held: 0, dropped: 5 })
    delay.close()
    expect(leftBehind(kernel)).toEqual([])
    kernel.runFor(1e6)
    expect(got).toEqual([])
    expect(put(numbered(1), 0)).toBe(false)
  })

  it('keeps the bytes of the frame being handed on, even when closed from there', () => {
    const { kernel, delay, put, got, target, counters } = line()
    for (let i = 0; i < 3; i++) put(numbered(7 + i), 0)
    const seen: Uint8Array[] = []
    target.deliver = (mem, offset, length) => {
      delay.close()
      delay.open()
      expect(put(numbered(1), 0)).toBe(false)
      delay.close()
      // Memory handed out is zeroed: it must not be the frame's.
      kernel.mem.alloc(1 << 20, 64)
      seen.push(mem.slice(offset, offset + length))
      return true
    }
    kernel.runFor(0)
    expect(seen).toEqual([numbered(7)])
    expect(got).toEqual([])
    expect([delay.count, counters.held, counters.dropped]).toEqual([0, 0, 2])
    expect(kernel.mem.allocated).toBe(1 << 20)
  })

  it('says when it is at most half full', () => {
    const { delay, put } = line()
    for (let i = 0; i < 512; i++) put(numbered(i), 1000)
    expect(delay.roomy).toBe(true)
    put(numbered(1), 1000)
    expect(delay.roomy).toBe(false)
  })
})
