/** An address and what is known under it. */
interface Entry<V> {
  readonly addr: Uint8Array
  value: V
}

/** A map whose keys are IPv6 addresses: looking up allocates nothing. @kernel inet6_addr_hash() net/ipv6/addrconf.c */
export class Ip6AddrMap<V> {
  readonly #byHash = new Map<number, Entry<V>[]>()
  size = 0

  get(addr: Uint8Array, off = 0): V | undefined {
    const list = this.#byHash.get(hashOf(addr, off))
    if (list === undefined) return undefined
    for (let i = 0; i < list.length; i++) if (isAt(list[i]!.addr, addr, off)) return list[i]!.value
    return undefined
  }

  has(addr: Uint8Array): boolean {
    return this.get(addr) !== undefined
  }

  /** The address is copied. */
  set(addr: Uint8Array, value: V): void {
    const hash = hashOf(addr, 0)
    const list = this.#byHash.get(hash)
    const known = list?.find((entry) => isAt(entry.addr, addr, 0))
    if (known !== undefined) {
      known.value = value
      return
    }
    const entry = { addr: addr.slice(), value }
    if (list === undefined) this.#byHash.set(hash, [entry])
    else list.push(entry)
    this.size++
  }

  delete(addr: Uint8Array): void {
    const hash = hashOf(addr, 0)
    const list = this.#byHash.get(hash)
    const at = list?.findIndex((entry) => isAt(entry.addr, addr, 0)) ?? -1
    if (list === undefined || at < 0) return
    list.splice(at, 1)
    if (list.length === 0) this.#byHash.delete(hash)
    this.size--
  }

  clear(): void {
    this.#byHash.clear()
    this.size = 0
  }
}

function hashOf(addr: Uint8Array, off: number): number {
  let hash = 0
  for (let i = 0; i < 16; i++) hash = Math.imul(hash ^ addr[off + i]!, 0x01000193)
  return hash | 0
}

function isAt(a: Uint8Array, b: Uint8Array, off: number): boolean {
  for (let i = 0; i < 16; i++) if (a[i] !== b[off + i]) return false
  return true
}
