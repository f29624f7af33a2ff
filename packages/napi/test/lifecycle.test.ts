import { createKernel, localBhDisable, localBhEnable } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  devSetThreaded,
  MIN_NAPI_ID,
  napiBusyLoop,
  napiById,
  napiComplete,
  napiDisable,
  napiEnable,
  napiList,
  napiSchedule,
  napiSchedulePrep,
  netdevSetDeferHardIrqs,
  netdevSetGroFlushTimeout,
  netifNapiAdd,
  netifNapiDel,
  softnet,
} from '../src/index.ts'
import { napiStateNames } from '../src/state.ts'
import { rules, settle, Source, started, withPoller } from './source.ts'

const lenient = { strict: false, checks: true }
const idle = () => 0

describe('adding and deleting', () => {
  it('NAPI-16 the weight is 64, or what is asked for below that', () => {
    const kernel = createKernel(lenient)
    const owner = { kernel, name: 'x0', ifindex: 1 }
    expect(netifNapiAdd(owner, idle).weight).toBe(64)
    expect(netifNapiAdd(owner, idle, { weight: 1 }).weight).toBe(1)
    expect(rules(kernel)).toEqual([])
    for (const weight of [65, 0, -1, 1.5, NaN]) expect(netifNapiAdd(owner, idle, { weight }).weight).toBe(64)
    expect(rules(kernel)).toEqual(new Array(5).fill('NAPI-16'))
  })

  it('gives ids that are unique in their kernel, and two kernels do not know of each other', () => {
    const kernel = createKernel()
    const a = new Source(kernel, 'a')
    const b = new Source(kernel, 'b')
    expect([a.napi.napiId, b.napi.napiId]).toEqual([MIN_NAPI_ID, MIN_NAPI_ID + 1])
    expect(napiById(kernel, b.napi.napiId)).toBe(b.napi)
    expect(napiList(a)).toEqual([a.napi])
    const other = createKernel()
    expect(softnet(other).napis).toEqual([])
    expect(new Source(other).napi.napiId).toBe(MIN_NAPI_ID)
  })

  it('shows in the census until it is deleted', () => {
    const kernel = createKernel()
    const source = new Source(kernel)
    const alive = () => kernel.census.take().filter((e) => e.kind === 'napi')
    expect(alive()).toEqual([{ kind: 'napi', name: 'src0 napi 8193', module: null }])
    netifNapiDel(source.napi)
    expect(alive()).toEqual([])
  })

  it('NAPI-19 the owner holds a handle to each, and can delete those left over', () => {
    const kernel = createKernel()
    const source = new Source(kernel)
    expect([...source.attached]).toEqual([source.napi])
    for (const handle of [...source.attached]) handle.del()
    expect(source.attached.size).toBe(0)
    expect(softnet(kernel).napis).toEqual([])
    netifNapiDel(source.napi)
    expect(rules(kernel)).toEqual([])
  })

  it('NAPI-19 reports deleting an enabled instance, and it is never polled again', () => {
    const { kernel, source } = started(lenient)
    localBhDisable(kernel)
    napiSchedule(source.napi)
    localBhEnableWithout(kernel, () => netifNapiDel(source.napi))
    expect(rules(kernel)).toEqual(['CTX-02', 'NAPI-19'])
    settle(kernel)
    expect(source.polls).toEqual([])
  })

  it('NAPI-21 reports enabling what was deleted', () => {
    const { kernel, source } = started(lenient)
    napiDisable(source.napi)
    netifNapiDel(source.napi)
    napiEnable(source.napi)
    expect(rules(kernel)).toEqual(['NAPI-21'])
    expect(source.napi.enabled).toBe(false)
  })

  it('NAPI-21 reports the same index added twice', () => {
    const kernel = createKernel(lenient)
    const owner = { kernel, name: 'x0', ifindex: 1 }
    netifNapiAdd(owner, idle, { index: 3 })
    netifNapiAdd(owner, idle, { index: 4 })
    expect(rules(kernel)).toEqual([])
    netifNapiAdd(owner, idle, { index: 3 })
    expect(rules(kernel)).toEqual(['NAPI-21'])
  })

  it('NAPI-20 with an index, settings and id survive deleting and adding again', () => {
    const kernel = createKernel()
    const owner = { kernel, name: 'x0', ifindex: 1 }
    const before = netifNapiAdd(owner, idle, { index: 2 })
    napiEnable(before)
    Object.assign(before, { deferHardIrqs: 3, groFlushTimeout: 20_000, irqSuspendTimeout: 7 })
    devSetThreaded(before, true)
    napiDisable(before)
    netifNapiDel(before)
    const fresh = netifNapiAdd(owner, idle)
    expect(fresh).toMatchObject({
      deferHardIrqs: 0,
      groFlushTimeout: 0,
      irqSuspendTimeout: 0,
      threaded: false,
    })
    const after = netifNapiAdd(owner, idle, { index: 2 })
    expect(after).toMatchObject({
      napiId: before.napiId,
      deferHardIrqs: 3,
      groFlushTimeout: 20_000,
      irqSuspendTimeout: 7,
      threaded: true,
    })
    expect(kernel.kthreads.map((t) => t.name)).toEqual([`napi/x0-${before.napiId}`])
  })

  it('NAPI-20 settings for all reach living, deleted and new instances of that owner only', () => {
    const kernel = createKernel()
    const owner = { kernel, name: 'x0', ifindex: 1 }
    const other = netifNapiAdd({ kernel, name: 'y0', ifindex: 2 }, idle)
    const living = netifNapiAdd(owner, idle)
    netifNapiDel(netifNapiAdd(owner, idle, { index: 0 }))
    netdevSetDeferHardIrqs(owner, 5)
    netdevSetGroFlushTimeout(owner, 1000)
    for (const n of [living, netifNapiAdd(owner, idle, { index: 0 }), netifNapiAdd(owner, idle)]) {
      expect([n.deferHardIrqs, n.groFlushTimeout]).toEqual([5, 1000])
    }
    expect([other.deferHardIrqs, other.groFlushTimeout]).toEqual([0, 0])
  })
})

