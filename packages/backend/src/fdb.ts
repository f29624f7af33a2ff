import type { Ktime } from '@vnet/kernel'
import { formatMac, getUnalignedBe16, getUnalignedBe32, putUnalignedBe16, putUnalignedBe32 } from '@vnet/wire'

const WAYS = 4

/**
 * One station a switch knows.
 *
 * @kernel struct net_bridge_fdb_entry net/bridge/br_private.h
 */
export interface FdbEntry {
  /** `02:00:00:00:00:01`. */
  readonly mac: string
  readonly port: number
  /** Since a frame of it was last seen. */
  readonly ageNs: Ktime
}

/**
 * The addresses a switch has learned, in memory made once: buckets of four, the oldest of a full bucket gives way.
 *
 * @kernel br_fdb_update() net/bridge/br_fdb.c
 */
export class ForwardingTable {
  readonly #ageingNs: Ktime
  readonly #mask: number
  readonly #high: Int32Array
  readonly #low: Int32Array
  readonly #port: Int32Array
  readonly #seen: Float64Array

  /** @param buckets - a power of two; the table holds four times as many addresses */
  constructor(ageingNs: Ktime, buckets: number) {
    this.#ageingNs = ageingNs
    this.#mask = buckets - 1
    this.#high = new Int32Array(buckets * WAYS)
    this.#low = new Int32Array(buckets * WAYS)
    this.#port = new Int32Array(buckets * WAYS).fill(-1)
    this.#seen = new Float64Array(buckets * WAYS)
  }

  /** Notes that an address is behind a port. `at` is the address's first byte. */
  learn(mem: Uint8Array, at: number, port: number, now: Ktime): void {
    const high = getUnalignedBe16(mem, at)
    const low = getUnalignedBe32(mem, at + 2) | 0
    let way = this.#find(high, low)
    if (way < 0) {
      way = this.#victim(this.#bucket(high, low), now)
      this.#high[way] = high
      this.#low[way] = low
    }
    this.#port[way] = port
    this.#seen[way] = now
  }

  /** The port an address is behind, or -1. */
  lookup(mem: Uint8Array, at: number, now: Ktime): number {
    const way = this.#find(getUnalignedBe16(mem, at), getUnalignedBe32(mem, at + 2) | 0)
    return way < 0 || this.#aged(way, now) ? -1 : this.#port[way]!
  }

  /** Forgets what is behind a port. */
  flushPort(port: number): void {
    for (let way = 0; way < this.#port.length; way++) if (this.#port[way] === port) this.#port[way] = -1
  }

  /** What is known now, by port, then address. */
  list(now: Ktime): FdbEntry[] {
    const entries: FdbEntry[] = []
    for (let way = 0; way < this.#port.length; way++) {
      const port = this.#port[way]!
      if (port < 0 || this.#aged(way, now)) continue
      entries.push({ mac: this.#text(way), port, ageNs: now - this.#seen[way]! })
    }
    return entries.sort((a, b) => a.port - b.port || (a.mac < b.mac ? -1 : 1))
  }

  #aged(way: number, now: Ktime): boolean {
    return now - this.#seen[way]! >= this.#ageingNs
  }

  #bucket(high: number, low: number): number {
    const hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b)
    return ((hash ^ (hash >>> 15)) & this.#mask) * WAYS
  }

  #find(high: number, low: number): number {
    const first = this.#bucket(high, low)
    for (let way = first; way < first + WAYS; way++) {
      if (this.#port[way]! >= 0 && this.#low[way] === low && this.#high[way] === high) return way
    }
    return -1
  }

  #victim(first: number, now: Ktime): number {
    let oldest = first
    for (let way = first; way < first + WAYS; way++) {
      if (this.#port[way]! < 0 || this.#aged(way, now)) return way
      if (this.#seen[way]! < this.#seen[oldest]!) oldest = way
    }
    return oldest
  }

  #text(way: number): string {
    const mac = new Uint8Array(6)
    putUnalignedBe16(this.#high[way]!, mac, 0)
    putUnalignedBe32(this.#low[way]!, mac, 2)
    return formatMac(mac)
  }
}
