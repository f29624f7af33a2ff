import { IpProto } from '../ip-protocol.ts'
import { HEX } from '../mac.ts'
import { printIcmp } from './icmp.ts'
import { printIcmpv6 } from './icmpv6.ts'
import { printIgmp } from './igmp.ts'
import { printIpv4 } from './ipv4.ts'
import { printIpv6 } from './ipv6.ts'
import type { Printer } from './printer.ts'
import { printTcp } from './tcp.ts'
import { printUdp } from './udp.ts'

/** What the transport printers must know of the packet around them. */
export interface Around {
  readonly version: 4 | 6
  readonly protocol: number
  readonly src: string
  readonly dst: string
  /** The first of several fragments: lengths and checksums do not add up. */
  readonly fragmented: boolean
  /** IPv6: the type in the fixed header, when extension headers follow. */
  readonly outerProtocol?: number
}

/** IPv4 in IPv4 in IPv4 … ends somewhere. */
const MAX_DEPTH = 16

/** Prints what an IP packet carries. */
export function printProtocol(p: Printer, around: Around, at: number, length: number): void {
  switch (around.protocol) {
    case IpProto.TCP:
      return printTcp(p, around, at, length)
    case IpProto.UDP:
      return printUdp(p, around, at, length)
    case IpProto.ICMP:
      return around.version === 4 ? printIcmp(p, at, length) : p.add('[ICMP requires IPv4] (invalid)')
    case IpProto.ICMPV6:
      if (around.version === 6) return printIcmpv6(p, at, length)
      return p.add('[ICMPv6 requires IPv6] (invalid)')
    case IpProto.IGMP:
      return around.version === 4 ? printIgmp(p, at, length) : p.add('[IGMP requires IPv4] (invalid)')
    case IpProto.AH:
      return printAh(p, around, at, length)
    case IpProto.ESP:
      return printEsp(p, at, length)
    case 4:
    case 41:
      if (++p.depth > MAX_DEPTH) break
      return around.protocol === 4 ? printIpv4(p, at, length) : printIpv6(p, at, length)
    case IpProto.NONE:
      return p.add('no next header')
  }
  p.add(` ip-proto-${around.protocol} ${length}`)
}

function printAh(p: Printer, around: Around, at: number, length: number): void {
  p.protocol = 'ah'
  if (!p.has(at, 1)) return p.cutShort()
  const next = p.u8(at)
  p.add('AH')
  const size = (p.u8(at + 1) + 2) * 4
  p.add('(')
  const reserved = p.u16(at + 2)
  if (reserved !== 0) p.add(`reserved=0x${reserved.toString(16)}[MustBeZero],`)
  p.add(
    `spi=0x${p
      .u32(at + 4)
      .toString(16)
      .padStart(8, '0')},`,
  )
  p.add(`seq=0x${p.u32(at + 8).toString(16)},`)
  p.add('icv=0x')
  for (let i = 12; i < size; i++) p.add(HEX[p.u8(at + i)]!)
  p.add('): ')
  if (++p.depth > MAX_DEPTH) return
  printProtocol(p, { ...around, protocol: next, outerProtocol: IpProto.AH }, at + size, (length - size) >>> 0)
}

function printEsp(p: Printer, at: number, length: number): void {
  p.protocol = 'esp'
  if (!p.has(at, 9)) return p.cutShort()
  p.add('ESP')
  const spi = p.u32(at).toString(16).padStart(8, '0')
  p.add(`(spi=0x${spi},seq=0x${p.u32(at + 4).toString(16)})`)
  p.add(`, length ${length}`)
}
