import { Rng } from '@vnet/kernel'
import { dissect } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { FilterError, parseFilter } from '../../src/tcpdump/index.ts'
import type { FilterTest } from '../../src/tcpdump/index.ts'
import recorded from './fixtures/filters.json' with { type: 'json' }
import { FRAMES } from './frames.ts'

function matches(test: FilterTest): number[] {
  return FRAMES.flatMap((bytes, i) => {
    const wanted = test({ bytes, length: bytes.length, info: dissect(bytes), outgoing: i % 2 === 0 })
    return wanted ? [i + 1] : []
  })
}

function answer(expression: string): number[] | string {
  try {
    return matches(parseFilter(expression))
  } catch (error) {
    if (error instanceof FilterError) return `tcpdump: ${error.message}`
    throw error
  }
}

describe('a filter expression chooses what tcpdump 4.99 chooses', () => {
  it.each(Object.entries(recorded))('%s', (expression, expected) => {
    expect(answer(expression)).toEqual(expected)
  })

  it('knows the direction', () => {
    expect(answer('inbound and not icmp6 and greater 60 and host 10.0.0.2')).toEqual([4, 22, 24])
    expect(answer('outbound and arp')).toEqual([1])
  })

  it('of nothing takes everything', () => {
    expect(matches(parseFilter(' '))).toHaveLength(FRAMES.length)
  })

  it('never throws anything but FilterError: 20,000 random ones', () => {
    const rng = new Rng(4)
    const words =
      'host net port portrange proto src dst and or not ( ) ip ip6 arp tcp udp icmp vlan ether 10.0.0.1 80 1-5 10/8 fe80::1 02:00:00:00:00:01 [ ] : & | = != < len + - * / % << tcp[13] 5 \\tcp less greater broadcast multicast mask ! && ||'.split(
        ' ',
      )
    let good = 0
    for (let i = 0; i < 20_000; i++) {
      const text = Array.from({ length: 1 + rng.below(6) }, () => words[rng.below(words.length)]!).join(' ')
      if (typeof answer(text) !== 'string') good++
    }
    expect(good).toBeGreaterThan(500)
  })

  it('survives frames of random bytes', () => {
    const rng = new Rng(8)
    const tests = Object.keys(recorded).flatMap((text) => {
      try {
        return [parseFilter(text)]
      } catch {
        return []
      }
    })
    for (let i = 0; i < 500; i++) {
      const bytes = new Uint8Array(rng.below(80)).map(() => rng.below(256))
      if (bytes.length > 14) bytes.set([8, [0, 6][rng.below(2)]!], 12)
      const packet = { bytes, length: bytes.length, info: dissect(bytes), outgoing: false }
      for (const test of tests) expect(typeof test(packet)).toBe('boolean')
    }
  })
})
