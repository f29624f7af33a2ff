import { ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, type NetDevice, type RtnlLinkStats64 } from '@vnet/netdev'
import type { VnetPriv } from './queue.ts'

/** Slots of a queue's counters. @kernel none */
export const TX_PACKETS = 0
export const TX_BYTES = 1
export const TX_DROPPED = 2
export const TX_ERRORS = 3
export const RX_PACKETS = 4
export const RX_BYTES = 5
/** Frames given up because no fresh page could be had; the old page went back into the ring. */
export const RX_ALLOC_FAIL = 6
/** Four protocol counters follow each: ARP, IPv4, IPv6, other. */
export const TX_PROTO = 7
export const RX_PROTO = 11

/** Names of the slots, in order. @kernel none */
export const QUEUE_STATS = [
  'tx_packets', 'tx_bytes', 'tx_dropped', 'tx_errors', 'rx_packets', 'rx_bytes', 'rx_alloc_fail',
  'tx_arp', 'tx_ipv4', 'tx_ipv6', 'tx_other', 'rx_arp', 'rx_ipv4', 'rx_ipv6', 'rx_other',
] as const // prettier-ignore

/** Which of the four protocol counters an EtherType belongs to. @kernel none */
export function protoSlot(protocol: number): number {
  if (protocol === ETH_P_IP) return 1
  if (protocol === ETH_P_IPV6) return 2
  return protocol === ETH_P_ARP ? 0 : 3
}

/** Sum of one counter over all queues. @kernel none */
export function sumQueues(dev: NetDevice<VnetPriv>, slot: number): bigint {
  let sum = 0n
  for (const q of dev.priv.queues) sum += q.stats.get(slot)
  return sum
}

/**
 * Fills in the standard counters. Any context; the counters may change meanwhile.
 *
 * @kernel ndo_get_stats64 include/linux/netdevice.h
 * @rule STAT-01 STAT-04 STAT-06 STAT-09 CTX-03
 */
export function vnetGetStats64(dev: NetDevice<VnetPriv>, s: RtnlLinkStats64): void {
  const { rxMissed, rxRunt, rxOversize, rxMulticast } = dev.priv.hw.counters
  s.txPackets = sumQueues(dev, TX_PACKETS)
  s.txBytes = sumQueues(dev, TX_BYTES)
  s.txDropped = sumQueues(dev, TX_DROPPED)
  s.txErrors = sumQueues(dev, TX_ERRORS)
  s.rxPackets = sumQueues(dev, RX_PACKETS)
  s.rxBytes = sumQueues(dev, RX_BYTES)
  s.rxDropped = sumQueues(dev, RX_ALLOC_FAIL)
  s.rxMissedErrors = BigInt(rxMissed)
  s.rxLengthErrors = BigInt(rxRunt + rxOversize)
  s.rxErrors = s.rxLengthErrors
  s.multicast = BigInt(rxMulticast)
}
