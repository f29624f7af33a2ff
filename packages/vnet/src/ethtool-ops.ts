import { ethtoolOpGetLink, type EthtoolOps, type EthtoolRingparam } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { vnetReconfigure } from './driver.ts'
import type { Coalesce } from './hw.ts'
import { MAX_RING, checkRingSize } from './ring-size.ts'
import type { VnetPriv } from './queue.ts'
import * as stat from './stats.ts'

/** Counters of one queue that have no place in the standard set (STAT-07). */
const PER_QUEUE = [
  ['tx', 'packets', stat.TX_PACKETS],
  ['tx', 'bytes', stat.TX_BYTES],
  ['rx', 'packets', stat.RX_PACKETS],
  ['rx', 'bytes', stat.RX_BYTES],
  ['rx', 'alloc_fail', stat.RX_ALLOC_FAIL],
] as const

const PROTOCOLS = ['arp', 'ipv4', 'ipv6', 'other'] as const

/** Names as `ethtool -S` prints them: protocols over all queues first, as the original driver had them. */
function statNames(dev: NetDevice<VnetPriv>): string[] {
  const protocols = ['tx', 'rx'].flatMap((way) => PROTOCOLS.map((p) => `${way}_${p}`))
  const queues = dev.priv.queues.flatMap(({ index }) => [
    ...PER_QUEUE.map(([way, what]) => `${way}_queue_${index}_${what}`),
    `tx_queue_${index}_stop`,
    `tx_queue_${index}_wake`,
  ])
  return [...protocols, ...queues, 'rx_filtered', 'interrupts', 'doorbells']
}

function statValues(dev: NetDevice<VnetPriv>): bigint[] {
  const { hw, queues } = dev.priv
  const protocols = [stat.TX_PROTO, stat.RX_PROTO].flatMap((base) =>
    PROTOCOLS.map((_, i) => stat.sumQueues(dev, base + i)),
  )
  const perQueue = queues.flatMap((q) => [
    ...PER_QUEUE.map(([, , slot]) => q.stats.get(slot)),
    BigInt(q.txq.stops),
    BigInt(q.txq.wakes),
  ])
  const { rxFiltered, interrupts, doorbells } = hw.counters
  return [...protocols, ...perQueue, BigInt(rxFiltered), BigInt(interrupts), BigInt(doorbells)]
}

function setRingparam(dev: NetDevice<VnetPriv>, ring: EthtoolRingparam): void {
  for (const [attr, size] of [
    ['rx', ring.rxPending],
    ['tx', ring.txPending],
  ] as const) {
    const refusal = checkRingSize(size)
    if (refusal !== undefined) throw new Errno('EINVAL', refusal, attr)
  }
  vnetReconfigure(dev, { rx: ring.rxPending, tx: ring.txPending })
}

function setCoalesce(dev: NetDevice<VnetPriv>, c: Coalesce): void {
  if (c.rxUsecs === 0 && c.rxFrames === 0)
    throw new Errno('EINVAL', 'rx-usecs and rx-frames cannot both be 0', 'rx-usecs')
  if (c.txUsecs === 0 && c.txFrames === 0)
    throw new Errno('EINVAL', 'tx-usecs and tx-frames cannot both be 0', 'tx-usecs')
  dev.priv.coalesce = c
  dev.priv.hw.setCoalesce(c)
}

/**
 * What vnet offers to ethtool. Driver name, version and bus come from the core (ETH-13).
 *
 * @kernel struct ethtool_ops include/linux/ethtool.h
 * @rule STAT-07 STAT-11 ETH-10 COAL-02
 */
export const vnetEthtoolOps: EthtoolOps<VnetPriv> = {
  supportedCoalesceParams: new Set([
    'rxCoalesceUsecs',
    'rxMaxCoalescedFrames',
    'txCoalesceUsecs',
    'txMaxCoalescedFrames',
  ]),
  getLink: ethtoolOpGetLink,
  getStrings: (dev, set) => (set === 'stats' ? statNames(dev) : []),
  getEthtoolStats: statValues,
  getRingparam: ({ priv }) => ({
    rxPending: priv.rxPending,
    rxMaxPending: MAX_RING,
    txPending: priv.txPending,
    txMaxPending: MAX_RING,
  }),
  setRingparam,
  getCoalesce: ({ priv: { coalesce: c } }) => ({
    rxCoalesceUsecs: c.rxUsecs,
    rxMaxCoalescedFrames: c.rxFrames,
    txCoalesceUsecs: c.txUsecs,
    txMaxCoalescedFrames: c.txFrames,
  }),
  setCoalesce: (dev, c) =>
    setCoalesce(dev, {
      rxUsecs: c.rxCoalesceUsecs,
      rxFrames: c.rxMaxCoalescedFrames,
      txUsecs: c.txCoalesceUsecs,
      txFrames: c.txMaxCoalescedFrames,
    }),
  getChannels: ({ priv }) => ({ maxCombined: priv.hw.queues, combinedCount: priv.hw.queues }),
}
