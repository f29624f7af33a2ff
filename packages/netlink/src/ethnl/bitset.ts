import type { BitsetChange } from '@vnet/ethtool'
import { NetlinkError } from '../codec/extack.ts'
import { nlaPolicy } from '../codec/policy.ts'
import { parseInto } from '../codec/table.ts'
import type { NlaTable } from '../codec/table.ts'
import type { NlWriter } from '../codec/writer.ts'

const Bitset = { NOMASK: 1, SIZE: 2, BITS: 3, VALUE: 4, MASK: 5 } as const
const Bit = { INDEX: 1, NAME: 2, VALUE: 3 } as const
const BITS_BIT = 1

/** The most bits a request may speak of. @kernel ETHNL_MAX_BITSET_SIZE net/ethtool/bitset.c */
const MAX_SIZE = 0xffff

const bitPolicy = nlaPolicy({
  [Bit.INDEX]: { name: 'index', kind: 'u32' },
  [Bit.NAME]: { name: 'name', kind: 'nul-string' },
  [Bit.VALUE]: { name: 'value', kind: 'flag' },
})

/** What a set of bits may look like in a request. @kernel bitset_policy[] net/ethtool/bitset.c */
export const bitsetPolicy = nlaPolicy({
  [Bitset.NOMASK]: { name: 'nomask', kind: 'flag' },
  [Bitset.SIZE]: { name: 'size', kind: 'u32', max: MAX_SIZE },
  [Bitset.BITS]: { name: 'bits', kind: 'nested' },
  [Bitset.VALUE]: { name: 'value', kind: 'binary' },
  [Bitset.MASK]: { name: 'mask', kind: 'binary' },
})

/** A set of bits in an answer. */
export interface BitsetOut {
  readonly value: bigint
  /** Bits the set speaks of; without it it is a plain list. */
  readonly mask?: bigint
  readonly size: number
  /** By bit; null: no name. */
  readonly names: readonly (string | null)[]
}

/**
 * Writes a set of bits: short, as words of 32 bits, or as a list with names.
 *
 * @kernel ethnl_put_bitset() net/ethtool/bitset.c
 */
export function ethnlPutBitset(w: NlWriter, attr: number, set: BitsetOut, compact: boolean): void {
  const at = w.nestStart(attr)
  if (set.mask === undefined) w.putFlag(Bitset.NOMASK)
  w.putU32(Bitset.SIZE, set.size)
  if (compact) {
    w.putBinary(Bitset.VALUE, words(set.value, set.size))
    if (set.mask !== undefined) w.putBinary(Bitset.MASK, words(set.mask, set.size))
  } else {
    putBits(w, set)
  }
  w.nestEnd(at)
}

function putBits(w: NlWriter, set: BitsetOut): void {
  const list = w.nestStart(Bitset.BITS)
  for (let index = 0; index < set.size; index++) {
    const bit = 1n << BigInt(index)
    if (((set.mask ?? set.value) & bit) === 0n) continue
    const at = w.nestStart(BITS_BIT)
    w.putU32(Bit.INDEX, index)
    const name = set.names[index]
    if (name !== undefined && name !== null) w.putString(Bit.NAME, name)
    if (set.mask !== undefined && (set.value & bit) !== 0n) w.putFlag(Bit.VALUE)
    w.nestEnd(at)
  }
  w.nestEnd(list)
}

