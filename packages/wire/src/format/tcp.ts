import { IpProto } from '../ip-protocol.ts'
import { TCP_HLEN, TcpFlag } from '../tcp.ts'
import { printHttp } from './http.ts'
import type { Printer } from './printer.ts'
import type { Around } from './protocol.ts'
import { printTcpOptions } from './tcp-options.ts'

/** The letters of the flags, in tcpdump's order. */
const LETTERS: readonly (readonly [number, string])[] = [
  [TcpFlag.FIN, 'F'],
  [TcpFlag.SYN, 'S'],
  [TcpFlag.RST, 'R'],
  [TcpFlag.PSH, 'P'],
  [TcpFlag.ACK, '.'],
  [TcpFlag.URG, 'U'],
  [TcpFlag.ECE, 'E'],
  [TcpFlag.CWR, 'W'],
]

const HTTP_PORTS: readonly number[] = [80, 8080]

/**
 * Gives a segment's flags as tcpdump's letters: `S`, `S.`, `P.`; `none` when there are none.
 *
 * @kernel none
 */
export function tcpFlagLetters(flags: number): string {
  let text = ''
  for (const [bit, letter] of LETTERS) if ((flags & bit) !== 0) text += letter
  return text === '' ? 'none' : text
}

/** Prints a TCP segment. */
export function printTcp(p: Printer, around: Around, at: number, length: number): void {
  p.protocol = 'tcp'
  if (!p.has(at, 4)) {
    p.add(`${around.src} > ${around.dst}:`)
    p.cutShort()
    return
  }
  const srcPort = p.u16(at)
  const dstPort = p.u16(at + 2)
  const outermost = (around.outerProtocol ?? IpProto.TCP) === IpProto.TCP
  p.add(outermost ? `${around.src}.${srcPort} > ${around.dst}.${dstPort}: ` : `${srcPort} > ${dstPort}: `)
  p.need(at, TCP_HLEN)
  const headerLength = (p.u8(at + 12) >>> 4) * 4
  if (headerLength < TCP_HLEN) {
    const rest = (length - headerLength) >>> 0
    p.add(` tcp ${rest} [bad hdr length ${headerLength} - too short, < ${TCP_HLEN}]`)
    return
  }
  const flags = p.u8(at + 13)
  p.add(`Flags [${tcpFlagLetters(flags)}]`)
  let seq = p.u32(at + 4)
  let ack = p.u32(at + 8)
  let sackBase = 0
  if (p.flows !== null && (flags & TcpFlag.ACK) !== 0) {
    const syn = (flags & TcpFlag.SYN) !== 0
    const related = p.flows.relate(around.src, srcPort, around.dst, dstPort, seq, ack, syn)
    seq = related.seq
    ack = related.ack
    sackBase = related.sackBase
  }
  if (headerLength > length) {
    p.add(` [bad hdr length ${headerLength} - too long, > ${length}]`)
    return
  }
  const payload = length - headerLength
  if (payload > 0 || (flags & (TcpFlag.SYN | TcpFlag.FIN | TcpFlag.RST)) !== 0) {
    p.add(`, seq ${seq}${payload > 0 ? `:${(seq + payload) >>> 0}` : ''}`)
  }
  if ((flags & TcpFlag.ACK) !== 0) p.add(`, ack ${ack}`)
  p.add(`, win ${p.u16(at + 14)}`)
  if ((flags & TcpFlag.URG) !== 0) p.add(`, urg ${p.u16(at + 18)}`)
  if (headerLength > TCP_HLEN && !printTcpOptions(p, at + TCP_HLEN, headerLength - TCP_HLEN, sackBase)) return
  p.add(`, length ${payload}`)
  if (payload === 0) return
  if (!p.has(at, headerLength)) {
    p.add(` [remaining caplen(${p.end - at}) < header length(${headerLength})]`)
    p.need(at, headerLength)
  }
  if (HTTP_PORTS.includes(srcPort) || HTTP_PORTS.includes(dstPort)) printHttp(p, at + headerLength, payload)
}
