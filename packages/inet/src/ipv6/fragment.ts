import { modTimer, type TimerList, timerDelete, timerSetup } from '@vnet/kernel'
import {
  consumeSkb,
  ETH_P_IPV6,
  kfreeSkb,
  type NetDevice,
  type SkBuff,
  SkbDropReason,
  skbPut,
} from '@vnet/netdev'
import { getUnalignedBe16, Icmpv6Type, putUnalignedBe16 } from '@vnet/wire'
import type { RxInfo } from '../sock/transport.ts'
import { ipv6AddrKey, ipv6AddrScope } from './address.ts'
import { FRAG_HLEN } from './fragment-send.ts'
import { Icmp6Code, icmpv6Send } from './icmp6-send.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import { ip6InputFinish } from './input-finish.ts'
import type { Ipv6 } from './ipv6.ts'
import { ip6Alloc, IPV6_HLEN } from './header.ts'
import { FragQueue } from './reassembly.ts'

/** How long the pieces of a packet wait for the others, in seconds. @kernel IPV6_FRAG_TIMEOUT include/net/ipv6.h */
const FRAG_TIMEOUT = 60
/** Bytes that may wait. @kernel IPV6_FRAG_HIGH_THRESH include/net/ipv6.h */
const HIGH_THRESH = 4 * 1024 * 1024
/** What a piece and a packet weigh beside their bytes. */
const OVERHEAD = 256
/** Code of a parameter problem: the first piece does not hold all headers (RFC 7112). @kernel ICMPV6_HDR_INCOMP include/uapi/linux/icmpv6.h */
const HDR_INCOMP = 3

/** A packet in pieces. */
interface Pending {
  readonly key: string
  readonly dev: NetDevice<any>
  readonly queue: FragQueue
  expires: number
  weight: number
  /** The first piece: all headers before the fragment header, and where the number of what follows stands. */
  head: Uint8Array | null
  field: number
  /** The beginning of the first piece as it came: for the error message. */
  first: Uint8Array | null
}

/**
 * Packets in pieces, of one kernel. Bounded: when full, nothing new begins.
 *
 * @kernel struct fqdir include/net/inet_frag.h
 */
export class Frag6 {
  readonly #ipv6: Ipv6
  /** The oldest first: all wait for the same time. */
  readonly #pending = new Map<string, Pending>()
  readonly #timer: TimerList
  #weight = 0