describe('enabling and disabling', () => {
  it('NAPI-15 reports enabling twice and disabling twice in a row', () => {
    const { kernel, source } = started(lenient)
    napiEnable(source.napi)
    expect(rules(kernel)).toEqual(['NAPI-15'])
    napiDisable(source.napi)
    expect(rules(kernel)).toEqual(['NAPI-15'])
    napiDisable(source.napi)
    expect(rules(kernel)).toEqual(['NAPI-15', 'NAPI-15'])
  })

  it('NAPI-15 disabling waits for a poll that is due, and none comes after', () => {
    const { kernel, source } = started()
    napiSchedule(source.napi)
    source.backlog = 10
    napiDisable(source.napi)
    expect(source.polls).toEqual([10])
    source.arrive(5)
    settle(kernel)
    expect(source.polls).toEqual([10])
    expect(napiStateNames(source.napi.state)).toBe('SCHED|MISSED|NPSVC|LISTED')
  })

  it('NAPI-15 disabling under a flood ends after the poll in progress; what is left waits', () => {
    const { source } = started()
    napiSchedule(source.napi)
    source.backlog = 1e6
    napiDisable(source.napi)
    expect(source.polls).toEqual([64])
  })

  it('NAPI-15 reports disabling from inside its own poll', () => {
    const { kernel, source } = withPoller((n) => (napiDisable(n), napiComplete(n), 0))
    source.arrive(1)
    settle(kernel)
    expect(rules(kernel)).toContain('NAPI-15')
    expect(kernel.violations[0]!.message).toContain('inside its own poll')
  })

  it('NAPI-15 reports disabling from inside a busy loop', () => {
    const { kernel, source } = started(lenient)
    napiBusyLoop(source.napi, () => (napiDisable(source.napi), true))
    expect(rules(kernel)[0]).toBe('NAPI-15')
  })

  it('NAPI-15 reports an owner that took the instance and never gave it back', () => {
    const { kernel, source } = started(lenient)
    napiSchedulePrep(source.napi)
    napiDisable(source.napi)
    expect(rules(kernel)).toEqual(['NAPI-15'])
    expect(source.napi.enabled).toBe(false)
  })

  it('CTX-02 disabling may sleep, so not in a softirq', () => {
    const { kernel, source } = started(lenient)
    localBhDisable(kernel)
    napiDisable(source.napi)
    localBhEnable(kernel)
    expect(rules(kernel)).toEqual(['CTX-02'])
  })

  it('STOP-01 a disabled instance leaves no timer behind', () => {
    const { kernel, source } = started()
    source.napi.deferHardIrqs = 2
    source.napi.groFlushTimeout = 1000
    source.arrive(1)
    expect(kernel.census.take().map((e) => e.kind)).toContain('hrtimer')
    napiDisable(source.napi)
    expect(kernel.census.take().map((e) => e.kind)).not.toContain('hrtimer')
  })

  it('survives a thousand rounds of up and down under traffic', () => {
    const { kernel, source } = started()
    for (let i = 0; i < 1000; i++) {
      source.arrive(i % 130)
      napiDisable(source.napi)
      source.arrive(3)
      napiEnable(source.napi)
      source.masked = false
      source.arrive(1)
    }
    settle(kernel)
    expect(source.handled).toBe(source.arrived)
    expect(kernel.violations).toEqual([])
  })
})

function localBhEnableWithout(kernel: Parameters<typeof localBhEnable>[0], fn: () => void): void {
  fn()
  localBhEnable(kernel)
}
