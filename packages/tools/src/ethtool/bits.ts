import type { BitsetChange } from '@vnet/ethtool'
import type { NlWriter } from '@vnet/netlink'
import type { AttrMap } from '../nl/attrs.ts'

const Bitset = { NOMASK: 1, SIZE: 2, BITS: 3, VALUE: 4, MASK: 5 } as const
const Bit = { INDEX: 1, NAME: 2, VALUE: 3 } as const
const BITS_BIT = 1
const MAX_BITS = 0xffff

/** A set of bits of an answer. */
export interface Bits {
  readonly value: bigint
  /** The bits the set speaks of. */
  readonly mask: bigint
}

/** Reads a set of bits, short or as a list; undefined when it is not there. @kernel bitset_get_bit() none */
export function parseBits(tb: AttrMap, type: number): Bits | undefined {
  if (!tb.has(type)) return undefined
  const set = tb.nest(type)
  const nomask = set.has(Bitset.NOMASK)
  if (set.has(Bitset.BITS)) return parseList(set, nomask)
  const value = bytesToBits(set.binary(Bitset.VALUE))
  return { value, mask: nomask ? value : bytesToBits(set.binary(Bitset.MASK)) }
}

function parseList(set: AttrMap, nomask: boolean): Bits {
  let value = 0n
  let mask = 0n
  for (const bit of set.list(Bitset.BITS)) {
    const index = bit.u32(Bit.INDEX)
    if (index === undefined || index > MAX_BITS) continue
    const one = 1n << BigInt(index)
    mask |= one
    if (nomask || bit.has(Bit.VALUE)) value |= one
  }
  return { value, mask }
}

function bytesToBits(bytes: Uint8Array | undefined): bigint {
  let bits = 0n
  for (const byte of (bytes ?? new Uint8Array(0)).slice(0, MAX_BITS / 8).reverse())
    bits = (bits << 8n) | BigInt(byte)
  return bits
}

/** Writes a change of bits as the command line had it: by name or by number. @kernel nl_parse_bitset() none */
export function putBits(w: NlWriter, type: number, change: BitsetChange): void {
  const at = w.nestStart(type)
  if ('bits' in change) putList(w, change.bits, change.nomask === true)
  else putNumbers(w, change.value, change.mask)
  w.nestEnd(at)
}

function putList(w: NlWriter, bits: readonly { name: string; value: boolean }[], nomask: boolean): void {
  if (nomask) w.putFlag(Bitset.NOMASK)
  const list = w.nestStart(Bitset.BITS)
  for (const { name, value } of bits) {
    const at = w.nestStart(BITS_BIT)
    w.putString(Bit.NAME, name)
    if (value && !nomask) w.putFlag(Bit.VALUE)
    w.nestEnd(at)
  }
  w.nestEnd(list)
}

function putNumbers(w: NlWriter, value: bigint, mask: bigint | undefined): void {
  const size = Math.max(1, (mask ?? 0n).toString(2).length, value.toString(2).length)
  if (mask === undefined) w.putFlag(Bitset.NOMASK)
  w.putU32(Bitset.SIZE, size)
  w.putBinary(Bitset.VALUE, words(value, size))
  if (mask !== undefined) w.putBinary(Bitset.MASK, words(mask, size))
}

function words(value: bigint, size: number): Uint8Array {
  const out = new Uint8Array(Math.ceil(size / 32) * 4)
  for (let i = 0; i < out.length; i++) out[i] = Number((value >> BigInt(8 * i)) & 0xffn)
  return out
}
