import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bitNames, ethnlUpdateBitset } from '../src/index.ts'
import { parts, refused } from './helpers.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

describe('changes of named bits', () => {
  it('agree with a set of names', () => {
    const bit = fc.record({ name: fc.constantFrom(...NAMES), value: fc.boolean() })
    fc.assert(
      fc.property(fc.nat(255), fc.array(bit), fc.boolean(), (start, bits, nomask) => {
        const model = new Set(nomask ? [] : NAMES.filter((_, i) => (start >> i) & 1))
        for (const { name, value } of bits) {
          if (value || nomask) model.add(name)
          else model.delete(name)
        }
        const result = ethnlUpdateBitset(BigInt(start), NAMES, { bits, nomask }, 'x')
        expect(bitNames(result, NAMES)).toEqual(NAMES.filter((name) => model.has(name)))
      }),
    )
  })

  it('change only the bits of the mask', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), fc.nat(255), (start, value, mask) => {
        const [s, v, m] = [BigInt(start), BigInt(value), BigInt(mask)]
        const result = ethnlUpdateBitset(s, NAMES, { value: v, mask: m }, 'x')
        expect([result & ~m, result & m]).toEqual([s & ~m, v & m])
        expect(ethnlUpdateBitset(s, NAMES, { value: v }, 'x')).toBe(v)
      }),
    )
  })

  it('ETH-04 name what is wrong', () => {
    const change = {
      bits: [
        { name: 'a', value: true },
        { name: 'nosuch', value: true },
      ],
    }
    expect(parts(refused(() => ethnlUpdateBitset(0n, NAMES, change, 'msgmask')))).toEqual([
      'EOPNOTSUPP',
      'bit name not found',
      'msgmask/bits/1/name',
    ])
    const past = 'cannot modify bits past kernel bitset size'
    expect(parts(refused(() => ethnlUpdateBitset(0n, NAMES, { value: 256n }, 'x')))).toEqual([
      'EINVAL',
      past,
      'x/value',
    ])
    expect(parts(refused(() => ethnlUpdateBitset(0n, NAMES, { value: 0n, mask: 256n }, 'x')))).toEqual([
      'EINVAL',
      past,
      'x/mask',
    ])
  })

  it('call a bit without a name by its number', () => {
    expect(bitNames(0b1001n, ['a', null])).toEqual(['a', 'bit3'])
  })
})
