import type { Kernel, Tracepoint } from '@vnet/kernel'
import type { PacketType } from './packet-type.ts'
import { type SkbCache, skbCacheOf } from './skb-cache.ts'
import { SkBuffHead } from './skb-queue.ts'

/** Lists the receivers are spread over by type. @kernel PTYPE_HASH_SIZE include/linux/netdevice.h */
export const PTYPE_HASH_SIZE = 16

/**
 * The receive path of one kernel: who takes which packets, the backlog, and what happened.
 *
 * @kernel ptype_base, struct softnet_data net/core/dev.c
 */
export class RxState {
  declare readonly kernel: Kernel
  /** The packet memory of the same kernel. */
  declare readonly cache: SkbCache
  /** Receivers by `type & 15`. A list is replaced, never changed, so that a receiver may remove itself. */
  declare readonly types: (readonly PacketType[])[]
  /** Receivers of everything. */
  declare taps: readonly PacketType[]
  declare readonly backlog: SkBuffHead
  /** Most packets the backlog holds. @kernel net.core.netdev_max_backlog */
  declare maxBacklog: number
  /** Most packets one run of the softirq takes from it. @kernel net.core.dev_weight */
  declare backlogWeight: number
  declare backlogRaised: boolean
  declare backlogOpen: boolean
  /** Packets through the backlog, and those that found it full. */
  declare backlogProcessed: number
  declare backlogDropped: number
  /** Packets that entered `netifReceiveSkb`, reached a receiver, found none, or were dropped before. */
  declare received: number
  declare delivered: number
  declare nohandler: number
  declare dropped: number
  declare readonly tpReceive: Tracepoint
  declare readonly tpRx: Tracepoint
  declare readonly tpGro: Tracepoint

  constructor(cache: SkbCache) {
    const { kernel } = cache
    this.kernel = kernel
    this.cache = cache
    this.types = Array.from({ length: PTYPE_HASH_SIZE }, () => [])
    this.taps = []
    this.backlog = new SkBuffHead()
    this.maxBacklog = 1000
    this.backlogWeight = 64
    this.backlogRaised = false
    this.backlogOpen = false
    this.backlogProcessed = 0
    this.backlogDropped = 0
    this.received = 0
    this.delivered = 0
    this.nohandler = 0
    this.dropped = 0
    this.tpReceive = kernel.trace.point('net:netif_receive_skb', ['protocol', 'len', 'id'])
    this.tpRx = kernel.trace.point('net:netif_rx', ['protocol', 'len', 'id'])
    this.tpGro = kernel.trace.point('net:napi_gro_receive_entry', ['protocol', 'len', 'id'])
  }
}

/** The receive path's state. @kernel none */
export function rxStateOf(kernel: Kernel): RxState {
  const cache = skbCacheOf(kernel)
  return cache.rx ?? makeRxState(cache)
}

/** The first packet or receiver makes it. @kernel none */
export function makeRxState(cache: SkbCache): RxState {
  cache.rx ??= new RxState(cache)
  return cache.rx
}
