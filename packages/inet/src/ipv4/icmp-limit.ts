import type { Kernel } from '@vnet/kernel'
import type { Ipv4Sysctl } from './ipv4.ts'

/** So many messages a silent host may get at once. @kernel XRLIM_BURST_FACTOR net/ipv4/route.c */
const BURST_FACTOR = 6
const MOST_PEERS = 1024

/** Keeps this machine from being made to send ICMP errors in masses. @kernel icmp_global_allow() net/ipv4/icmp.c */
export class IcmpLimits {
  readonly #kernel: Kernel
  readonly #sysctl: Ipv4Sysctl
  readonly #peers = new Map<number, { tokens: number; last: number }>()
  #credit = 0
  #stamp = -Infinity

  constructor(kernel: Kernel, sysctl: Ipv4Sysctl) {
    this.#kernel = kernel
    this.#sysctl = sysctl
  }

  /** True for types without a limit. @kernel icmpv4_mask_allow() net/ipv4/icmp.c */
  isFree(type: number): boolean {
    return type > 31 || ((this.#sysctl.icmpRatemask >>> type) & 1) === 0
  }

  /** Whether the machine as a whole may send one more. @kernel icmp_global_allow() net/ipv4/icmp.c */
  globalAllow(): boolean {
    const { hz, jiffies } = this.#kernel.clock
    const passed = Math.min(jiffies - this.#stamp, hz)
    const fresh = Math.floor((this.#sysctl.icmpMsgsPerSec * passed) / hz)
    if (fresh > 0) {
      this.#stamp = jiffies
      this.#credit = Math.min(this.#credit + fresh, this.#sysctl.icmpMsgsBurst)
    }
    if (this.#credit <= 0) return false
    this.#credit--
    return true
  }

  /** Whether one host may get one more. @kernel inet_peer_xrlim_allow() net/ipv4/inetpeer.c */
  peerAllow(host: number): boolean {
    const { hz, jiffies } = this.#kernel.clock
    const timeout = (this.#sysctl.icmpRatelimit * hz) / 1000
    if (timeout === 0) return true
    const known = this.#peers.get(host)
    this.#peers.delete(host)
    if (this.#peers.size >= MOST_PEERS) this.#peers.delete(this.#peers.keys().next().value!)
    const peer = known ?? { tokens: BURST_FACTOR * timeout, last: jiffies }
    peer.tokens = Math.min(peer.tokens + jiffies - peer.last, BURST_FACTOR * timeout)
    peer.last = jiffies
    const allow = peer.tokens >= timeout
    if (allow) peer.tokens -= timeout
    this.#peers.set(host, peer)
    return allow
  }
}
