import { describe, expect, it } from 'vitest'
import { RequestLayout } from '../../src/cli/layout.ts'

describe('offsets in a request', () => {
  it('begin behind the headers and the device name, which is padded to four bytes', () => {
    for (const [name, first] of [
      ['eth0', 36],
      ['vnet0', 36],
      ['veth100', 36],
      ['veth1000', 40],
    ] as const) {
      const layout = new RequestLayout(name)
      layout.put('rx', 4)
      layout.put('tx', 4)
      expect([layout.offset('header/dev-name'), layout.offset('rx'), layout.offset('tx')]).toEqual([
        24,
        first,
        first + 8,
      ])
    }
  })

  it('count the nests of a bit', () => {
    const layout = new RequestLayout('vnet0', true)
    layout.putBits('wanted', [
      { name: 'nosuchfeature', value: true },
      { name: 'gro', value: false },
      { name: 'x', value: true },
    ])
    expect(layout.offset('wanted/bits/0/name')).toBe(56)
    // 4 + 16 for the name, 4 for the flag that says "on", 4 for the next nest
    expect(layout.offset('wanted/bits/1/name')).toBe(56 + 20 + 4 + 4)
    expect(layout.offset('wanted/bits/2/name')).toBe(84 + 8 + 4)
    expect(layout.offset('wanted/bits/3/name')).toBeUndefined()
  })
})
