import { IPV4_HLEN } from '../ipv4.ts'
import { IpProto } from '../ip-protocol.ts'
import type { Printer } from './printer.ts'
import { printProtocol } from './protocol.ts'

/** Prints an IPv4 packet; `length` is what the frame had for it on the wire. */
export function printIpv4(p: Printer, at: number, length: number): void {
  p.protocol = 'ip'
  const version = p.u8(at) >>> 4
  if (version !== 4) {
    p.add(version === 6 ? 'IP6, wrong link-layer encapsulation (invalid)' : `IP${version} (invalid)`)
    return
  }
  if (!p.link) p.add('IP ')
  p.need(at, IPV4_HLEN)
  if (length < IPV4_HLEN) {
    p.add(`truncated-ip ${length}`)
    return
  }
  const headerLength = (p.u8(at) & 15) * 4
  if (headerLength < IPV4_HLEN) {
    p.add(`bad-hlen ${headerLength}`)
    return
  }
  const total = p.u16(at + 2)
  if (length < total) p.add(`truncated-ip - ${total - length} bytes missing! `)
  if (total < headerLength) {
    p.add(`bad-len ${total}`)
    return
  }
  const outerEnd = p.end
  p.end = Math.min(outerEnd, at + total)
  printPacket(p, at, headerLength, total - headerLength)
  p.end = outerEnd
}

function printPacket(p: Printer, at: number, headerLength: number, length: number): void {
  const fragment = p.u16(at + 6)
  const protocol = p.u8(at + 9)
  const src = p.ipv4(at + 12)
  const dst = p.ipv4(at + 16)
  if ((fragment & 0x1fff) !== 0) {
    p.add(`${src} > ${dst}: ip-proto-${protocol}`)
    return
  }
  if (!printsItsAddresses(protocol)) p.add(`${src} > ${dst}: `)
  if (!p.has(at, headerLength)) {
    p.add(` [remaining caplen(${p.end - at}) < header length(${headerLength})]`)
    p.need(at, headerLength)
  }
  const more = (fragment & 0x2000) !== 0
  printProtocol(p, { version: 4, protocol, src, dst, fragmented: more }, at + headerLength, length)
}

/** These put a port behind each address, so they print the addresses themselves. */
export function printsItsAddresses(protocol: number): boolean {
  return protocol === IpProto.TCP || protocol === IpProto.UDP
}
