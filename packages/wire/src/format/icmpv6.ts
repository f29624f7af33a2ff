import { Icmpv6Type } from '../icmpv6.ts'
import { IpProto } from '../ip-protocol.ts'
import { ipv6ExtHdr, ipv6ExtHdrLength } from '../ipv6-extension.ts'
import type { Printer } from './printer.ts'

const NAMES: ReadonlyMap<number, string> = new Map([
  [Icmpv6Type.DEST_UNREACH, 'destination unreachable'],
  [Icmpv6Type.PKT_TOOBIG, 'packet too big'],
  [Icmpv6Type.TIME_EXCEED, 'time exceeded in-transit'],
  [Icmpv6Type.PARAMPROB, 'parameter problem'],
  [Icmpv6Type.ECHO_REQUEST, 'echo request'],
  [Icmpv6Type.ECHO_REPLY, 'echo reply'],
  [Icmpv6Type.MGM_QUERY, 'multicast listener query'],
  [Icmpv6Type.MGM_REPORT, 'multicast listener report'],
  [Icmpv6Type.MGM_REDUCTION, 'multicast listener done'],
  [Icmpv6Type.ROUTER_SOLICITATION, 'router solicitation'],
  [Icmpv6Type.ROUTER_ADVERTISEMENT, 'router advertisement'],
  [Icmpv6Type.NEIGHBOUR_SOLICITATION, 'neighbor solicitation'],
  [Icmpv6Type.NEIGHBOUR_ADVERTISEMENT, 'neighbor advertisement'],
  [Icmpv6Type.REDIRECT, 'redirect'],
  [Icmpv6Type.MLD2_REPORT, 'multicast listener report v2'],
])

/** The space before "unreachable prohibited" is tcpdump's. */
const UNREACHABLE: readonly string[] = [
  'unreachable route',
  ' unreachable prohibited',
  'beyond scope',
  'unreachable address',
  'unreachable port',
]

const PROBLEMS: readonly string[] = ['erroneous', 'next header', 'option', 'incomplete header chain']

/** Prints an ICMPv6 message. */
export function printIcmpv6(p: Printer, at: number, length: number): void {
  p.protocol = 'icmp6'
  if (length === 0) {
    p.add('ICMP6, length 0 (invalid)')
    return
  }
  const type = p.u8(at)
  const name = NAMES.get(type)
  p.add(`ICMP6, ${name ?? `unknown icmp6 type (${type})`}`)
  const code = p.u8(at + 1)
  if (name === undefined) {
    p.add(`, length ${length}`)
    p.dumpUnknown(at, length)
    return
  }
  if (printDetails(p, at, length, type, code)) p.add(`, length ${length}`)
}

/** Prints what depends on the type; false when the line is at its end without a length. */
function printDetails(p: Printer, at: number, length: number, type: number, code: number): boolean {
  switch (type) {
    case Icmpv6Type.DEST_UNREACH:
      return printUnreachable(p, at, length, code)
    case Icmpv6Type.PKT_TOOBIG:
      p.add(`, mtu ${p.u32(at + 4)}`)
      return true
    case Icmpv6Type.TIME_EXCEED:
      if (code === 0) p.add(` for ${p.ipv6(at + 32)}`)
      else p.add(code === 1 ? ' (reassembly)' : `, unknown code (${code})`)
      return true
    case Icmpv6Type.PARAMPROB:
      p.need(at + 32, 16)
      p.add(code < 4 ? `, ${PROBLEMS[code]} - octet ${p.u32(at + 4)}` : `, code-#${code}`)
      return true
    case Icmpv6Type.ECHO_REQUEST:
    case Icmpv6Type.ECHO_REPLY:
      p.add(`, id ${p.u16(at + 4)}, seq ${p.u16(at + 6)}`)
      return true
    case Icmpv6Type.MGM_QUERY:
      if (length === 24) printListener(p, at)
      else if (length >= 28) printQueryV2(p, at, length)
      else p.add(` unknown-version (len ${length}) `)
      return true
    case Icmpv6Type.MGM_REPORT:
    case Icmpv6Type.MGM_REDUCTION:
      printListener(p, at)
      return true
    case Icmpv6Type.NEIGHBOUR_SOLICITATION:
      p.add(`, who has ${p.ipv6(at + 8)}`)
      return true
    case Icmpv6Type.NEIGHBOUR_ADVERTISEMENT:
      p.add(`, tgt is ${p.ipv6(at + 8)}`)
      return true
    case Icmpv6Type.REDIRECT:
      p.add(`, ${p.ipv6(at + 24)}`)
      p.add(` to ${p.ipv6(at + 8)}`)
      return true
    case Icmpv6Type.MLD2_REPORT:
      p.add(length < 8 ? ` [invalid len ${length}]` : `, ${p.u16(at + 6)} group record(s)`)
      return true
    default:
      return true
  }
}

function printUnreachable(p: Printer, at: number, length: number, code: number): boolean {
  const name = UNREACHABLE[code]
  p.add(`, ${name ?? `unknown unreach code (${code})`}`)
  if (name === undefined) {
    p.dumpUnknown(at, length)
    return false
  }
  if (code === 4) return printPort(p, at + 8)
  p.add(` ${p.ipv6(at + 32)}`)
  if (code === 2) p.add(`, source address ${p.ipv6(at + 16)}`)
  return true
}

/** Prints the port nobody listens on, from the packet inside the message. */
function printPort(p: Printer, packet: number): boolean {
  const port = findPort(p, packet)
  if (port === null) {
    p.cutShort()
    return false
  }
  p.add(`, ${p.ipv6(packet + 24)} ${port.protocol === IpProto.TCP ? 'tcp' : 'udp'} port ${port.dstPort}`)
  return true
}

function findPort(
  p: Printer,
  packet: number,
): { readonly protocol: number; readonly dstPort: number } | null {
  if (!p.has(packet + 6, 1)) return null
  let protocol = p.u8(packet + 6)
  let at = packet + 40
  while (ipv6ExtHdr(protocol)) {
    if (!p.has(at, 4)) return null
    if (protocol === IpProto.FRAGMENT && (p.u16(at + 2) & 0xfff8) !== 0) return null
    const size = ipv6ExtHdrLength(p.bytes, at, protocol)
    protocol = p.u8(at)
    at += size
  }
  if (protocol !== IpProto.TCP && protocol !== IpProto.UDP) return null
  return p.has(at, 4) ? { protocol, dstPort: p.u16(at + 2) } : null
}

/** tcpdump puts nothing between the name and this. */
function printListener(p: Printer, at: number): void {
  if (p.has(at, 24)) p.add(`max resp delay: ${p.u16(at + 4)} addr: ${p.ipv6(at + 8)}`)
}

function printQueryV2(p: Printer, at: number, length: number): void {
  p.add(' v2')
  p.add(` [gaddr ${p.ipv6(at + 8)}`)
  const sources = p.u16(at + 26)
  if (sources > 0)
    p.add(length < 28 + sources * 16 ? ' [invalid number of sources]' : `, ${sources} source(s)`)
  p.add(']')
}
