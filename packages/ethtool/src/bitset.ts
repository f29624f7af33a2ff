import { Errno } from '@vnet/kernel'

/** A change of named bits: some of them by name, or a number with or without a mask. */
export type BitsetChange =
  | {
      readonly bits: readonly { readonly name: string; readonly value: boolean }[]
      /** The list is the whole new set; bits not named go off. */
      readonly nomask?: boolean
    }
  | {
      readonly value: bigint
      /** The bits to change; without it `value` is the whole new set. */
      readonly mask?: bigint
    }

/**
 * Applies a change to a set of named bits.
 *
 * `attr` names the set in refusals: `'msgmask'` gives `'msgmask/bits/2/name'` for the third bit of the list.
 *
 * @throws Errno EOPNOTSUPP for a name nobody knows; EINVAL for a bit past the last name
 * @kernel ethnl_update_bitset() net/ethtool/bitset.c
 * @rule ETH-02 ETH-04
 */
export function ethnlUpdateBitset(
  current: bigint,
  names: readonly (string | null)[],
  change: BitsetChange,
  attr: string,
): bigint {
  return 'bits' in change
    ? updateVerbose(current, names, change, attr)
    : updateCompact(current, names.length, change, attr)
}

type Verbose = Extract<BitsetChange, { bits: unknown }>
type Compact = Extract<BitsetChange, { value: bigint }>

function updateVerbose(
  current: bigint,
  names: readonly (string | null)[],
  change: Verbose,
  attr: string,
): bigint {
  let next = change.nomask === true ? 0n : current
  for (const [at, bit] of change.bits.entries()) {
    const index = names.indexOf(bit.name)
    if (index < 0) throw new Errno('EOPNOTSUPP', 'bit name not found', `${attr}/bits/${at}/name`)
    const mask = 1n << BigInt(index)
    next = bit.value || change.nomask === true ? next | mask : next & ~mask
  }
  return next
}

function updateCompact(current: bigint, size: number, change: Compact, attr: string): bigint {
  const mask = change.mask
  if ((mask ?? change.value) >> BigInt(size) !== 0n) {
    const where = mask === undefined ? 'value' : 'mask'
    throw new Errno('EINVAL', 'cannot modify bits past kernel bitset size', `${attr}/${where}`)
  }
  return mask === undefined ? change.value : (current & ~mask) | (change.value & mask)
}

/** The names of the bits that are set, lowest first; a bit without a name is `bitN`. @kernel none */
export function bitNames(bits: bigint, names: readonly (string | null)[]): string[] {
  const out: string[] = []
  for (let index = 0; bits >> BigInt(index) !== 0n; index++) {
    if (((bits >> BigInt(index)) & 1n) !== 0n) out.push(names[index] ?? `bit${index}`)
  }
  return out
}
