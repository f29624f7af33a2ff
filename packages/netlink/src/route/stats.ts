import { devGetStats } from '@vnet/netdev'
import type { NetDevice, RtnlLinkStats64 } from '@vnet/netdev'
import type { NlWriter } from '../codec/writer.ts'

/** The counters in the order of the structures. @kernel struct rtnl_link_stats64 include/uapi/linux/if_link.h */
export const RTNL_LINK_STATS64_ORDER = [
  'rxPackets',
  'txPackets',
  'rxBytes',
  'txBytes',
  'rxErrors',
  'txErrors',
  'rxDropped',
  'txDropped',
  'multicast',
  'collisions',
  'rxLengthErrors',
  'rxOverErrors',
  'rxCrcErrors',
  'rxFrameErrors',
  'rxFifoErrors',
  'rxMissedErrors',
  'txAbortedErrors',
  'txCarrierErrors',
  'txFifoErrors',
  'txHeartbeatErrors',
  'txWindowErrors',
  'rxCompressed',
  'txCompressed',
  'rxNohandler',
  'rxOtherhostDropped',
] as const satisfies readonly (keyof RtnlLinkStats64)[]

/** The attribute with 64-bit counters, and the one with their low halves. */
export interface StatsAttrs {
  readonly stats64: number
  readonly stats?: number
}

/** Writes a device's counters. @kernel rtnl_fill_stats() net/core/rtnetlink.c */
export function putStats(w: NlWriter, dev: NetDevice<any>, attrs: StatsAttrs): void {
  const stats = devGetStats(dev)
  w.putBinary(attrs.stats64, new Uint8Array(new BigUint64Array(words(stats)).buffer))
  if (attrs.stats === undefined) return
  // The old structure lacks the last one.
  const low = words(stats)
    .slice(0, -1)
    .map((value) => Number(value & 0xffffffffn))
  w.putBinary(attrs.stats, new Uint8Array(new Uint32Array(low).buffer))
}

function words(stats: RtnlLinkStats64): bigint[] {
  return RTNL_LINK_STATS64_ORDER.map((name) => BigInt.asUintN(64, stats[name]))
}
