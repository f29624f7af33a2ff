import type { Kernel } from '@vnet/kernel'
import type { NetDevice } from './netdevice.ts'
import { groFlush } from './gro.ts'
import type { SkBuff } from './skbuff.ts'

/** Buckets the held packets are spread over. @kernel GRO_HASH_BUCKETS include/linux/netdevice.h */
export const GRO_HASH_BUCKETS = 8
/** Most flows held in one bucket. @kernel MAX_GRO_SKBS net/core/gro.c */
export const MAX_GRO_SKBS = 8

/** The packet became part of one that is held. @kernel GRO_MERGED include/linux/netdevice.h */
export const GRO_MERGED = 0
/** The packet is held, to see whether more of its flow follows. @kernel GRO_HELD include/linux/netdevice.h */
export const GRO_HELD = 2
/** The packet went up as it is. @kernel GRO_NORMAL include/linux/netdevice.h */
export const GRO_NORMAL = 3

/** One held packet and what the next of its flow must look like. Made once, used again. @kernel struct napi_gro_cb include/net/gro.h */
export class GroFlow {
  skb: SkBuff | null = null
  /** Last packet on `skb`'s fragment list. */
  last: SkBuff | null = null
  v6 = false
  proto = 0
  /** Packets merged, the first included. */
  count = 0
  /** Payload bytes of each, all but the last. */
  mss = 0
  /** TCP: sequence number that comes next, as int32. */
  nextSeq = 0
  /** IPv4: all segments carry the first one's identification. */
  fixedId = false
  /** Jiffies when it was held. */
  age = 0
}

/** The flows held whose hash falls together, oldest first. @kernel struct gro_list include/linux/netdevice.h */
export class GroBucket {
  count = 0
  readonly flows: GroFlow[] = Array.from({ length: MAX_GRO_SKBS }, () => new GroFlow())
}

/**
 * Generic receive offload of one NAPI instance: packets of a flow that follow each other become one.
 *
 * It fits `NapiFlushHook` of `@vnet/napi`: set it as `napi.flushHook`, and the poll loop flushes it.
 *
 * @kernel struct gro_node include/linux/netdevice.h
 */
export class GroNode {
  declare readonly kernel: Kernel
  declare readonly dev: NetDevice<any>
  declare readonly buckets: readonly GroBucket[]
  /** Packets held. */
  declare count: number
  /** How many packets were merged into another, and how many such packets went up. */
  declare merged: number
  declare completed: number

  constructor(dev: NetDevice<any>) {
    this.kernel = dev.kernel
    this.dev = dev
    this.buckets = Array.from({ length: GRO_HASH_BUCKETS }, () => new GroBucket())
    this.count = 0
    this.merged = 0
    this.completed = 0
  }

  /** Passes up what is held; with `flushOld` only what was held before this jiffy. Called by the poll loop. @kernel gro_flush() include/net/gro.h */
  flush(flushOld: boolean): void {
    groFlush(this, flushOld)
  }
}

/** The bucket of a flow, from words of its addresses and ports. @kernel none */
export function groBucket(gro: GroNode, mixed: number): GroBucket {
  let h = mixed ^ (mixed >>> 16)
  h ^= h >>> 8
  return gro.buckets[(h ^ (h >>> 4)) & (GRO_HASH_BUCKETS - 1)]!
}

/** Takes a flow out of its bucket, the order of the others kept. @returns the flow, still filled @kernel none */
export function groRemove(gro: GroNode, bucket: GroBucket, index: number): GroFlow {
  const { flows } = bucket
  const flow = flows[index]!
  const last = bucket.count - 1
  for (let i = index; i < last; i++) flows[i] = flows[i + 1]!
  flows[last] = flow
  bucket.count = last
  gro.count--
  return flow
}

/** Holds a packet as the first of its flow; the bucket has room. @kernel dev_gro_receive() net/core/gro.c */
export function groHold(gro: GroNode, bucket: GroBucket, skb: SkBuff): GroFlow {
  const flow = bucket.flows[bucket.count]!
  bucket.count++
  gro.count++
  flow.skb = skb
  flow.last = null
  flow.count = 1
  flow.fixedId = false
  const { clock } = gro.kernel
  // The poll that brought the packet has read the clock.
  flow.age = Math.floor(clock.lastSeen / clock.tickNs)
  return flow
}

/**
 * Hangs the payload of a packet onto the held one: no byte is copied.
 *
 * @param pull - bytes of headers in front of the payload
 * @kernel skb_gro_receive() net/core/gro.c
 */
export function groMerge(gro: GroNode, flow: GroFlow, skb: SkBuff, pull: number): void {
  const head = flow.skb!
  skb.data += pull
  skb.len -= pull
  if (flow.last === null) head.shinfo.fragList = skb
  else flow.last.next = skb
  flow.last = skb
  head.len += skb.len
  head.dataLen += skb.len
  head.truesize += skb.truesize
  flow.count++
  gro.merged++
}
