import type { MemoryRegion } from '@vnet/kernel'
import type { BufferStack } from './buffer-stack.ts'
import type { NetDevice } from './netdevice.ts'
import type { SkbCache } from './skb-cache.ts'

/** Most page fragments one buffer can carry. @kernel MAX_SKB_FRAGS include/linux/skbuff.h */
export const MAX_SKB_FRAGS = 17
/** Headroom every receive buffer gets: room for headers somebody may push later. @kernel NET_SKB_PAD include/linux/skbuff.h @rule RX-11 */
export const NET_SKB_PAD = 64
/** Two bytes before the 14 byte Ethernet header put the IP header on a multiple of four. @kernel NET_IP_ALIGN include/linux/skbuff.h @rule RX-10 */
export const NET_IP_ALIGN = 2
/** What an sk_buff and its shared info weigh in `truesize` beside the data. @kernel SKB_TRUESIZE() include/linux/skbuff.h */
export const SKB_OVERHEAD = 576

/** The largest buffer there is: a 64 KiB packet with headroom. @kernel none */
export const SKB_MAX_ALLOC = 69632

/** Nobody looked at the checksum. @kernel CHECKSUM_NONE include/linux/skbuff.h @rule CSUM-03 */
export const CHECKSUM_NONE = 0
/** The card checked it and it is good. @kernel CHECKSUM_UNNECESSARY include/linux/skbuff.h @rule CSUM-03 */
export const CHECKSUM_UNNECESSARY = 1
/** `csum` holds the sum over the whole packet after the link header. @kernel CHECKSUM_COMPLETE include/linux/skbuff.h @rule CSUM-03 */
export const CHECKSUM_COMPLETE = 2
/** Sum from `csumStart` to the end, store at `csumStart + csumOffset`. @kernel CHECKSUM_PARTIAL include/linux/skbuff.h @rule CSUM-01 */
export const CHECKSUM_PARTIAL = 3

/** To us. @kernel PACKET_HOST include/uapi/linux/if_packet.h */
export const PACKET_HOST = 0
/** To all. @kernel PACKET_BROADCAST include/uapi/linux/if_packet.h */
export const PACKET_BROADCAST = 1
/** To a group. @kernel PACKET_MULTICAST include/uapi/linux/if_packet.h */
export const PACKET_MULTICAST = 2
/** To someone else; seen because the card is promiscuous. @kernel PACKET_OTHERHOST include/uapi/linux/if_packet.h */
export const PACKET_OTHERHOST = 3
/** Leaving from here; only taps see this type. @kernel PACKET_OUTGOING include/uapi/linux/if_packet.h */
export const PACKET_OUTGOING = 4
/** Looped back. @kernel PACKET_LOOPBACK include/uapi/linux/if_packet.h */
export const PACKET_LOOPBACK = 5

/** Segments are TCP over IPv4. @kernel SKB_GSO_TCPV4 include/linux/skbuff.h */
export const SKB_GSO_TCPV4 = 1 << 0
/** The header counts came from an untrusted place. @kernel SKB_GSO_DODGY include/linux/skbuff.h */
export const SKB_GSO_DODGY = 1 << 1
/** CWR is set: only the first segment may carry it. @kernel SKB_GSO_TCP_ECN include/linux/skbuff.h */
export const SKB_GSO_TCP_ECN = 1 << 2
/** All segments carry the same IP identification. @kernel SKB_GSO_TCP_FIXEDID include/linux/skbuff.h */
export const SKB_GSO_TCP_FIXEDID = 1 << 3
/** Segments are TCP over IPv6. @kernel SKB_GSO_TCPV6 include/linux/skbuff.h */
export const SKB_GSO_TCPV6 = 1 << 4
/** Segments are UDP datagrams of one flow. @kernel SKB_GSO_UDP_L4 include/linux/skbuff.h */
export const SKB_GSO_UDP_L4 = 1 << 17

/** A header offset nobody has set yet. @kernel none */
export const SKB_OFFSET_UNSET = -1

/** One piece of data outside the linear part: bytes inside a buffer owned (and counted) by `owner`. @kernel skb_frag_t include/linux/skbuff.h */
export class SkbFrag {
  owner: SkbSharedInfo | null = null
  /** The memory the offset is in, and its region id for the bus address. */
  declare mem: Uint8Array
  region = 0
  offset = 0
  size = 0

  constructor(mem: Uint8Array) {
    this.mem = mem
  }
}

// Numbers get their first value where they are declared, objects are declared only: a bare field would start as
// `undefined`, and V8 would never again know it as a small number, or as an object of one class.

/**
 * What all clones of a buffer share: where the bytes are, how many hold them, and the fragments.
 *
 * Made once with the buffer and reused with it.
 *
 * @kernel struct skb_shared_info include/linux/skbuff.h
 */
export class SkbSharedInfo {
  /** Where it goes back to, and its number there. */
  declare readonly home: BufferStack
  readonly page: number = 0
  /** The sk_buff that rests with this buffer, so that taking the one brings the other. */
  native: SkBuff | null = null
  /** How many hold the data. A free buffer keeps the 1 its next packet begins with. */
  dataref = 1
  nrFrags = 0
  fragList: SkBuff | null = null
  /** First byte and size of the buffer. */
  readonly base: number = 0
  readonly size: number = 0
  readonly region: number = 0
  declare readonly u8: Uint8Array
  declare readonly i32: Int32Array
  /** Grows to MAX_SKB_FRAGS the first time they are needed, then stays. */
  declare readonly frags: SkbFrag[]

