import { createKernel, localBhDisable, localBhEnable } from '@vnet/kernel'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { napiCompleteDone, napiEnable, napiSchedule, netifNapiAdd } from '../src/index.ts'

describe('the steady path', () => {
  it('schedule, poll, complete allocate nothing', () => {
    setFlagsFromString('--expose-gc')
    // V8 leaves out an object that does not outlive a call, often but not always: the code may not depend on it.
    setFlagsFromString('--no-turbo-escape')
    const gc = runInNewContext('gc') as () => void
    const kernel = createKernel()
    const owner = { kernel, name: 'x0', ifindex: 1 }
    const napi = netifNapiAdd(owner, (n, budget) => {
      napiCompleteDone(n, budget - 1)
      return budget - 1
    })
    napiEnable(napi)
    const rounds = (n: number) => {
      for (let i = 0; i < n; i++) {
        localBhDisable(kernel)
        napiSchedule(napi)
        localBhEnable(kernel)
      }
    }
    rounds(20_000)
    gc()
    const before = process.memoryUsage().heapUsed
    rounds(100_000)
    const perRound = (process.memoryUsage().heapUsed - before) / 100_000
    expect(napi.stats.polls).toBe(120_000)
    // An object of one field is 16 bytes or more.
    expect(perRound).toBeLessThan(8)
  })
})
