import { buildIcmp, ICMP_HLEN, IcmpType } from '../icmp.ts'
import { buildIcmpv6, Icmpv6Type } from '../icmpv6.ts'
import { IpProto } from '../ip-protocol.ts'
import { beginIpFrame, type IpFrameFields, isIpv6Address } from './ip.ts'

/** What a ping says. */
export interface IcmpEchoFields extends IpFrameFields {
  /** The program that pings. */
  readonly id: number
  readonly seq: number
  /** 56 bytes 0, 1, 2 … unless given, as ping sends. */
  readonly payload?: Uint8Array
}

/**
 * Builds an echo message, ICMP or ICMPv6 by its addresses: a question, or the answer to one.
 *
 * @throws RangeError when a field is wrong.
 * @kernel none
 */
export function icmpEcho(fields: IcmpEchoFields & { readonly reply?: boolean }): Uint8Array {
  const payload = fields.payload ?? Uint8Array.from({ length: 56 }, (_, i) => i)
  const v6 = isIpv6Address(fields.src)
  const protocol = v6 ? IpProto.ICMPV6 : IpProto.ICMP
  const { frame, offset, pseudo } = beginIpFrame(fields, protocol, ICMP_HLEN + payload.length)
  frame.set(payload, offset + ICMP_HLEN)
  const echo = { id: fields.id, seq: fields.seq, payloadLength: payload.length }
  if (v6) {
    const type = fields.reply === true ? Icmpv6Type.ECHO_REPLY : Icmpv6Type.ECHO_REQUEST
    buildIcmpv6(frame, offset, { type, ...echo }, pseudo)
  } else {
    buildIcmp(frame, offset, { type: fields.reply === true ? IcmpType.ECHOREPLY : IcmpType.ECHO, ...echo })
  }
  return frame
}

/**
 * Builds a ping.
 *
 * @throws RangeError when a field is wrong.
 * @kernel none
 */
export function icmpEchoRequest(fields: IcmpEchoFields): Uint8Array {
  return icmpEcho(fields)
}

/**
 * Builds the answer to a ping.
 *
 * @throws RangeError when a field is wrong.
 * @kernel none
 */
export function icmpEchoReply(fields: IcmpEchoFields): Uint8Array {
  return icmpEcho({ ...fields, reply: true })
}
