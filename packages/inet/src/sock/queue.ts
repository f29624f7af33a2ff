import type { InetAddr } from '../types/objects.ts'

/** What a queued datagram weighs beside its bytes. @kernel SKB_TRUESIZE() include/linux/skbuff.h */
export const DATAGRAM_OVERHEAD = 576

/** A received datagram. @kernel struct msghdr include/linux/socket.h */
export interface Datagram {
  readonly bytes: Uint8Array
  readonly from: InetAddr
  /** The address it was sent to. */
  readonly to: Uint8Array
  readonly ifindex: number
  readonly ttl: number
  readonly tos: number
  /** Nanoseconds since boot. */
  readonly tstamp: number
}

/** An entry of the error queue. @kernel struct sock_extended_err include/uapi/linux/errqueue.h */
export interface SockError {
  /** Positive errno. */
  readonly errno: number
  /** `SoEeOrigin`. */
  readonly origin: number
  readonly type: number
  readonly code: number
  /** An MTU, for EMSGSIZE. */
  readonly info: number
  /** Who reported it; null for the machine itself. */
  readonly offender: InetAddr | null
  /** Where the datagram was to go. */
  readonly to: InetAddr
  /** What came after the network header in the datagram, as far as the report quotes it. */
  readonly bytes: Uint8Array
  readonly tstamp: number
}

/** Things that wait to be read, bounded by their weight. @kernel sk_receive_queue include/net/sock.h */
export class BoundedQueue<T extends { readonly bytes: Uint8Array }> {
  readonly #items: T[] = []
  #weight = 0

  get length(): number {
    return this.#items.length
  }

  /** Bytes that wait, with what they weigh beside. @kernel sk_rmem_alloc include/net/sock.h */
  get weight(): number {
    return this.#weight
  }

  /** Adds one unless `limit` is reached. @returns false when there is no room @kernel sock_queue_rcv_skb() net/core/sock.c */
  push(item: T, limit: number): boolean {
    if (this.#weight >= limit) return false
    this.#items.push(item)
    this.#weight += item.bytes.length + DATAGRAM_OVERHEAD
    return true
  }

  /** The first, left where it is. */
  peek(): T | null {
    return this.#items[0] ?? null
  }

  /** Takes the first. */
  shift(): T | null {
    const item = this.#items.shift()
    if (item === undefined) return null
    this.#weight -= item.bytes.length + DATAGRAM_OVERHEAD
    return item
  }

  /** Forgets all. */
  clear(): void {
    this.#items.length = 0
    this.#weight = 0
  }
}
