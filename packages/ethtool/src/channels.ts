import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { ethnlOps, requireOps } from './core.ts'
import type { OpsWith } from './core.ts'
import { ethtoolNotify } from './notify.ts'
import { ethtoolOps } from './ops.ts'
import { rxfhConfigured } from './state.ts'
import { checkReadBack, ethnlUpdate } from './update.ts'

/**
 * How many interrupts and queues a device uses. A maximum of 0 means: no such channels.
 *
 * @kernel struct ethtool_channels include/uapi/linux/ethtool.h
 */
export interface EthtoolChannels {
  readonly maxRx: number
  readonly maxTx: number
  readonly maxOther: number
  readonly maxCombined: number
  readonly rxCount: number
  readonly txCount: number
  readonly otherCount: number
  readonly combinedCount: number
}

/** What can be asked for; what is not mentioned stays. */
export type EthtoolChannelsChange = {
  readonly [K in 'rxCount' | 'txCount' | 'otherCount' | 'combinedCount']?: number | undefined
}

const EMPTY: EthtoolChannels = {
  maxRx: 0,
  maxTx: 0,
  maxOther: 0,
  maxCombined: 0,
  rxCount: 0,
  txCount: 0,
  otherCount: 0,
  combinedCount: 0,
}

/** The settable fields, by their names in a request. @kernel ETHTOOL_A_CHANNELS_RX_COUNT include/uapi/linux/ethtool_netlink.h */
export const CHANNEL_ATTRS = {
  rxCount: 'rx-count',
  txCount: 'tx-count',
  otherCount: 'other-count',
  combinedCount: 'combined-count',
} as const

const LIMITS = [
  ['rxCount', 'maxRx'],
  ['txCount', 'maxTx'],
  ['otherCount', 'maxOther'],
  ['combinedCount', 'maxCombined'],
] as const

/**
 * Reads the numbers of channels and their limits.
 *
 * @throws Errno EOPNOTSUPP the driver does not tell; ENODEV
 * @kernel channels_prepare_data() net/ethtool/channels.c
 * @rule ETH-01
 */
export function ethtoolGetChannels(dev: NetDevice<any>): EthtoolChannels {
  const ops = requireOps(dev, 'getChannels')
  return ethnlOps(dev, () => read(dev, ops))
}

function read(dev: NetDevice<any>, ops: OpsWith<'getChannels'>): EthtoolChannels {
  return { ...EMPTY, ...ops.getChannels(dev) }
}

/**
 * Changes the numbers of channels: reads, merges, validates, then asks the driver.
 *
 * @returns true when something changed; then one `channels-ntf` was sent
 * @throws Errno EINVAL above the maximum, no receive or no transmit channel left, or a channel still in use;
 * EOPNOTSUPP; whatever the driver throws
 * @kernel ethnl_set_channels() net/ethtool/channels.c
 * @rule ETH-02 ETH-03 ETH-05 ETH-06 ETH-07 ETH-09
 */
export function ethtoolSetChannels(dev: NetDevice<any>, change: EthtoolChannelsChange): boolean {
  const ops = requireOps(dev, 'getChannels', 'setChannels')
  return ethnlOps(dev, () => {
    const current = read(dev, ops)
    const next = ethnlUpdate(current, change, CHANNEL_ATTRS)
    if (next === null) return false
    checkLimits(next)
    checkOneLeft(next, next.combinedCount !== current.combinedCount)
    checkInUse(dev, next.combinedCount + next.rxCount)
    ops.setChannels(dev, next)
    if (dev.kernel.checks) checkReadBack(dev, 'channels', next, read(dev, ops), CHANNEL_ATTRS)
    ethtoolNotify(dev, 'channels-ntf')
    return true
  })
}

function checkLimits(channels: EthtoolChannels): void {
  for (const [key, max] of LIMITS) {
    if (channels[key] > channels[max]) {
      throw new Errno('EINVAL', 'requested channel count exceeds maximum', CHANNEL_ATTRS[key])
    }
  }
}

function checkOneLeft(channels: EthtoolChannels, combinedChanged: boolean): void {
  if (channels.combinedCount > 0 || (channels.rxCount > 0 && channels.txCount > 0)) return
  const missing = channels.rxCount === 0 ? 'rxCount' : 'txCount'
  throw new Errno(
    'EINVAL',
    'requested channel counts would result in no RX or TX channel being configured',
    CHANNEL_ATTRS[combinedChanged ? 'combinedCount' : missing],
  )
}

/** A queue that the hash table or a flow rule points at stays. */
function checkInUse(dev: NetDevice<any>, rxQueues: number): void {
  const ops = ethtoolOps(dev)
  const indir = rxfhConfigured(dev) ? (ops.getRxfh?.(dev).indir ?? []) : []
  if (indir.some((queue) => queue >= rxQueues)) {
    throw new Errno('EINVAL', 'requested channel counts are too low for existing indirection table settings')
  }
  const rules = ops.getRxnfcRules?.(dev) ?? []
  if (rules.some((rule) => rule.queue !== null && rule.queue >= rxQueues)) {
    throw new Errno('EINVAL', 'requested channel counts are too low for existing ntuple filter settings')
  }
}
