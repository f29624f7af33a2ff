import { soakEpisode, testDriver, testRaces, type DriverSpec } from '@vnet/conformance'
import {
  circCnt,
  circCntToEnd,
  circSpace,
  circSpaceToEnd,
  DescRing,
  descRingLayout,
  PtrRing,
} from '@vnet/core-ring'
import { describe, expect, it } from 'vitest'
import { createCard, createVnet, destroyVnet } from '../src/index.ts'

export const vnetSpec: DriverSpec = {
  name: 'vnet',
  create(kernel, cable, { txRing, rxRing, queues }) {
    const card = createCard(kernel, { backend: cable, ...(queues !== undefined && { queues }) })
    const dev = createVnet(kernel, {
      hw: card,
      ...(txRing !== undefined && { txRing }),
      ...(rxRing !== undefined && { rxRing }),
      maxMtu: 9000,
    })
    return {
      dev,
      card: {
        slow: (ns) => card.slow(ns),
        hang: () => card.hang(),
        recover: () => card.recover(),
        doorbells: () => card.counters.doorbells,
        interrupts: () => card.counters.interrupts,
        // The pools come with the first open.
        failAlloc: (fail) => {
          for (const { pool } of dev.priv.queues as readonly { pool?: { fail: typeof fail } }[])
            if (pool !== undefined) pool.fail = fail
        },
      },
      destroy() {
        destroyVnet(dev)
        card.destroy()
      },
    }
  },
  supports: {
    txRing: true, rxRing: true, completion: true, napi: true, bql: true, watchdog: true, carrier: true, padding: true,
    rxFilter: true, ringparam: true, coalesce: true, queues: true, ethtoolStats: true, xmitMore: true, maxMtu: 9000,
  }, // prettier-ignore
  rings: {
    desc: (size) => new DescRing(descRingLayout(size, 4)),
    fifo: <T>(size: number) => new PtrRing<T>(size),
    circ: { cnt: circCnt, space: circSpace, cntToEnd: circCntToEnd, spaceToEnd: circSpaceToEnd },
  },
}

testDriver({ describe, it }, vnetSpec)
testRaces({ describe, it }, vnetSpec)

describe('soak', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('lives through 200 random operations under traffic, seed %i', (seed) => {
    expect(soakEpisode(vnetSpec, seed).failure).toBeNull()
  })
})
