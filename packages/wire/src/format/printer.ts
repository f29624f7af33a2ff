import { formatIpv4AddressAt } from '../ipv4-address.ts'
import { formatIpv6Address } from '../ipv6-address.ts'
import { formatMac } from '../mac.ts'
import { getUnalignedBe16, getUnalignedBe32 } from '../bytes.ts'
import type { TcpFlows } from './flows.ts'
import { hexDump } from './hex.ts'

/** Thrown by the printer's readers at the end of the bytes and caught in `formatFrame`; never seen outside. */
export const CUT_SHORT = Symbol('cut short')

/**
 * The line as far as it is written, and bounds-checked reading for those who write it.
 *
 * A read past `end` abandons the line there, and `formatFrame` adds ` [|udp]` as tcpdump does: so each protocol's
 * file reads as if the bytes were always there.
 */
export class Printer {
  text: string
  readonly bytes: Uint8Array
  /** One past the last byte that may be read: of the capture, or of the packet if that ends before. */
  end: number
  /** What stands in the mark when the bytes end: the protocol being printed. */
  protocol: string
  /** Packets inside packets so far. */
  depth: number
  readonly link: boolean
  readonly flows: TcpFlows | null
  private readonly dumps: boolean

  constructor(bytes: Uint8Array, end: number, link: boolean, dumps: boolean, flows: TcpFlows | null) {
    this.text = ''
    this.bytes = bytes
    this.end = end
    this.protocol = ''
    this.depth = 0
    this.link = link
    this.flows = flows
    this.dumps = dumps
  }

  add(text: string): void {
    this.text += text
  }

  has(at: number, count: number): boolean {
    return at + count <= this.end
  }

  need(at: number, count: number): void {
    if (at + count > this.end) throw CUT_SHORT
  }

  u8(at: number): number {
    this.need(at, 1)
    return this.bytes[at]!
  }

  u16(at: number): number {
    this.need(at, 2)
    return getUnalignedBe16(this.bytes, at)
  }

  u32(at: number): number {
    this.need(at, 4)
    return getUnalignedBe32(this.bytes, at)
  }

  mac(at: number): string {
    this.need(at, 6)
    return formatMac(this.bytes, at)
  }

  ipv4(at: number): string {
    this.need(at, 4)
    return formatIpv4AddressAt(this.bytes, at)
  }

  /** Like tcpdump, which prints ::/96 as the old IPv4-compatible addresses; RFC 5952 does not. */
  ipv6(at: number): string {
    this.need(at, 16)
    for (let i = 0; i < 12; i++) if (this.bytes[at + i] !== 0) return formatIpv6Address(this.bytes, at)
    const compatible = getUnalignedBe16(this.bytes, at + 12) !== 0
    return compatible ? '::' + formatIpv4AddressAt(this.bytes, at + 12) : formatIpv6Address(this.bytes, at)
  }

  cutShort(): void {
    this.add(` [|${this.protocol}]`)
  }

  /** Bytes nobody could read: tcpdump dumps them; without dumps the line ends tidily. */
  dump(at: number, count: number): void {
    if (!this.dumps) {
      this.text = this.text.replace(/[: ]+$/, '')
      return
    }
    const there = Math.min(count, this.end - at)
    this.add(hexDump(this.bytes, at, there))
    if (there < count) throw CUT_SHORT
  }

  /** A message of an unknown kind: tcpdump dumps what is there of it, without characters. */
  dumpUnknown(at: number, count: number): void {
    if (this.dumps) this.add(hexDump(this.bytes, at, Math.min(count, this.end - at), false))
  }
}
