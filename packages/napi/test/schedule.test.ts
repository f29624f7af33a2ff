import { createKernel, localBhDisable, localBhEnable } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  __napiSchedule,
  napiCompleteDone,
  napiDisable,
  napiEnable,
  napiIfScheduledMarkMissed,
  napiIsScheduled,
  napiSchedule,
  napiSchedulePrep,
} from '../src/index.ts'
import { rules, settle, Source, started, withPoller } from './source.ts'

describe('scheduling', () => {
  it('NAPI-12 polls once for an interrupt, with the source masked until it is empty', () => {
    const { source } = started()
    const maskedInPoll: boolean[] = []
    source.onPoll = () => maskedInPoll.push(source.masked)
    source.arrive(3)
    expect(source.polls).toEqual([3])
    expect(maskedInPoll).toEqual([true])
    expect(source.masked).toBe(false)
    expect([source.interrupts, source.strayInterrupts]).toEqual([1, 0])
  })

  it('NAPI-12 what arrives while the source is polled raises no interrupt', () => {
    const { source } = started()
    let more = 5
    source.onPoll = () => more-- > 0 && source.arrive(64)
    source.arrive(64)
    expect(source.handled).toBe(64 * 6)
    expect(source.interrupts).toBe(1)
  })

  it('NAPI-01 a new instance is neither polled nor scheduled before it is enabled', () => {
    const kernel = createKernel()
    const source = new Source(kernel)
    expect(source.napi.enabled).toBe(false)
    expect(napiSchedule(source.napi)).toBe(false)
    settle(kernel)
    expect(source.polls).toEqual([])
  })

  it('NAPI-01 a disabled instance is neither polled nor scheduled', () => {
    const { kernel, source } = started()
    napiDisable(source.napi)
    expect(napiSchedulePrep(source.napi)).toBe(false)
    source.arrive(2)
    settle(kernel)
    expect(source.polls).toEqual([])
  })

  it('NAPI-01 reports __napiSchedule on a disabled instance', () => {
    const kernel = createKernel({ strict: false, checks: true })
    const source = new Source(kernel)
    __napiSchedule(source.napi)
    settle(kernel)
    expect(rules(kernel)).toEqual(['NAPI-01'])
    expect(source.polls).toEqual([])
  })

  it('NAPI-10 a schedule inside a poll leads to exactly one more poll', () => {
    const { kernel, source } = started()
    let first = true
    source.onPoll = () => {
      if (first) for (let i = 0; i < 3; i++) expect(napiSchedule(source.napi)).toBe(false)
      first = false
    }
    source.arrive(1)
    settle(kernel)
    expect(source.polls).toEqual([1, 0])
    expect(source.napi.stats.missed).toBe(3)
  })

  it('NAPI-10 NAPI-11 complete says no when a schedule was missed, and the interrupt stays masked', () => {
    const answers: boolean[] = []
    const { kernel, napi } = withPoller((n) => {
      if (answers.length === 0) napiSchedule(n)
      answers.push(napiCompleteDone(n, 0))
      return 0
    })
    localBhDisable(kernel)
    napiSchedule(napi)
    localBhEnable(kernel)
    expect(answers).toEqual([false, true])
  })

  it('NAPI-10 markMissed asks for one more poll only while owned', () => {
    const { kernel, source } = started()
    expect(napiIfScheduledMarkMissed(source.napi)).toBe(false)
    localBhDisable(kernel)
    napiSchedule(source.napi)
    expect(napiIfScheduledMarkMissed(source.napi)).toBe(true)
    localBhEnable(kernel)
    expect(source.polls).toEqual([0, 0])
  })

  it('NAPI-12 reports __napiSchedule without napiSchedulePrep, and twice', () => {
    const kernel = createKernel({ strict: false, checks: true })
    const source = new Source(kernel)
    napiEnable(source.napi)
    __napiSchedule(source.napi)
    expect(rules(kernel)).toEqual(['NAPI-12'])
    localBhDisable(kernel)
    napiSchedule(source.napi)
    __napiSchedule(source.napi)
    localBhEnable(kernel)
    expect(rules(kernel)).toEqual(['NAPI-12', 'NAPI-12'])
    expect(source.polls).toEqual([0])
  })

  it('NAPI-21 reports an instance whose memory was written over after adding, as snull did', () => {
    const kernel = createKernel({ strict: false, checks: true })
    const source = new Source(kernel)
    source.napi.state = 0
    napiEnable(source.napi)
    napiSchedule(source.napi)
    expect(rules(kernel)).toEqual(['NAPI-21', 'NAPI-21'])
    settle(kernel)
    expect(source.polls).toEqual([])
  })

  it('the owner may complete without a poll: none follows', () => {
    const { kernel, source } = started()
    localBhDisable(kernel)
    napiSchedule(source.napi)
    expect(napiCompleteDone(source.napi, 0)).toBe(true)
    localBhEnable(kernel)
    expect(source.polls).toEqual([])
    localBhDisable(kernel)
    napiSchedule(source.napi)
    napiCompleteDone(source.napi, 0)
    expect(napiSchedule(source.napi)).toBe(true)
    localBhEnable(kernel)
    expect(source.polls).toEqual([0])
  })

  it('is polled soon also when scheduled from plain process context', () => {
    const { kernel, source } = started()
    expect(napiSchedule(source.napi)).toBe(true)
    expect(napiIsScheduled(source.napi)).toBe(true)
    settle(kernel)
    expect(source.polls).toEqual([0])
    expect(napiIsScheduled(source.napi)).toBe(false)
  })
})