  constructor(region: MemoryRegion, base: number, page: number, home: BufferStack) {
    this.home = home
    this.page = page
    this.base = base
    this.size = home.size
    this.region = region.id
    this.u8 = region.u8
    this.i32 = region.i32
    this.frags = []
  }
}

/**
 * One packet: four offsets into a memory, and what the stack knows about the bytes between them.
 *
 * All offsets are absolute in `mem`; the bus address of `data` is `(region, data)`. Objects are
 * pooled with their buffers: after the last free a reference to one is worthless. Fields marked
 * *stale* are not cleared for a new packet: they mean something only together with the field named.
 *
 * @kernel struct sk_buff include/linux/skbuff.h
 * @rule SKB-01
 */
export class SkBuff {
  /** The whole memory region the packet lies in. */
  declare mem: Uint8Array
  declare shinfo: SkbSharedInfo
  declare readonly cache: SkbCache
  dev: NetDevice<any> | null = null
  next: SkBuff | null = null
  region = 0
  head = 0
  data = 0
  tail = 0
  end = 0
  /** All bytes, and those of them that lie in fragments. */
  len = 0
  dataLen = 0
  users = 0
  cloned = false
  /** EtherType in host order, e.g. 0x0800. */
  protocol = 0
  pktType = PACKET_HOST
  ipSummed = CHECKSUM_NONE
  vlanPresent = false
  macHeader = SKB_OFFSET_UNSET
  networkHeader = SKB_OFFSET_UNSET
  transportHeader = SKB_OFFSET_UNSET
  /** Payload bytes of each segment this packet stands for; 0 for an ordinary one. */
  gsoSize = 0
  truesize = 0
  queueMapping = 0
  priority = 0
  /** The flow hash as a signed 32-bit number, 0 when not computed; `skbGetHash` gives it unsigned. */
  hash = 0
  mark = 0
  napiId = 0
  /** `tstamp` holds a time. Apart, because a double lies outside the object: a new packet need not touch it. */
  stamped = false
  /** *Stale* without `gsoSize`. */
  gsoSegs = 0
  gsoType = 0
  /** Free for the owner of the moment, e.g. a qdisc or a driver. *Stale* until the owner sets it. */
  cb = 0
  /** Why it is to be freed, while it waits for that. */
  state = 0
  /** *Stale* without `ipSummed` CHECKSUM_PARTIAL. */
  csumStart = 0
  csumOffset = 0
  /** NaN first makes it a double field, written in place ever after. *Stale* without `stamped`. */
  private time = NaN
  /** The sum as `csumPartial` returns it. *Stale* without `ipSummed` CHECKSUM_COMPLETE. */
  csum = NaN
  /** *Stale* without `vlanPresent`. */
  vlanTci = 0
  vlanProto = 0
  /** The packet before this one on a list. *Stale* when on none. */
  prev: SkBuff | null = null
  /** Which allocation this is; counts up per kernel when rules are checked, else it is the object's number. */
  id = 0
  birthOwner = ''
  birthModule: string | null = null
  birthStack = ''

  constructor(cache: SkbCache, shinfo: SkbSharedInfo) {
    this.mem = shinfo.u8
    this.shinfo = shinfo
    this.cache = cache
    this.region = shinfo.region
    this.head = shinfo.base
    this.data = shinfo.base
    this.tail = shinfo.base
    this.end = shinfo.base
    this.csum = 0
    this.time = 0
  }

  /** Nanoseconds of kernel time, 0 when not stamped. */
  get tstamp(): number {
    return this.stamped ? this.time : 0
  }

  set tstamp(time: number) {
    this.time = time
    this.stamped = time !== 0
  }
}

/** Bytes in the linear part. @kernel skb_headlen() include/linux/skbuff.h */
export function skbHeadlen(skb: SkBuff): number {
  return skb.len - skb.dataLen
}

/** True when part of the data lies in fragments. @kernel skb_is_nonlinear() include/linux/skbuff.h */
export function skbIsNonlinear(skb: SkBuff): boolean {
  return skb.dataLen !== 0
}

/** True when the packet stands for several, to be cut at `gsoSize`. @kernel skb_is_gso() include/linux/skbuff.h */
export function skbIsGso(skb: SkBuff): boolean {
  return skb.gsoSize !== 0
}

/** True when the data continues in a list of other sk_buffs. @kernel skb_has_frag_list() include/linux/skbuff.h */
export function skbHasFragList(skb: SkBuff): boolean {
  return skb.shinfo.fragList !== null
}

/** True when somebody else holds this very object. @kernel skb_shared() include/linux/skbuff.h @rule SKB-04 */
export function skbShared(skb: SkBuff): boolean {
  return skb.users !== 1
}

/** True when somebody else holds the data: writing to it needs `skbUnclone` first. @kernel skb_cloned() include/linux/skbuff.h @rule SKB-04 TXQ-15 */
export function skbCloned(skb: SkBuff): boolean {
  return skb.cloned && skb.shinfo.dataref !== 1
}
