import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { ethnlUpdateBitset } from './bitset.ts'
import type { BitsetChange } from './bitset.ts'
import { ethnlOps, requireOps } from './core.ts'
import { ethtoolNotify } from './notify.ts'

/** The ways a card can wake the machine, lowest bit first. @kernel wol_mode_names net/ethtool/common.c */
export const WOL_MODES: readonly string[] = [
  'phy',
  'ucast',
  'mcast',
  'bcast',
  'arp',
  'magic',
  'magicsecure',
  'filter',
]

/** Wake-on modes as bits. @kernel WAKE_PHY include/uapi/linux/ethtool.h */
export const Wake = {
  PHY: 1,
  UCAST: 2,
  MCAST: 4,
  BCAST: 8,
  ARP: 16,
  MAGIC: 32,
  MAGICSECURE: 64,
  FILTER: 128,
} as const

/** What wakes the machine. @kernel struct ethtool_wolinfo include/uapi/linux/ethtool.h */
export interface EthtoolWolinfo {
  readonly supported: number
  readonly wolopts: number
  /** Six bytes, for `MAGICSECURE`. */
  readonly sopass?: Uint8Array
}

/** What can be asked for; what is not mentioned stays. */
export interface EthtoolWolChange {
  readonly modes?: BitsetChange | undefined
  readonly sopass?: Uint8Array | undefined
}

/**
 * Reads what wakes the machine.
 *
 * @throws Errno EOPNOTSUPP the driver does not tell; ENODEV
 * @kernel wol_prepare_data() net/ethtool/wol.c
 */
export function ethtoolGetWol(dev: NetDevice<any>): EthtoolWolinfo {
  const ops = requireOps(dev, 'getWol')
  return ethnlOps(dev, () => ops.getWol(dev))
}

/**
 * Changes what wakes the machine.
 *
 * @returns true when something changed; then one `wol-ntf` was sent
 * @throws Errno EINVAL a mode the card does not support, or a password it does not use; EOPNOTSUPP; whatever the driver throws
 * @kernel ethnl_set_wol() net/ethtool/wol.c
 * @rule ETH-02 ETH-03
 */
export function ethtoolSetWol(dev: NetDevice<any>, change: EthtoolWolChange): boolean {
  const ops = requireOps(dev, 'getWol', 'setWol')
  return ethnlOps(dev, () => {
    const before = ops.getWol(dev)
    const next = merge(before, change)
    if (next.wolopts === before.wolopts && sameBytes(next.sopass, before.sopass)) return false
    ops.setWol(dev, next)
    ethtoolNotify(dev, 'wol-ntf')
    return true
  })
}

function merge(before: EthtoolWolinfo, change: EthtoolWolChange): EthtoolWolinfo {
  let wolopts = before.wolopts
  if (change.modes !== undefined) {
    wolopts = Number(ethnlUpdateBitset(BigInt(wolopts), WOL_MODES, change.modes, 'modes'))
  }
  if ((wolopts & ~before.supported) !== 0) {
    throw new Errno('EINVAL', 'cannot enable unsupported WoL mode', 'modes')
  }
  if (change.sopass === undefined) return { ...before, wolopts }
  if ((before.supported & Wake.MAGICSECURE) === 0) {
    throw new Errno('EINVAL', 'magicsecure not supported, cannot set password', 'sopass')
  }
  return { ...before, wolopts, sopass: change.sopass }
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
