import type { RxFilter } from './hw.ts'

const hi = (m: Uint8Array, o: number): number => (m[o]! << 8) | m[o + 1]!
const lo = (m: Uint8Array, o: number): number =>
  (m[o + 2]! << 24) | (m[o + 3]! << 16) | (m[o + 4]! << 8) | m[o + 5]!

/** Addresses as pairs of numbers, so that a look-up compares numbers and allocates nothing. */
class AddressTable {
  private readonly his: number[] = []
  private readonly los: number[] = []

  constructor(addresses: readonly Uint8Array[]) {
    for (const address of addresses) {
      this.his.push(hi(address, 0))
      this.los.push(lo(address, 0))
    }
  }

  has(h: number, l: number): boolean {
    for (let i = 0; i < this.his.length; i++) if (this.los[i] === l && this.his[i] === h) return true
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
  /** The first unicast address; -1 is no 16-bit number. */
  private firstHi = -1
  private firstLo = -1

  constructor(own: Uint8Array) {
    this.own = own
    this.unicast = new AddressTable([])
    this.reset()
  }

  set(filter: RxFilter): void {
    this.promiscuous = filter.promiscuous
    this.allMulticast = filter.allMulticast
    this.unicast = new AddressTable(filter.unicast)
    this.multicast = new AddressTable(filter.multicast)
    const first = filter.unicast[0]
    this.firstHi = first === undefined ? -1 : hi(first, 0)
    this.firstLo = first === undefined ? -1 : lo(first, 0)
  }

  reset(): void {
    this.set({ promiscuous: false, allMulticast: false, unicast: [this.own], multicast: [] })
  }

  /** True when a frame whose destination address starts at `offset` is for this card. */
  accepts(mem: Uint8Array, offset: number): boolean {
    // Nearly every frame is for the first address.
    const low =
      (mem[offset + 2]! << 24) | (mem[offset + 3]! << 16) | (mem[offset + 4]! << 8) | mem[offset + 5]!
    const own = low === this.firstLo && ((mem[offset]! << 8) | mem[offset + 1]!) === this.firstHi
    return own || this.acceptsOther(mem, offset)
  }

  private acceptsOther(mem: Uint8Array, offset: number): boolean {
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
