import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { ethnlOps, unsupported } from './core.ts'
import { ethtoolOps } from './ops.ts'
import { ethtoolState } from './state.ts'

/** The sets of names that belong to a driver. @kernel enum ethtool_stringset include/uapi/linux/ethtool.h */
export type StringSet = 'stats' | 'test' | 'priv-flags' | 'phy-stats'

/** Bytes of a name, its end mark included. @kernel ETH_GSTRING_LEN include/uapi/linux/ethtool.h @rule ETH-12 */
export const ETH_GSTRING_LEN = 32

/** How many names a set has; undefined when the driver has no such set. Inside `ethnlOps`. @kernel none */
export function ssetCount(dev: NetDevice<any>, set: StringSet): number | undefined {
  const ops = ethtoolOps(dev)
  if (ops.getStrings === undefined) return undefined
  if (ops.getSsetCount === undefined) return ops.getStrings(dev, set).length
  try {
    return ops.getSsetCount(dev, set)
  } catch (error) {
    if (error instanceof Errno && error.code === 'EOPNOTSUPP') return undefined
    throw error
  }
}

/** The checked names of a set. Inside `ethnlOps`. @kernel none */
export function readStrings(dev: NetDevice<any>, set: StringSet): readonly string[] {
  const names = ethtoolOps(dev).getStrings?.(dev, set) ?? []
  const count = ssetCount(dev, set) ?? 0
  const warn = (rule: string, text: string) => dev.kernel.warnOn(rule, `${dev.name}: ${set}: ${text}`)
  if (names.length !== count) warn('ETH-12', `${names.length} names, but ${count} were announced`)
  for (const name of names) {
    if (byteLength(name) >= ETH_GSTRING_LEN) warn('ETH-12', `name "${name}" is longer than 31 bytes`)
  }
  if (set === 'stats') checkStable(dev, names)
  return names
}

/** Programs read the names once and the values for ever. */
function checkStable(dev: NetDevice<any>, names: readonly string[]): void {
  const state = ethtoolState(dev)
  const before = state.statNames
  state.statNames = [...names]
  if (before === null) return
  if (before.length !== names.length || before.some((name, i) => name !== names[i])) {
    dev.kernel.warnOn('STAT-11', `${dev.name}: the names of its statistics changed while registered`)
  }
}

function byteLength(text: string): number {
  let bytes = 0
  for (const char of text) {
    const code = char.codePointAt(0)!
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}

/**
 * Reads the names of a driver's set.
 *
 * @throws Errno EOPNOTSUPP the driver has no such set; ENODEV
 * @kernel strset_prepare_data() net/ethtool/strset.c
 * @rule ETH-12 STAT-11
 */
export function ethtoolGetStrings(dev: NetDevice<any>, set: StringSet): readonly string[] {
  return ethnlOps(dev, () => {
    if (ssetCount(dev, set) === undefined) throw unsupported()
    return readStrings(dev, set)
  })
}