function words(value: bigint, size: number): Uint8Array {
  const out = new Uint8Array(Math.ceil(size / 32) * 4)
  let rest = value
  for (let i = 0; i < out.length; i++) {
    out[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return out
}

/** The bits a request names. */
export interface BitsetRequest {
  readonly value: bigint
  /** Bits to change; undefined: the value is all there is. */
  readonly mask: bigint | undefined
  /** The set bits of `value` or `mask`, lowest first. */
  readonly bits: readonly { readonly index: number; readonly value: boolean }[]
}

/**
 * Reads a set of bits from a request.
 *
 * @param names - by bit; their number is how many bits the kernel knows
 * @throws NetlinkError EINVAL, EOPNOTSUPP, with the place
 * @kernel ethnl_parse_bitset() net/ethtool/bitset.c
 */
export function ethnlParseBitset(
  parent: NlaTable,
  attr: number,
  names: readonly (string | null)[],
): BitsetRequest {
  const tb = parent.nest(attr, bitsetPolicy)!
  return tb.has(Bitset.BITS) ? parseVerbose(tb, names) : parseCompact(parent, attr, tb, names.length)
}

function parseVerbose(tb: NlaTable, names: readonly (string | null)[]): BitsetRequest {
  for (const wrong of [Bitset.VALUE, Bitset.MASK]) {
    if (tb.has(wrong)) {
      throw refuse('EINVAL', 'value/mask only allowed in compact bitset', tb.offset(wrong))
    }
  }
  const nomask = tb.has(Bitset.NOMASK)
  let value = 0n
  let mask = 0n
  const bits = tb.walk(Bitset.BITS)!
  while (bits.next()) {
    if (bits.type !== BITS_BIT) {
      throw refuse('EINVAL', 'only ETHTOOL_A_BITSET_BITS_BIT allowed in ETHTOOL_A_BITSET_BITS', bits.start)
    }
    const one = parseInto(bits.inside(), bitPolicy, tb.check, bits.start)
    const bit = 1n << BigInt(bitIndex(one, bits.start, names))
    mask |= bit
    if (nomask || one.has(Bit.VALUE)) value |= bit
    else value &= ~bit
  }
  return finish(value, nomask ? undefined : mask)
}

/** @kernel ethnl_parse_bit() net/ethtool/bitset.c */
function bitIndex(bit: NlaTable, start: number, names: readonly (string | null)[]): number {
  const index = bit.number(Bit.INDEX)
  const name = bit.text(Bit.NAME)
  if (index !== undefined) {
    if (index >= names.length) throw refuse('EOPNOTSUPP', 'bit index too high', bit.offset(Bit.INDEX))
    if (name !== undefined && name !== names[index]) {
      throw refuse('EINVAL', 'bit index and name mismatch', start)
    }
    return index
  }
  if (name === undefined) throw refuse('EINVAL', 'neither bit index nor name specified', start)
  const found = names.indexOf(name)
  if (found < 0) throw refuse('EOPNOTSUPP', 'bit name not found', bit.offset(Bit.NAME))
  return found
}

/** @kernel ethnl_compact_sanity_checks() net/ethtool/bitset.c */
function parseCompact(parent: NlaTable, attr: number, tb: NlaTable, known: number): BitsetRequest {
  const here = parent.offset(attr)
  const nomask = tb.has(Bitset.NOMASK)
  const size = tb.number(Bitset.SIZE)
  if (size === undefined) throw refuse('EINVAL', 'missing size in compact bitset', here)
  if (!tb.has(Bitset.VALUE)) throw refuse('EINVAL', 'missing value in compact bitset', here)
  if (nomask && tb.has(Bitset.MASK)) {
    throw refuse('EINVAL', 'mask not allowed in list bitset', tb.offset(Bitset.MASK))
  }
  if (!nomask && !tb.has(Bitset.MASK)) throw refuse('EINVAL', 'missing mask in compact bitset', here)
  const bytes = Math.ceil(size / 32) * 4
  for (const [type, what] of [
    [Bitset.VALUE, 'value'],
    [Bitset.MASK, 'mask'],
  ] as const) {
    if (tb.has(type) && tb.length(type) !== bytes) {
      throw refuse('EINVAL', `bitset ${what} length does not match size`, tb.offset(type))
    }
  }
  const value = number(tb.binary(Bitset.VALUE)!)
  const mask = nomask ? undefined : number(tb.binary(Bitset.MASK)!)
  const judged = nomask ? Bitset.VALUE : Bitset.MASK
  const meant = mask ?? value
  if (meant >> BigInt(known) !== 0n) {
    throw refuse('EINVAL', 'cannot modify bits past kernel bitset size', tb.offset(judged))
  }
  if (mask !== undefined && (value & ~mask) !== 0n) {
    throw refuse('EINVAL', 'bitset has unmasked bits', tb.offset(Bitset.VALUE))
  }
  return finish(value, mask)
}

function finish(value: bigint, mask: bigint | undefined): BitsetRequest {
  const bits: { index: number; value: boolean }[] = []
  const meant = mask ?? value
  for (let index = 0; meant >> BigInt(index) !== 0n; index++) {
    const bit = 1n << BigInt(index)
    if ((meant & bit) !== 0n) bits.push({ index, value: (value & bit) !== 0n })
  }
  return { value, mask, bits }
}

function number(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!)
  return value
}

/** The request as `@vnet/ethtool` takes it. @kernel ethnl_update_bitset() net/ethtool/bitset.c */
export function bitsetChange(
  parent: NlaTable,
  attr: number,
  names: readonly (string | null)[],
): BitsetChange | undefined {
  if (!parent.has(attr)) return undefined
  const { value, mask } = ethnlParseBitset(parent, attr, names)
  return mask === undefined ? { value } : { value, mask }
}

function refuse(code: 'EINVAL' | 'EOPNOTSUPP', message: string, offset: number): NetlinkError {
  return new NetlinkError(code, message, { offset })
}
