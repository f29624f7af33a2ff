import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { vsprintf } from '../src/vsprintf.ts'

describe('vsprintf', () => {
  const cases: readonly (readonly [string, readonly (string | number)[], string])[] = [
    [
      'vnet: TX %s proto=0x%04x src=%pM dst=%pM len=%u\n',
      ['vnet0', 0x806, '02:00:00:00:00:01', 'ff:ff:ff:ff:ff:ff', 42],
      'vnet: TX vnet0 proto=0x0806 src=02:00:00:00:00:01 dst=ff:ff:ff:ff:ff:ff len=42\n',
    ],
    ['%d%%', [50], '50%'],
    ['[%5d][%-5d][%05d]', [-42, 42, -42], '[  -42][42   ][-0042]'],
    ['%u %x %#x %X %o', [-1, 255, 255, 255, 8], '4294967295 ff 0xff FF 10'],
    ['%lu %llx %zu %hhu', [1, 2, 3, 4], '1 2 3 4'],
    ['%.3s|%8s|%-8s|', ['abcdef', 'x', 'y'], 'abc|       x|y       |'],
    ['%c%c', [65, 'b'], 'Ab'],
    ['%pI4 port %u', ['10.0.0.1', 80], '10.0.0.1 port 80'],
    ['%+d %d', [5, 6], '+5 6'],
    ['%s %s', ['one'], 'one %s'],
    ['%s', [3], '3'],
  ]
  for (const [format, args, text] of cases) {
    it(`${JSON.stringify(format)} gives ${JSON.stringify(text)}`, () => {
      expect(vsprintf(format, args)).toBe(text)
    })
  }

  it('never throws, whatever the format', () => {
    const args = fc.array(fc.oneof(fc.integer(), fc.string()), { maxLength: 4 })
    fc.assert(fc.property(fc.string(), args, (f, a) => typeof vsprintf(f, a) === 'string'))
  })
})
