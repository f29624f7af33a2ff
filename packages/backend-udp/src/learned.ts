import type { Ktime } from '@vnet/kernel'

const AGEING_NS = 300e9
const LIMIT = 4096

/** Which remote an Ethernet address was last seen behind. */
export class LearnedAddresses {
  readonly #seen = new Map<number, { remote: number; at: Ktime }>()

  get size(): number {
    return this.#seen.size
  }

  /** A frame with this source came from a remote. Group addresses are nobody's. */
  learn(mem: Uint8Array, at: number, remote: number, now: Ktime): void {
    if ((mem[at]! & 1) !== 0) return
    const key = keyOf(mem, at)
    const entry = this.#seen.get(key)
    if (entry !== undefined) {
      entry.remote = remote
      entry.at = now
      return
    }
    if (this.#seen.size >= LIMIT) this.#forgetOldest()
    this.#seen.set(key, { remote, at: now })
  }

  /** The remote an address is behind, or -1: unknown, forgotten, a group. */
  lookup(mem: Uint8Array, at: number, now: Ktime): number {
    if ((mem[at]! & 1) !== 0) return -1
    const key = keyOf(mem, at)
    const entry = this.#seen.get(key)
    if (entry === undefined) return -1
    if (now - entry.at <= AGEING_NS) return entry.remote
    this.#seen.delete(key)
    return -1
  }

  clear(): void {
    this.#seen.clear()
  }

  /** The one learned first: who floods with sources pushes out his own. */
  #forgetOldest(): void {
    for (const key of this.#seen.keys()) {
      this.#seen.delete(key)
      return
    }
  }
}

function keyOf(mem: Uint8Array, at: number): number {
  const high = (mem[at]! << 8) | mem[at + 1]!
  const low = ((mem[at + 2]! << 24) | (mem[at + 3]! << 16) | (mem[at + 4]! << 8) | mem[at + 5]!) >>> 0
  return high * 0x1_0000_0000 + low
}
