import { IpProto } from '../ip-protocol.ts'
import { buildTcp, TCP_HLEN } from '../tcp.ts'
import { buildTcpOptions, type TcpOptions } from '../tcp-options.ts'
import { buildUdp, UDP_HLEN } from '../udp.ts'
import { beginIpFrame, type IpFrameFields } from './ip.ts'

/** What a UDP frame says. */
export interface UdpFrameFields extends IpFrameFields {
  readonly srcPort: number
  readonly dstPort: number
  readonly payload?: Uint8Array
}

/**
 * Builds a UDP frame, IPv4 or IPv6 by its addresses, with every checksum right.
 *
 * Not padded: a card pads to 60 (`padFrame`).
 *
 * @throws RangeError when a field is wrong.
 * @kernel none
 */
export function udpFrame(fields: UdpFrameFields): Uint8Array {
  const payloadLength = fields.payload?.length ?? 0
  const { frame, offset, pseudo } = beginIpFrame(fields, IpProto.UDP, UDP_HLEN + payloadLength)
  if (fields.payload !== undefined) frame.set(fields.payload, offset + UDP_HLEN)
  const { srcPort, dstPort } = fields
  buildUdp(frame, offset, { srcPort, dstPort, payloadLength, pseudo })
  return frame
}

/** What a TCP frame says. */
export interface TcpFrameFields extends IpFrameFields {
  readonly srcPort: number
  readonly dstPort: number
  readonly seq: number
  /** 0 unless given. */
  readonly ack?: number
  /** `TcpFlag` bits. */
  readonly flags: number
  /** 65535 unless given. */
  readonly window?: number
  readonly urgent?: number
  readonly options?: TcpOptions
  readonly payload?: Uint8Array
}

/**
 * Builds a TCP frame, IPv4 or IPv6 by its addresses, with every checksum right.
 *
 * Not padded: a card pads to 60 (`padFrame`).
 *
 * @throws RangeError when a field is wrong.
 * @kernel none
 */
export function tcpFrame(fields: TcpFrameFields): Uint8Array {
  const options = buildTcpOptions(fields.options ?? {})
  const headerLength = TCP_HLEN + ((options.length + 3) & ~3)
  const payloadLength = fields.payload?.length ?? 0
  const { frame, offset, pseudo } = beginIpFrame(fields, IpProto.TCP, headerLength + payloadLength)
  if (fields.payload !== undefined) frame.set(fields.payload, offset + headerLength)
  buildTcp(frame, offset, {
    srcPort: fields.srcPort,
    dstPort: fields.dstPort,
    seq: fields.seq,
    ack: fields.ack ?? 0,
    flags: fields.flags,
    window: fields.window ?? 0xffff,
    urgent: fields.urgent ?? 0,
    options,
    payloadLength,
    pseudo,
  })
  return frame
}
