import { type Kernel, modTimer, msecsToJiffies, timerDelete } from '@vnet/kernel'
import {
  allocSkb,
  consumeSkb,
  kfreeSkb,
  type NetDevice,
  type SkBuff,
  SkbDropReason,
  skbCopyBits,
  skbPut,
  skbReserve,
} from '@vnet/netdev'
import { getUnalignedBe16, getUnalignedBe32, putUnalignedBe16 } from '@vnet/wire'
import { type Fragment, FragQueue } from './frag-queue.ts'
import { fragOff, IP_MF, IP_OFFSET, ipCheck, ipHdrLen, IPV4_HLEN } from './header.ts'
import { icmpSend } from './icmp-send.ts'
import type { Ipv4 } from './ipv4.ts'

const HEADROOM = 64

/**
 * The datagrams of which only parts are here, within bounds of memory and time.
 *
 * @kernel struct fqdir include/net/inet_frag.h
 */
export class IpFrags {
  /** Bytes all fragments may weigh. @kernel net.ipv4.ipfrag_high_thresh */
  highThresh = 4 << 20
  /** Milliseconds a datagram may take. @kernel net.ipv4.ipfrag_time */
  timeout = 30_000
  readonly #kernel: Kernel
  readonly #ipv4: Ipv4
  readonly #queues = new Map<string, FragQueue>()
  #mem = 0

  constructor(kernel: Kernel, ipv4: Ipv4) {
    this.#kernel = kernel
    this.#ipv4 = ipv4
  }

  /** Bytes the fragments weigh, and how many datagrams they are of. @kernel /proc/net/sockstat net/ipv4/proc.c */
  get memory(): number {
    return this.#mem
  }

  get inuse(): number {
    return this.#queues.size
  }

  /** Takes a fragment; data stands at its header. @returns the whole datagram when this was the last part, else null @kernel ip_defrag() net/ipv4/ip_fragment.c */
  defrag(skb: SkBuff, dev: NetDevice<any>): SkBuff | null {
    const { ip } = this.#ipv4
    ip.reasmReqds++
    const queue = this.#find(skb, dev)
    if (queue === null) {
      ip.reasmFails++
      kfreeSkb(skb, SkbDropReason.NOMEM)
      return null
    }
    if (!this.#add(queue, skb)) return null
    queue.dev = dev
    return queue.complete ? this.#reassemble(queue) : null
  }

  /** Drops what came through a device that goes away. @kernel none */
  forgetDevice(dev: NetDevice<any>): void {
    for (const queue of [...this.#queues.values()]) {
      if (queue.fragments.some(({ skb }) => skb.dev === dev)) this.#kill(queue)
    }
  }

  #find(skb: SkBuff, dev: NetDevice<any>): FragQueue | null {
    const { mem, data } = skb
    const key = `${getUnalignedBe32(mem, data + 12)} ${getUnalignedBe32(mem, data + 16)} ${getUnalignedBe16(mem, data + 4)} ${mem[data + 9]!} ${dev.ifindex}`
    const known = this.#queues.get(key)
    if (known !== undefined) return known
    if (this.#mem > this.highThresh) return null
    const queue = new FragQueue(this.#kernel, key, (q) => this.#expire(q))
    this.#queues.set(key, queue)
    modTimer(queue.timer, this.#kernel.clock.jiffies + msecsToJiffies(this.#kernel, this.timeout))
    return queue
  }

  /** @returns false when it was dropped, alone or with all the others @kernel ip_frag_queue() net/ipv4/ip_fragment.c */
  #add(queue: FragQueue, skb: SkBuff): boolean {
    const { mem, data } = skb
    const hlen = ipHdrLen(mem, data)
    const field = fragOff(mem, data)
    const offset = (field & IP_OFFSET) * 8
    const more = (field & IP_MF) !== 0
    let end = offset + skb.len - hlen
    if (more) end &= ~7
    const result = placeEnd(queue, end, more) && end > offset ? queue.insert(offset, end) : 'overlap'
    if (result === 'duplicate') {
      kfreeSkb(skb, SkbDropReason.NOT_SPECIFIED)
      return false
    }
    if (result === 'overlap') {
      kfreeSkb(skb, SkbDropReason.NOT_SPECIFIED)
      this.#ipv4.ip.reasmFails++
      this.#kill(queue)
      return false
    }
    this.#keep(queue, { skb, offset, len: end - offset }, hlen)
    return true
  }

  #keep(queue: FragQueue, fragment: Fragment, hlen: number): void {
    const { skb } = fragment
    queue.fragments.push(fragment)
    queue.meat += fragment.len
    queue.mem += skb.truesize
    this.#mem += skb.truesize
    if (fragment.offset === 0) queue.firstIn = true
    queue.maxSize = Math.max(queue.maxSize, fragment.len + hlen)
  }

  /** @kernel ip_frag_reasm() net/ipv4/ip_fragment.c */
  #reassemble(queue: FragQueue): SkBuff | null {
    const { ip } = this.#ipv4
    const head = queue.fragments.find(({ offset }) => offset === 0)!
    const hlen = ipHdrLen(head.skb.mem, head.skb.data)
    const total = hlen + queue.len
    const whole = total > 0xffff ? null : allocSkb(this.#kernel, HEADROOM + total)
    if (whole === null) {
      ip.reasmFails++
      this.#kill(queue)
      return null
    }
    skbReserve(whole, HEADROOM)
    const at = skbPut(whole, total)
    skbCopyBits(head.skb, 0, whole.mem, at, hlen)
    for (const { skb, offset, len } of queue.fragments) {
      skbCopyBits(skb, ipHdrLen(skb.mem, skb.data), whole.mem, at + hlen + offset, len)
    }
    describe(whole, head.skb)
    putUnalignedBe16(total, whole.mem, at + 2)
    putUnalignedBe16(0, whole.mem, at + 6)
    ipCheck(whole.mem, at)
    ip.reasmOks++
    for (const { skb } of queue.fragments) consumeSkb(skb)
    queue.fragments.length = 0
    this.#kill(queue)
    return whole
  }

  /** @kernel ip_expire() net/ipv4/ip_fragment.c */
  #expire(queue: FragQueue): void {
    const { ip } = this.#ipv4
    ip.reasmTimeout++
    ip.reasmFails++
    const head = queue.fragments.find(({ offset }) => offset === 0)
    if (head !== undefined) icmpSend(this.#ipv4, head.skb, 11, 1)
    this.#kill(queue)
  }

  /** @kernel inet_frag_kill() net/ipv4/inet_fragment.c */
  #kill(queue: FragQueue): void {
    timerDelete(queue.timer)
    this.#queues.delete(queue.key)
    this.#mem -= queue.mem
    queue.mem = 0
    queue.purge()
  }
}

/** Whether a piece that ends here can be: the last one says where all end. */
function placeEnd(queue: FragQueue, end: number, more: boolean): boolean {
  if (end > 0xffff - IPV4_HLEN + 8) return false
  if (!more) {
    if (end < queue.len || (queue.lastIn && end !== queue.len)) return false
    queue.lastIn = true
    queue.len = end
  } else if (end > queue.len) {
    if (queue.lastIn) return false
    queue.len = end
  }
  return true
}

/** What the stack knows of the first fragment holds for the whole. */
function describe(whole: SkBuff, head: SkBuff): void {
  whole.dev = head.dev
  whole.protocol = head.protocol
  whole.pktType = head.pktType
  whole.networkHeader = whole.data
  whole.macHeader = whole.data
  whole.priority = head.priority
  whole.mark = head.mark
}
