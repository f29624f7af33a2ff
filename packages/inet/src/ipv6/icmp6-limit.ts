import type { Kernel } from '@vnet/kernel'
import { ipv6AddrKey } from './address.ts'

/** Errors a second for everybody together, and how many at once. @kernel sysctl_icmp_msgs_per_sec net/ipv4/icmp.c */
const GLOBAL_RATE = 1000
const GLOBAL_BURST = 50
/** One token a second for a receiver, at most six saved. @kernel XRLIM_BURST_FACTOR net/ipv4/route.c */
const HOST_BURST = 6
/** Receivers remembered. */
const MAX_HOSTS = 256

interface Bucket {
  /** In seconds. */
  tokens: number
  stamp: number
}

/**
 * How many errors may be sent: a second, and to one receiver.
 *
 * @kernel icmpv6_xrlim_allow() net/ipv6/icmp.c
 */
export class Icmp6Limit {
  readonly #kernel: Kernel
  readonly #hosts = new Map<string, Bucket>()
  readonly #global: Bucket = { tokens: GLOBAL_BURST, stamp: 0 }

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** Takes a token of everybody's. */
  globalAllow(): boolean {
    return take(this.#global, this.#kernel.clock.ktimeGet(), GLOBAL_RATE, GLOBAL_BURST)
  }

  /** Takes a token of one receiver's. */
  hostAllow(dst: Uint8Array): boolean {
    const now = this.#kernel.clock.ktimeGet()
    const key = ipv6AddrKey(dst)
    let bucket = this.#hosts.get(key)
    if (bucket === undefined) {
      if (this.#hosts.size >= MAX_HOSTS) this.#hosts.delete(this.#hosts.keys().next().value!)
      bucket = { tokens: HOST_BURST, stamp: now }
      this.#hosts.set(key, bucket)
    }
    return take(bucket, now, 1, HOST_BURST)
  }
}

function take(bucket: Bucket, now: number, rate: number, burst: number): boolean {
  bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.stamp) / 1e9) * rate)
  bucket.stamp = now
  if (bucket.tokens < 1) return false
  bucket.tokens--
  return true
}
