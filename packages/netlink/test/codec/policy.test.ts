import { describe, expect, it } from 'vitest'
import { blameAttr, MAX_NEST_DEPTH, NetlinkError, nlaParse, nlaPolicy, NlWriter } from '../../src/index.ts'
import type { NlaCheck } from '../../src/index.ts'
import { Errno } from '@vnet/kernel'

const inner = nlaPolicy({ 1: { name: 'x', kind: 'u32' } })
const policy = nlaPolicy({
  1: { name: 'byte', kind: 'u8', max: 7 },
  2: { name: 'word', kind: 'u32', mask: 3 },
  3: { name: 'name', kind: 'nul-string', maxLength: 4 },
  4: { name: 'bytes', kind: 'binary', minLength: 2, maxLength: 4 },
  5: { name: 'flag', kind: 'flag' },
  6: { name: 'nest', kind: 'nested', nested: inner },
})

function parse(check: NlaCheck, fill: (w: NlWriter) => void) {
  const w = new NlWriter()
  fill(w)
  return nlaParse(w.bytes(), 0, w.length, policy, check)
}

function refused(
  check: NlaCheck,
  fill: (w: NlWriter) => void,
): [string, string | undefined, number | undefined] {
  try {
    parse(check, fill)
  } catch (error) {
    if (error instanceof NetlinkError) return [error.code, error.extack, error.offset]
    throw error
  }
  throw new Error('was accepted')
}

describe('checking attributes', () => {
  it('reads what is right', () => {
    const tb = parse('strict', (w) => {
      w.putU8(1, 7)
      w.putU32(2, 1)
      w.putString(3, 'lo')
      w.putFlag(5)
      const nest = w.nestStart(6)
      w.putU32(1, 9)
      w.nestEnd(nest)
    })
    expect([tb.number(1), tb.number(2), tb.text(3), tb.has(5), tb.has(4)]).toEqual([7, 1, 'lo', true, false])
    expect(tb.nest(6)!.number(1)).toBe(9)
  })

  it.each([
    ['an unknown type', (w: NlWriter) => w.putU8(9, 0), 'EINVAL', 'Unknown attribute type'],
    ['a long number', (w: NlWriter) => w.putU32(1, 0), 'EINVAL', 'invalid attribute length'],
    ['a number out of range', (w: NlWriter) => w.putU8(1, 8), 'ERANGE', 'integer out of range'],
    ['a bit outside the mask', (w: NlWriter) => w.putU32(2, 4), 'EINVAL', 'reserved bit set'],
    [
      'text without an end',
      (w: NlWriter) => w.putBinary(3, new Uint8Array([65])),
      'EINVAL',
      'Attribute failed policy validation',
    ],
    [
      'text too long',
      (w: NlWriter) => w.putString(3, 'abcde'),
      'ERANGE',
      'Attribute failed policy validation',
    ],
    [
      'too few bytes',
      (w: NlWriter) => w.putBinary(4, new Uint8Array(1)),
      'ERANGE',
      'binary attribute size out of range',
    ],
    ['a flag with a value', (w: NlWriter) => w.putU8(5, 1), 'ERANGE', 'Attribute failed policy validation'],
    [
      'a nest without its mark',
      (w: NlWriter) => w.nestEnd(w.nestStartNoflag(6)),
      'EINVAL',
      'NLA_F_NESTED is missing',
    ],
  ] as const)('strict checking refuses %s', (_what, fill, code, message) => {
    expect(
      refused('strict', (w) => {
        w.putFlag(5)
        fill(w)
      }),
    ).toEqual([code, message, 4])
  })

  it('strict checking refuses bytes that are no attribute', () => {
    expect(refused('strict', (w) => w.raw(new Uint8Array([9, 0, 1, 0])))[1]).toBe(
      'bytes leftover after parsing attributes',
    )
  })

  it('liberal checking forgives all that, but not a number that is too short', () => {
    const tb = parse('liberal', (w) => {
      w.putU8(9, 0)
      w.putU32(1, 5)
      w.nestEnd(w.nestStartNoflag(6))
      w.raw(new Uint8Array([9, 0, 1, 0]))
    })
    expect(tb.number(1)).toBe(5)
    expect(refused('liberal', (w) => w.putU8(2, 1))).toEqual([
      'ERANGE',
      'Attribute failed policy validation',
      0,
    ])
  })

  it('looks into nests, and says where inside the fault is', () => {
    const fill = (w: NlWriter): void => {
      const nest = w.nestStart(6)
      w.putU8(1, 1)
      w.nestEnd(nest)
    }
    expect(refused('strict', fill)).toEqual(['EINVAL', 'invalid attribute length', 4])
  })

  it('refuses nests deeper than it looks', () => {
    const endless: { 1: { name: string; kind: 'nested'; nested?: unknown } } = {
      1: { name: 'n', kind: 'nested' },
    }
    const own = nlaPolicy(endless as never)
    endless[1].nested = own
    const looped = nlaPolicy(endless as never)
    Object.assign(own, { attrs: looped.attrs })
    const w = new NlWriter()
    const nests = Array.from({ length: MAX_NEST_DEPTH + 3 }, () => w.nestStart(1))
    for (const nest of nests.reverse()) w.nestEnd(nest)
    expect(() => nlaParse(w.bytes(), 0, w.length, looped, 'strict')).toThrow('recursion depth')
  })

  it('says which attribute is missing, and where', () => {
    const tb = parse('strict', (w) => w.nestEnd(w.nestStart(6)))
    expect(() => tb.require(1)).toThrow(
      expect.objectContaining({ missType: 1, missNest: undefined }) as Error,
    )
    expect(() => tb.nest(6)!.require(1)).toThrow(
      expect.objectContaining({ missType: 1, missNest: 0 }) as Error,
    )
  })

  it('turns the name of an attribute into its place', () => {
    const tb = parse('strict', (w) => {
      w.putFlag(5)
      const nest = w.nestStart(6)
      w.putU32(1, 9)
      w.nestEnd(nest)
    })
    const place = (badAttr: string): number | undefined => {
      try {
        blameAttr(tb, () => {
          throw new Errno('EINVAL', 'no', badAttr)
        })
      } catch (error) {
        return (error as NetlinkError).offset
      }
      return undefined
    }
    expect([place('flag'), place('nest'), place('nest/x'), place('nest/0'), place('word')]).toEqual([
      0,
      4,
      8,
      8,
      undefined,
    ])
  })
})

describe('NlWriter', () => {
  it('grows, and pads every attribute to four bytes', () => {
    const w = new NlWriter(4)
    w.putU8(1, 0xff)
    w.putString(2, 'abc')
    expect([...w.bytes()]).toEqual([5, 0, 1, 0, 0xff, 0, 0, 0, 8, 0, 2, 0, 97, 98, 99, 0])
  })

  it('refuses an attribute past 64 KiB', () => {
    const w = new NlWriter()
    expect(() => w.putBinary(1, new Uint8Array(0xffff))).toThrow(Errno)
    const nest = w.nestStart(1)
    for (let i = 0; i < 40; i++) w.putBinary(2, new Uint8Array(2000))
    expect(() => w.nestEnd(nest)).toThrow(Errno)
  })
})
