import {
  clampEnd,
  getUnalignedBe16,
  getUnalignedBe32,
  needRange,
  needRoom,
  putUnalignedBe16,
  putUnalignedBe32,
} from './bytes.ts'
import { inetChecksum } from './checksum.ts'

/**
 * Bytes in a header without options.
 *
 * @kernel struct tcphdr include/uapi/linux/tcp.h
 */
export const TCP_HLEN = 20

/**
 * The header's flag bits.
 *
 * @kernel TCPHDR_* include/net/tcp.h
 */
export const TcpFlag = {
  FIN: 0x01,
  SYN: 0x02,
  RST: 0x04,
  PSH: 0x08,
  ACK: 0x10,
  URG: 0x20,
  ECE: 0x40,
  CWR: 0x80,
} as const

/** A TCP header, read. */
export interface TcpHeader {
  readonly srcPort: number
  readonly dstPort: number
  readonly seq: number
  readonly ack: number
  /** Bytes in the header, options included: 20 to 60. */
  readonly headerLength: number
  /** `TcpFlag` bits. */
  readonly flags: number
  /** As it stands in the header, before scaling. */
  readonly window: number
  readonly checksum: number
  readonly urgent: number
  readonly optionsOffset: number
  readonly optionsLength: number
  readonly payloadOffset: number
  readonly payloadLength: number
}

/**
 * Reads a TCP header; null when it is cut short or its length makes no sense.
 *
 * @kernel tcp_v4_rcv() net/ipv4/tcp_ipv4.c
 */
export function parseTcp(bytes: Uint8Array, off = 0, len = bytes.length - off): TcpHeader | null {
  const end = clampEnd(bytes, off, len)
  if (end - off < TCP_HLEN) return null
  const headerLength = (bytes[off + 12]! >>> 4) * 4
  if (headerLength < TCP_HLEN || headerLength > end - off) return null
  return {
    srcPort: getUnalignedBe16(bytes, off),
    dstPort: getUnalignedBe16(bytes, off + 2),
    seq: getUnalignedBe32(bytes, off + 4),
    ack: getUnalignedBe32(bytes, off + 8),
    headerLength,
    flags: bytes[off + 13]!,
    window: getUnalignedBe16(bytes, off + 14),
    checksum: getUnalignedBe16(bytes, off + 16),
    urgent: getUnalignedBe16(bytes, off + 18),
    optionsOffset: off + TCP_HLEN,
    optionsLength: headerLength - TCP_HLEN,
    payloadOffset: off + headerLength,
    payloadLength: end - off - headerLength,
  }
}

/** What a TCP header says. */
export interface TcpFields {
  readonly srcPort: number
  readonly dstPort: number
  readonly seq: number
  readonly ack?: number
  /** `TcpFlag` bits. */
  readonly flags: number
  /** 65535 unless given. */
  readonly window?: number
  readonly urgent?: number
  /** Raw options, from `buildTcpOptions`; end marks are added up to a multiple of 4 bytes. */
  readonly options?: Uint8Array
  /** Bytes after the header; they must stand there already, the checksum covers them. */
  readonly payloadLength: number
  /** The pseudo header's sum. */
  readonly pseudo: number
}

/**
 * Writes a TCP header at `off`, in front of its payload, with the checksum of both.
 *
 * @returns the bytes written, 20 to 60.
 * @throws RangeError when a field is wrong or there is no room.
 * @kernel __tcp_transmit_skb() net/ipv4/tcp_output.c
 */
export function buildTcp(out: Uint8Array, off: number, fields: TcpFields): number {
  const optionsLength = fields.options === undefined ? 0 : (fields.options.length + 3) & ~3
  const headerLength = TCP_HLEN + needRange(optionsLength, 40, 'the length of TCP options')
  needRoom(out, off, headerLength + fields.payloadLength, 'a TCP segment')
  putUnalignedBe16(needRange(fields.srcPort, 0xffff, 'a port'), out, off)
  putUnalignedBe16(needRange(fields.dstPort, 0xffff, 'a port'), out, off + 2)
  putUnalignedBe32(needRange(fields.seq, 0xffffffff, 'a sequence number'), out, off + 4)
  putUnalignedBe32(needRange(fields.ack ?? 0, 0xffffffff, 'an acknowledgement number'), out, off + 8)
  out[off + 12] = (headerLength / 4) << 4
  out[off + 13] = needRange(fields.flags, 0xff, 'TCP flags')
  putUnalignedBe16(needRange(fields.window ?? 0xffff, 0xffff, 'a TCP window'), out, off + 14)
  putUnalignedBe16(0, out, off + 16)
  putUnalignedBe16(needRange(fields.urgent ?? 0, 0xffff, 'an urgent pointer'), out, off + 18)
  for (let i = 0; i < optionsLength; i++) out[off + TCP_HLEN + i] = fields.options![i] ?? 0
  const check = inetChecksum(out, off, headerLength + fields.payloadLength, fields.pseudo)
  putUnalignedBe16(check, out, off + 16)
  return headerLength
}
