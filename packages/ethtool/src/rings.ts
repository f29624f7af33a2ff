import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { ethnlOps, requireOps, unsupported } from './core.ts'
import type { OpsWith } from './core.ts'
import { ethtoolNotify } from './notify.ts'
import { ethtoolOps } from './ops.ts'
import { checkReadBack, ethnlUpdate } from './update.ts'

/**
 * Sizes of the rings, in descriptors. A maximum of 0 means: the card has no such ring.
 *
 * @kernel struct ethtool_ringparam include/uapi/linux/ethtool.h
 */
export interface EthtoolRingparam {
  readonly rxMaxPending: number
  readonly rxMiniMaxPending: number
  readonly rxJumboMaxPending: number
  readonly txMaxPending: number
  readonly rxPending: number
  readonly rxMiniPending: number
  readonly rxJumboPending: number
  readonly txPending: number
  /** Bytes of a receive buffer; 0: unknown. */
  readonly rxBufLen: number
  /** Headers and data into separate buffers: 0 unknown, 1 off, 2 on. */
  readonly tcpDataSplit: 0 | 1 | 2
  /** Bytes of a completion; 0: unknown. */
  readonly cqeSize: number
  readonly txPush: boolean
}

/** The ring parameters a driver must declare before they can be set. */
export type EthtoolRingFlag = 'rxBufLen' | 'cqeSize' | 'txPush'

/** What can be asked for; what is not mentioned stays. */
export type EthtoolRingparamChange = {
  readonly [K in 'rxPending' | 'rxMiniPending' | 'rxJumboPending' | 'txPending' | EthtoolRingFlag]?:
    EthtoolRingparam[K] | undefined
}

const EMPTY: EthtoolRingparam = {
  rxMaxPending: 0,
  rxMiniMaxPending: 0,
  rxJumboMaxPending: 0,
  txMaxPending: 0,
  rxPending: 0,
  rxMiniPending: 0,
  rxJumboPending: 0,
  txPending: 0,
  rxBufLen: 0,
  tcpDataSplit: 0,
  cqeSize: 0,
  txPush: false,
}

/** The settable fields, by their names in a request. @kernel ETHTOOL_A_RINGS_RX include/uapi/linux/ethtool_netlink.h */
export const RING_ATTRS = {
  rxPending: 'rx',
  rxMiniPending: 'rx-mini',
  rxJumboPending: 'rx-jumbo',
  txPending: 'tx',
  rxBufLen: 'rx-buf-len',
  cqeSize: 'cqe-size',
  txPush: 'tx-push',
} as const

const FLAGS: readonly (readonly [EthtoolRingFlag, string])[] = [
  ['rxBufLen', 'setting rx buf len not supported'],
  ['cqeSize', 'setting cqe size not supported'],
  ['txPush', 'setting tx push not supported'],
]

const LIMITS = [
  ['rxPending', 'rxMaxPending'],
  ['rxMiniPending', 'rxMiniMaxPending'],
  ['rxJumboPending', 'rxJumboMaxPending'],
  ['txPending', 'txMaxPending'],
] as const

/**
 * Reads the ring sizes and their limits.
 *
 * @throws Errno EOPNOTSUPP the driver does not tell; ENODEV
 * @kernel rings_prepare_data() net/ethtool/rings.c
 * @rule ETH-01
 */
export function ethtoolGetRingparam(dev: NetDevice<any>): EthtoolRingparam {
  const ops = requireOps(dev, 'getRingparam')
  return ethnlOps(dev, () => read(dev, ops))
}

function read(dev: NetDevice<any>, ops: OpsWith<'getRingparam'>): EthtoolRingparam {
  return { ...EMPTY, ...ops.getRingparam(dev) }
}

/**
 * Changes ring sizes: reads, merges, compares with the limits, then asks the driver.
 *
 * @returns true when something changed; then one `rings-ntf` was sent
 * @throws Errno EINVAL above the maximum (the driver was not asked); EOPNOTSUPP; whatever the driver throws
 * @kernel ethnl_set_rings() net/ethtool/rings.c
 * @rule ETH-02 ETH-03 ETH-05 ETH-09
 */
export function ethtoolSetRingparam(dev: NetDevice<any>, change: EthtoolRingparamChange): boolean {
  const declared = ethtoolOps(dev).supportedRingParams
  for (const [flag, message] of FLAGS) {
    if (change[flag] === undefined) continue
    if (declared?.has(flag) !== true) throw unsupported(message, RING_ATTRS[flag])
    if (change[flag] === 0) throw new Errno('ERANGE', 'integer out of range', RING_ATTRS[flag])
  }
  const ops = requireOps(dev, 'getRingparam', 'setRingparam')
  return ethnlOps(dev, () => {
    const next = ethnlUpdate(read(dev, ops), change, RING_ATTRS)
    if (next === null) return false
    checkLimits(next)
    ops.setRingparam(dev, next)
    if (dev.kernel.checks) checkReadBack(dev, 'ring', next, read(dev, ops), RING_ATTRS)
    ethtoolNotify(dev, 'rings-ntf')
    return true
  })
}

function checkLimits(ring: EthtoolRingparam): void {
  for (const [key, max] of LIMITS) {
    if (ring[key] > ring[max]) {
      throw new Errno('EINVAL', 'requested ring size exceeds maximum', RING_ATTRS[key])
    }
  }
}
