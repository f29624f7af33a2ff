import * as nd from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { RefDriver, drawEpisode, refSpec, replaySoak, soakEpisode } from '../src/index.ts'

describe('soak', () => {
  it('draws the same operations for the same seed', () => {
    expect(drawEpisode(refSpec(), 3)).toEqual(drawEpisode(refSpec(), 3))
    expect(drawEpisode(refSpec(), 3)).not.toEqual(drawEpisode(refSpec(), 4))
  })

  it.each([1, 2, 3, 4, 5, 6])('finds nothing wrong with the reference driver, seed %i', (seed) => {
    const { failure, sent, received } = soakEpisode(refSpec(), seed)
    expect(failure).toBeNull()
    expect(sent).toBeGreaterThan(50)
    expect(received).toBeGreaterThan(50)
  })

  it('shrinks a failure to the operations that matter, and replays it', () => {
    const spec = refSpec(
      'leaky',
      class extends RefDriver {
        override changeMtu(mtu: number): void {
          super.changeMtu(mtu)
          if (mtu < 1500) nd.netdevAllocSkb(this.dev, 64)
        }
      },
    )
    let seed = 1
    let { failure } = soakEpisode(spec, seed)
    while (failure === null && seed < 20) failure = soakEpisode(spec, ++seed).failure
    expect(failure).toMatchObject({ rule: 'SKB-06' })
    expect(failure!.ops.map(({ op }) => op).filter((op) => op !== 'up')).toEqual(['mtu'])
    expect(replaySoak(spec, seed, failure!.ops).wrong).toMatchObject({ rule: 'SKB-06' })
  })
})
