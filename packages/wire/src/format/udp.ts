import { UDP_HLEN } from '../udp.ts'
import { IpProto } from '../ip-protocol.ts'
import type { Printer } from './printer.ts'
import type { Around } from './protocol.ts'

/** Prints a UDP message by its ports and length. */
export function printUdp(p: Printer, around: Around, at: number, length: number): void {
  p.protocol = 'udp'
  const { src, dst } = around
  const outermost = (around.outerProtocol ?? IpProto.UDP) === IpProto.UDP
  if (!p.has(at, 4)) {
    if (outermost) p.add(`${src} > ${dst}: `)
    p.cutShort()
    return
  }
  const srcPort = p.u16(at)
  const dstPort = p.u16(at + 2)
  p.add(outermost ? `${src}.${srcPort} > ${dst}.${dstPort}: ` : `${srcPort} > ${dstPort}: `)
  if (length < UDP_HLEN) {
    p.add(`truncated-udp ${length}`)
    return
  }
  const total = p.u16(at + 4)
  if (total < UDP_HLEN) {
    p.add(`truncated-udplength ${total}`)
    return
  }
  if (at + UDP_HLEN > p.end) {
    p.cutShort()
    return
  }
  const payload = total - UDP_HLEN
  const there = Math.min(payload, length - UDP_HLEN)
  const bad = payload > there && !around.fragmented
  p.add(bad ? `UDP, bad length ${payload} > ${there}` : `UDP, length ${payload}`)
}
