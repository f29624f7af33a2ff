import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Errno } from '../src/errno.ts'
import { kstrtobool, kstrtoint, parameq, parseModuleParam, splitModuleArgs } from '../src/module-param.ts'
import type { ModuleParam } from '../src/module-param.ts'

const code = (fn: () => unknown): unknown => {
  try {
    return fn()
  } catch (error) {
    return (error as Errno).code
  }
}

describe('splitModuleArgs', () => {
  const table: readonly (readonly [string, readonly (readonly [string, string | undefined])[]])[] = [
    [
      'a=1 b=2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      '  a=1\tb ',
      [
        ['a', '1'],
        ['b', undefined],
      ],
    ],
    [
      'a="x y" b=1',
      [
        ['a', 'x y'],
        ['b', '1'],
      ],
    ],
    [
      '"a=x y" b',
      [
        ['a', 'x y'],
        ['b', undefined],
      ],
    ],
    ['a=', [['a', '']]],
    ['a=b=c', [['a', 'b=c']]],
    ['=x', [['=x', undefined]]],
    ['', []],
  ]
  for (const [line, args] of table) {
    it(`${JSON.stringify(line)} gives ${args.length}`, () => {
      expect(splitModuleArgs(line)).toEqual(args.map(([name, value]) => ({ name, value })))
    })
  }
})

describe('numbers', () => {
  const table: readonly (readonly [string, number | string])[] = [
    ['0', 0],
    ['64', 64],
    ['+7', 7],
    ['-7', -7],
    ['0x1F', 31],
    ['010', 8],
    ['12\n', 12],
    ['-0', 0],
    ['2147483647', 2147483647],
    ['-2147483648', -2147483648],
    ['2147483648', 'ERANGE'],
    ['0x100000000', 'ERANGE'],
    ['', 'EINVAL'],
    [' 1', 'EINVAL'],
    ['1 ', 'EINVAL'],
    ['08', 'EINVAL'],
    ['0x', 'EINVAL'],
    ['1.5', 'EINVAL'],
    ['1e3', 'EINVAL'],
    ['--1', 'EINVAL'],
  ]
  for (const [text, value] of table) {
    it(`int ${JSON.stringify(text)} is ${value}`, () => {
      expect(code(() => kstrtoint(text, -0x80000000, 0x7fffffff))).toBe(value)
    })
  }

  it('an unsigned number takes no minus', () => {
    const uint: ModuleParam = { type: 'uint', default: 0, description: '' }
    expect(code(() => parseModuleParam(uint, '-1'))).toBe('EINVAL')
    expect(parseModuleParam(uint, '4294967295')).toBe(4294967295)
    expect(code(() => parseModuleParam(uint, '4294967296'))).toBe('ERANGE')
  })

  it('a ulong goes as far as a number is exact', () => {
    const ulong: ModuleParam = { type: 'ulong', default: 0, description: '' }
    expect(parseModuleParam(ulong, '0x1fffffffffffff')).toBe(Number.MAX_SAFE_INTEGER)
    expect(code(() => parseModuleParam(ulong, '9007199254740992'))).toBe('ERANGE')
  })

  it('every int round-trips in every base', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fffffff }), (n) => {
        for (const text of [String(n), `0x${n.toString(16)}`, `0${n.toString(8)}`]) {
          expect(kstrtoint(text, 0, 0x7fffffff)).toBe(n)
        }
      }),
    )
  })
})

describe('truth values', () => {
  for (const text of ['y', 'Y', 'yes', '1', 't', 'true', 'on', 'On']) {
    it(`${text} is on`, () => expect(kstrtobool(text)).toBe(true))
  }
  for (const text of ['n', 'N', 'no', '0', 'f', 'false', 'off', 'oF']) {
    it(`${text} is off`, () => expect(kstrtobool(text)).toBe(false))
  }
  for (const text of ['', 'o', '2', 'maybe']) {
    it(`${JSON.stringify(text)} is neither`, () => expect(code(() => kstrtobool(text))).toBe('EINVAL'))
  }
  it('without a value it is on', () => {
    expect(parseModuleParam({ type: 'bool', default: false, description: '' }, undefined)).toBe(true)
  })
})

describe('names', () => {
  it('take - for _', () => {
    expect(parameq('tx-ring', 'tx_ring')).toBe(true)
    expect(parameq('tx_ring', 'rx_ring')).toBe(false)
  })
})
