import { soakEpisode, testDriver, testRaces, type DriverSpec } from '@vnet/conformance'
import { freeNetdev, unregisterNetdev } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { FifoCard } from '../src/fifo-card.ts'
import { createFifo } from '../src/fifo-driver.ts'

const fifoSpec: DriverSpec = {
  name: 'fifo',
  create(kernel, cable, { txRing, rxRing }) {
    const card = new FifoCard(kernel, cable, txRing ?? rxRing ?? 256)
    const dev = createFifo(kernel, card)
    return {
      dev,
      destroy() {
        unregisterNetdev(dev)
        freeNetdev(dev)
        card.destroy()
      },
    }
  },
  supports: { txRing: true, rxRing: true, completion: true, napi: true, bql: true, padding: true },
}

testDriver({ describe, it }, fifoSpec)
testRaces({ describe, it }, fifoSpec)

describe('soak', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('lives through 200 random operations under traffic, seed %i', (seed) => {
    expect(soakEpisode(fifoSpec, seed).failure).toBeNull()
  })
})