  constructor(ipv6: Ipv6) {
    this.#ipv6 = ipv6
    this.#timer = timerSetup(
      ipv6.kernel,
      () => {
        this.#expire()
      },
      'ip6_frag',
    )
  }

  /** Packets that wait for more. */
  get size(): number {
    return this.#pending.size
  }

  /** Bytes they weigh. @kernel frag_mem_limit() include/net/inet_frag.h */
  get weight(): number {
    return this.#weight
  }

  /** The packet with this key, begun if need be; null when there is no room. @kernel fq_find() net/ipv6/reassembly.c */
  find(key: string, dev: NetDevice<any>): Pending | null {
    const known = this.#pending.get(key)
    if (known !== undefined) return known
    if (this.#weight > HIGH_THRESH) return null
    const { clock } = this.#ipv6.kernel
    const expires = clock.jiffies + FRAG_TIMEOUT * clock.hz
    const pending = {
      key,
      dev,
      queue: new FragQueue(),
      expires,
      weight: 0,
      head: null,
      field: 0,
      first: null,
    }
    this.#pending.set(key, pending)
    this.add(pending, OVERHEAD)
    if (this.#pending.size === 1) modTimer(this.#timer, expires)
    return pending
  }

  /** A packet weighs more. */
  add(pending: Pending, bytes: number): void {
    pending.weight += bytes
    this.#weight += bytes
  }

  /** Forgets a packet. @kernel inet_frag_kill() net/ipv4/inet_fragment.c */
  kill(pending: Pending): void {
    if (!this.#pending.delete(pending.key)) return
    this.#weight -= pending.weight
    if (this.#pending.size === 0) timerDelete(this.#timer)
  }

  /** Forgets what came through a device that goes down. */
  flushDev(dev: NetDevice<any>): void {
    for (const pending of [...this.#pending.values()]) if (pending.dev === dev) this.kill(pending)
  }

  #expire(): void {
    const { jiffies } = this.#ipv6.kernel.clock
    for (const pending of [...this.#pending.values()]) {
      if (pending.expires > jiffies) {
        modTimer(this.#timer, pending.expires)
        return
      }
      this.kill(pending)
      expired(this.#ipv6, pending)
    }
  }
}

/** The pieces missing did not come. The sender is told if the first one did. @kernel ip6frag_expire_frag_queue() include/net/ipv6_frag.h */
function expired(ipv6: Ipv6, pending: Pending): void {
  const idev = ipv6.devs.get(pending.dev) ?? null
  ipv6.inc(idev, 'ReasmFails')
  ipv6.inc(idev, 'ReasmTimeout')
  if (pending.first === null) return
  const skb = fromBytes(ipv6, pending.first, pending.dev)
  if (skb === null) return
  icmpv6Send(ipv6, skb, Icmpv6Type.TIME_EXCEED, Icmp6Code.EXC_FRAGTIME, 0)
  kfreeSkb(skb, SkbDropReason.NOT_SPECIFIED)
}

/** A packet of these bytes, from its IPv6 header on. */
function fromBytes(ipv6: Ipv6, bytes: Uint8Array, dev: NetDevice<any>): SkBuff | null {
  const skb = ip6Alloc(ipv6, bytes.length)
  if (skb === null) return null
  const at = skbPut(skb, bytes.length)
  skb.mem.set(bytes, at)
  skb.dev = dev
  skb.protocol = ETH_P_IPV6
  skb.networkHeader = at
  return skb
}

/**
 * A piece of a packet came: its fragment header is at `at`. The packet is gone.
 *
 * @kernel ipv6_frag_rcv() net/ipv6/reassembly.c
 */
export function ip6FragRcv(
  ipv6: Ipv6,
  idev: Inet6Dev,
  skb: SkBuff,
  info: RxInfo,
  at: number,
  field: number,
): void {
  const { mem } = skb
  ipv6.inc(idev, 'ReasmReqds')
  if (at + FRAG_HLEN > skb.tail) {
    refuse(ipv6, idev, skb, Icmp6Code.HDR_FIELD, at)
    return
  }
  const word = getUnalignedBe16(mem, at + 2)
  const offset = word & 0xfff8
  const more = (word & 1) !== 0
  if (offset === 0 && !more) {
    // Whole in one piece: it need not wait for anything.
    ipv6.inc(idev, 'ReasmOKs')
    ip6InputFinish(ipv6, idev, skb, info, mem[at]!, at + FRAG_HLEN, at)
    return
  }
  const len = skb.tail - at - FRAG_HLEN
  if (offset === 0 && len < 8) refuse(ipv6, idev, skb, HDR_INCOMP, skb.networkHeader)
  else if (offset + len > 0xffff) refuse(ipv6, idev, skb, Icmp6Code.HDR_FIELD, at + 2)
  else if (more && (len & 7) !== 0) refuse(ipv6, idev, skb, Icmp6Code.HDR_FIELD, skb.networkHeader + 4)
  else queueFragment(ipv6, idev, skb, info, { at, field, offset, more, len })
}

interface Fragment {
  readonly at: number
  readonly field: number
  readonly offset: number
  readonly more: boolean
  readonly len: number
}

function refuse(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, code: number, at: number): void {
  ipv6.inc(idev, 'InHdrErrors')
  icmpv6Send(ipv6, skb, Icmpv6Type.PARAMPROB, code, at - skb.networkHeader)
  kfreeSkb(skb, SkbDropReason.IP_INHDR)
}

function keyOf(info: RxInfo, mem: Uint8Array, at: number, idev: Inet6Dev): string {
  const oneLink = ipv6AddrScope(info.dst) <= 2 || info.multicast || ipv6AddrScope(info.src) <= 2
  const id = `${getUnalignedBe16(mem, at + 4)}.${getUnalignedBe16(mem, at + 6)}`
  return `${ipv6AddrKey(info.src)}${ipv6AddrKey(info.dst)}${id}.${oneLink ? idev.dev.ifindex : 0}`
}

function queueFragment(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, info: RxInfo, piece: Fragment): void {
  const { frags } = ipv6
  const { mem, networkHeader } = skb
  const pending = frags.find(keyOf(info, mem, piece.at, idev), idev.dev)
  if (pending === null) {
    ipv6.inc(idev, 'ReasmFails')
    kfreeSkb(skb, SkbDropReason.NOMEM)
    return
  }
  const from = piece.at + FRAG_HLEN
  const verdict = pending.queue.add(piece.offset, mem.slice(from, from + piece.len), piece.more)
  if (verdict === 'conflict') {
    frags.kill(pending)
    ipv6.inc(idev, 'ReasmFails')
    kfreeSkb(skb, SkbDropReason.NOT_SPECIFIED)
    return
  }
  if (verdict !== 'duplicate') {
    frags.add(pending, piece.len + OVERHEAD)
    if (piece.offset === 0) {
      pending.queue.nextHeader = mem[piece.at]!
      pending.head = mem.slice(networkHeader, piece.at)
      pending.field = piece.field - networkHeader
      pending.first = mem.slice(networkHeader, Math.min(skb.tail, networkHeader + 1280))
    }
  }
  if (verdict === 'complete') reassemble(ipv6, idev, skb, info, pending)
  consumeSkb(skb)
}

/** All pieces are here. @kernel ip6_frag_reasm() net/ipv6/reassembly.c */
function reassemble(ipv6: Ipv6, idev: Inet6Dev, last: SkBuff, info: RxInfo, pending: Pending): void {
  ipv6.frags.kill(pending)
  const head = pending.head!
  const payload = pending.queue.assemble()
  const length = head.length - IPV6_HLEN + payload.length
  const whole = length > 0xffff ? null : ip6Alloc(ipv6, head.length + payload.length)
  if (whole === null) {
    ipv6.inc(idev, 'ReasmFails')
    return
  }
  const at = skbPut(whole, head.length + payload.length)
  whole.mem.set(head, at)
  whole.mem.set(payload, at + head.length)
  whole.mem[at + pending.field] = pending.queue.nextHeader
  putUnalignedBe16(length, whole.mem, at + 4)
  whole.dev = idev.dev
  whole.protocol = ETH_P_IPV6
  whole.pktType = last.pktType
  whole.networkHeader = at
  ipv6.inc(idev, 'ReasmOKs')
  const { nextHeader } = pending.queue
  ip6InputFinish(ipv6, idev, whole, info, nextHeader, at + head.length, at + pending.field)
}
