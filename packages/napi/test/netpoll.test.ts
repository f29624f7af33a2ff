import { createKernel, localBhDisable, localBhEnable } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { napiBusyLoop, napiComplete, napiEnable, napiSchedule, pollOneNapi } from '../src/index.ts'
import { rules, settle, Source, started, withPoller } from './source.ts'

describe('polling with budget 0', () => {
  it('NAPI-04 receives nothing, and an instance that was owned still is', () => {
    const { kernel, source } = started()
    localBhDisable(kernel)
    source.arrive(3)
    pollOneNapi(source.napi)
    expect([source.polls, source.backlog]).toEqual([[0], 3])
    localBhEnable(kernel)
    settle(kernel)
    expect(source.handled).toBe(3)
  })

  it('NAPI-04 reports a poll that completes', () => {
    const { kernel, napi } = withPoller((n) => (napiComplete(n), 0))
    pollOneNapi(napi)
    expect(rules(kernel)).toEqual(['NAPI-04'])
  })

  it('NAPI-04 reports a poll that receives', () => {
    const { kernel, napi } = withPoller(() => 1)
    pollOneNapi(napi)
    expect(rules(kernel)).toEqual(['NAPI-04'])
  })

  it('leaves a disabled instance alone', () => {
    const kernel = createKernel()
    const source = new Source(kernel)
    pollOneNapi(source.napi)
    expect(source.polls).toEqual([])
  })

  it('leaves an instance alone that is being polled', () => {
    const { source } = started()
    source.onPoll = () => pollOneNapi(source.napi)
    source.arrive(1)
    expect(source.polls).toEqual([1])
  })

  it('NAPI-14 polls nobody asked for, and schedules without a poll of their own, do no harm', () => {
    const kernel = createKernel({ seed: 7 })
    const source = new Source(kernel)
    napiEnable(source.napi)
    for (let i = 0; i < 2000; i++) {
      switch (kernel.rng.below(5)) {
        case 0:
          pollOneNapi(source.napi)
          break
        case 1:
          napiBusyLoop(source.napi, () => true)
          break
        case 2:
          napiSchedule(source.napi)
          break
        case 3:
          kernel.step()
          break
        default:
          source.arrive(kernel.rng.below(100))
      }
    }
    settle(kernel)
    expect(source.handled).toBe(source.arrived)
    expect(source.masked).toBe(false)
    expect(kernel.violations).toEqual([])
  })
})
