import { IpProto } from '../ip-protocol.ts'
import { IPV6_HLEN } from '../ipv6.ts'
import { printsItsAddresses } from './ipv4.ts'
import { printHopByHop, printRouting } from './ipv6-extension.ts'
import type { Printer } from './printer.ts'
import { printProtocol } from './protocol.ts'

/** Prints an IPv6 packet; `length` is what the frame had for it on the wire. */
export function printIpv6(p: Printer, at: number, length: number): void {
  p.protocol = 'ip6'
  p.need(at, IPV6_HLEN)
  if (length < IPV6_HLEN) {
    p.add(`truncated-ip6 ${length}`)
    return
  }
  if (!p.link) p.add('IP6 ')
  const version = p.u8(at) >>> 4
  if (version !== 6) {
    p.add(`version error: ${version} != 6`)
    return
  }
  const payload = p.u16(at + 4)
  if (length < payload + IPV6_HLEN) p.add(`truncated-ip6 - ${payload + IPV6_HLEN - length} bytes missing!`)
  const outerEnd = p.end
  // A length of 0 belongs to a jumbogram, whose real length is in an option; Ethernet carries none.
  p.end = Math.min(outerEnd, at + IPV6_HLEN + (payload === 0 ? length : payload))
  printHeaders(p, at, payload, payload === 0 ? length : payload)
  p.end = outerEnd
}

/** Walks the extension headers and prints each, then the protocol. */
function printHeaders(p: Printer, packet: number, payload: number, length: number): void {
  const src = p.ipv6(packet + 8)
  const dst = p.ipv6(packet + 24)
  let next = p.u8(packet + 6)
  let at = packet + IPV6_HLEN
  let fragmented = false
  let hopByHop = false
  if (!printsItsAddresses(next)) p.add(`${src} > ${dst}: `)
  for (let first = true; ; first = false) {
    let advance: number
    p.protocol = 'ip6'
    if (next === IpProto.HOPOPTS) {
      if (!first) {
        const wrong = hopByHop ? 'was already found' : "don't follow the IPv6 header"
        p.add(`[The Hop-by-Hop Options header ${wrong}] (invalid)`)
        return
      }
      hopByHop = true
      advance = printHopByHop(p, at, payload)
    } else if (next === IpProto.DSTOPTS) {
      p.protocol = 'dstopt'
      advance = (p.u8(at + 1) + 1) * 8
      p.need(at, advance)
      p.add('DSTOPT ')
    } else if (next === IpProto.FRAGMENT) {
      p.protocol = 'frag6'
      const offset = p.u16(at + 2) & 0xfff8
      // As tcpdump counts: in 64 bits without a sign, so a packet cut off early gives a huge number.
      const rest = BigInt.asUintN(64, BigInt(IPV6_HLEN + payload - (at - packet) - 8))
      p.add(`frag (${offset}|${rest})`)
      if (offset !== 0) return
      p.add(' ')
      advance = 8
      fragmented = true
      if (p.end <= at + advance) return
    } else if (next === IpProto.ROUTING) {
      advance = printRouting(p, at)
    } else break
    if (advance < 0) return
    next = p.u8(at)
    at += advance
    length -= advance
    if (length < 0) {
      p.protocol = 'ip6'
      p.cutShort()
      return
    }
  }
  printInner(p, packet, at, next, payload, length, { src, dst, fragmented })
}

function printInner(
  p: Printer,
  packet: number,
  at: number,
  protocol: number,
  payload: number,
  length: number,
  about: { readonly src: string; readonly dst: string; readonly fragmented: boolean },
): void {
  if (payload === 0) {
    if (at > packet + IPV6_HLEN) {
      p.cutShort()
      return
    }
    p.end = Math.min(p.end, packet + IPV6_HLEN)
    length = 0
  }
  printProtocol(p, { version: 6, protocol, ...about, outerProtocol: p.u8(packet + 6) }, at, length)
}
