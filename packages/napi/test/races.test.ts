import { createKernel, onAnotherCpu, ScheduleBlocked } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { napiDisable, napiEnable } from '../src/index.ts'
import { type Bugs, settle, Source } from './source.ts'

interface Outcome {
  readonly lost: number
  readonly stray: number
  readonly points: number
}

/** One run in which something arrives at exactly those preemption points whose bit is set in `choices`. */
function run(choices: number, bugs: Bugs, points?: Set<string>): Outcome {
  const kernel = createKernel()
  const source = new Source(kernel, 'src0', { weight: 4 }, bugs)
  napiEnable(source.napi)
  let at = 0
  kernel.preemptHook = (point) => {
    points?.add(point)
    if (at < 31 && ((choices >> at++) & 1) === 1) source.arrive(1 + (at % 5))
  }
  source.arrive(3)
  settle(kernel)
  return { lost: source.arrived - source.handled, stray: source.strayInterrupts, points: at }
}

/** All choices at the first `depth` points. */
function explore(depth: number, bugs: Bugs): Outcome[] {
  return Array.from({ length: 1 << depth }, (_, choices) => run(choices, bugs))
}

describe('something arrives at a point where it can hurt', () => {
  it('passes the preemption points in question', () => {
    const points = new Set<string>()
    run(0b1011, {}, points)
    expect(points).toEqual(new Set(['irq:before-schedule', 'napi:after-complete', 'napi:before-unmask']))
  })

  it('NAPI-10 NAPI-11 NAPI-13 a correct driver loses nothing in any of 4,096 schedules', () => {
    const all = explore(12, {})
    expect(all.filter((o) => o.lost > 0)).toEqual([])
    expect(Math.max(...all.map((o) => o.points))).toBeGreaterThanOrEqual(12)
  })

  it('NAPI-13 a driver that unmasks without a second look loses an arrival in one of the first eight', () => {
    expect(explore(3, { noSecondLook: true }).some((o) => o.lost > 0)).toBe(true)
  })

  it('NAPI-11 a driver that unmasks whatever complete says is interrupted while it is polled', () => {
    const late = (bugs: Bugs) => {
      const kernel = createKernel()
      const source = new Source(kernel, 'src0', {}, bugs)
      napiEnable(source.napi)
      source.napi.deferHardIrqs = 2
      source.napi.groFlushTimeout = 1000
      source.arrive(1)
      source.arrive(1)
      return source.interrupts
    }
    expect(late({})).toBe(1)
    expect(late({ unmaskAlways: true })).toBe(2)
  })

  it('NAPI-15 disabled on another CPU, it waits for a poll that stands still here, and changes nothing', () => {
    const kernel = createKernel()
    const source = new Source(kernel, 'src0')
    napiEnable(source.napi)
    const elsewhere = (): void => onAnotherCpu(kernel, () => napiDisable(source.napi))
    source.onPoll = () => {
      expect(elsewhere).toThrow(ScheduleBlocked)
      expect(source.napi.enabled).toBe(true)
    }
    source.arrive(1)
    settle(kernel)
    expect(source.handled).toBe(1)
  })

  it('NAPI-15 disabled on another CPU, it does not wait for a poll that has completed', () => {
    const kernel = createKernel()
    const source = new Source(kernel, 'src0')
    napiEnable(source.napi)
    kernel.preemptHook = (point) => {
      if (point === 'napi:after-complete') onAnotherCpu(kernel, () => napiDisable(source.napi))
    }
    source.arrive(1)
    settle(kernel)
    expect([source.handled, source.napi.enabled, kernel.violations]).toEqual([1, false, []])
  })
})
