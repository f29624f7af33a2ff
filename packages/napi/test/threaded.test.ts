import { scheduleWork, workSetup } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { devSetThreaded, napiDisable, napiEnable, napiStateNames, netifNapiDel } from '../src/index.ts'
import { settle, Source, started } from './source.ts'

function threaded() {
  const env = started()
  devSetThreaded(env.source.napi, true)
  return env
}

const names = (env: ReturnType<typeof started>) => env.kernel.kthreads.map((t) => t.name)

describe('threaded polling', () => {
  it('COAL-08 each instance has a thread named after owner and id', () => {
    const env = started()
    const other = new Source(env.kernel, 'eth1')
    devSetThreaded([env.source.napi, other.napi], true)
    expect(names(env)).toEqual(['napi/src0-8193', 'napi/eth1-8194'])
    devSetThreaded(other.napi, true)
    expect(names(env)).toHaveLength(2)
    devSetThreaded(env.source.napi, false)
    expect(names(env)).toEqual(['napi/eth1-8194'])
  })

  it('COAL-08 the thread belongs to the module of the instance', () => {
    const env = started()
    env.kernel.currentModule = 'mod'
    const source = new Source(env.kernel, 'm0')
    env.kernel.currentModule = null
    devSetThreaded(source.napi, true)
    expect(env.kernel.census.take()).toContainEqual({ kind: 'kthread', name: 'napi/m0-8194', module: 'mod' })
  })

  it('COAL-08 others run between two polls of a flooded instance', () => {
    const { kernel, source } = threaded()
    const seen: number[] = []
    const work = workSetup(kernel, () => seen.push(source.polls.length), 'test')
    source.onPoll = () => scheduleWork(work)
    source.arrive(64 * 4)
    settle(kernel)
    expect(source.polls).toEqual([64, 64, 64, 64, 0])
    expect(seen).toEqual([1, 2, 3, 4, 5])
  })

  it('COAL-08 the softirq does not touch it', () => {
    const { kernel, source } = threaded()
    source.arrive(1)
    expect(source.polls).toEqual([])
    expect(napiStateNames(source.napi.state)).toBe('SCHED|LISTED|THREADED|SCHED_THREADED')
    settle(kernel)
    expect(source.polls).toEqual([1])
    expect(napiStateNames(source.napi.state)).toBe('LISTED|THREADED')
  })

  it('COAL-08 switching under load, both ways, loses nothing', () => {
    const { kernel, source } = started()
    for (let i = 0; i < 40; i++) {
      source.arrive(100)
      if (i % 3 !== 0) kernel.step()
      devSetThreaded(source.napi, i % 2 === 0)
    }
    settle(kernel)
    expect(source.handled).toBe(4000)
    expect(kernel.violations).toEqual([])
  })

  it('COAL-08 what the thread had not finished goes to the softirq', () => {
    const { kernel, source } = threaded()
    source.arrive(1)
    devSetThreaded(source.napi, false)
    expect(source.polls).toEqual([1])
    expect(kernel.kthreads).toEqual([])
  })

  it('COAL-08 disabling waits for the thread, enabling gives the instance back to it', () => {
    const { kernel, source } = threaded()
    source.arrive(70)
    napiDisable(source.napi)
    expect(source.polls).toEqual([64])
    settle(kernel)
    expect(source.polls).toEqual([64])
    napiEnable(source.napi)
    source.masked = false
    source.arrive(1)
    expect(source.polls).toEqual([64])
    settle(kernel)
    expect(source.polls).toEqual([64, 7])
  })

  it('COAL-08 deferral works with a thread as well', () => {
    const { kernel, source } = threaded()
    source.napi.deferHardIrqs = 2
    source.napi.groFlushTimeout = 1000
    source.arrive(1)
    kernel.runFor(10_000)
    expect(source.polls).toEqual([1, 0, 0])
    expect(source.masked).toBe(false)
  })

  it('the thread ends with the instance', () => {
    const env = threaded()
    napiDisable(env.source.napi)
    netifNapiDel(env.source.napi)
    expect(names(env)).toEqual([])
  })
})
