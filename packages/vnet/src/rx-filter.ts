import type { RxFilter } from './hw.ts'

const hi = (m: Uint8Array, o: number): number => (m[o]! << 8) | m[o + 1]!
const lo = (m: Uint8Array, o: number): number =>
  (m[o + 2]! << 24) | (m[o + 3]! << 16) | (m[o + 4]! << 8) | m[o + 5]!

/** Addresses as pairs of numbers, so that a look-up compares numbers and allocates nothing. */
class AddressTable {
  private readonly his: number[] = []
  private readonly los: number[] = []
  /** The first one apart: nearly always it is the only one. -1 is no 16-bit number. */
  private readonly firstHi: number
  private readonly firstLo: number

  constructor(addresses: readonly Uint8Array[]) {
    for (const address of addresses) {
      this.his.push(hi(address, 0))
      this.los.push(lo(address, 0))
    }
    this.firstHi = this.his[0] ?? -1
    this.firstLo = this.los[0] ?? -1
  }

  has(h: number, l: number): boolean {
    if (l === this.firstLo && h === this.firstHi) return true
    for (let i = 1; i < this.his.length; i++) if (this.los[i] === l && this.his[i] === h) return true
    return false
  }
}

/**
 * The receive filter of the card: which destination addresses it keeps.
 *
 * @kernel none
 * @rule RX-09
 */
export class FilterTable {
  private promiscuous = false
  private allMulticast = false
  private unicast: AddressTable
  private multicast = new AddressTable([])
  private readonly own: Uint8Array

  constructor(own: Uint8Array) {
    this.own = own
    this.unicast = new AddressTable([own])
  }

  set(filter: RxFilter): void {
    this.promiscuous = filter.promiscuous
    this.allMulticast = filter.allMulticast
    this.unicast = new AddressTable(filter.unicast)
    this.multicast = new AddressTable(filter.multicast)
  }

  reset(): void {
    this.set({ promiscuous: false, allMulticast: false, unicast: [this.own], multicast: [] })
  }

  /** True when a frame whose destination address starts at `offset` is for this card. */
  accepts(mem: Uint8Array, offset: number): boolean {
    if (this.promiscuous) return true
    const h = hi(mem, offset)
    const l = lo(mem, offset)
    if ((mem[offset]! & 1) === 0) return this.unicast.has(h, l)
    if (h === 0xffff && l === -1) return true
    return this.allMulticast || this.multicast.has(h, l)
  }
}

/** True when the six bytes at `offset` are a group address other than broadcast. */
export function isGroupAddress(mem: Uint8Array, offset: number): boolean {
  return (mem[offset]! & 1) === 1 && !(hi(mem, offset) === 0xffff && lo(mem, offset) === -1)
}
