import {
  buildIcmpv6,
  buildIpv6,
  csumIpv6Nofold,
  ipv6Bytes,
  ipv6EthMcMap,
  putMac,
  putUnalignedBe16,
} from '@vnet/wire'

export { neighbourAdvertisement, neighbourSolicitation } from '@vnet/wire'

const OUR_MAC = '02:00:00:00:00:01'

export interface PacketFields {
  readonly src: string
  readonly dst: string
  readonly nextHeader: number
  readonly hopLimit?: number
  readonly srcMac?: string
}

/** An Ethernet frame with an IPv6 packet. */
export function ipv6Frame(fields: PacketFields, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(54 + payload.length)
  const dst = ipv6Bytes(fields.dst)
  putMac(dst[0] === 0xff ? ipv6EthMcMap(dst) : OUR_MAC, frame, 0)
  putMac(fields.srcMac ?? '02:00:00:00:00:02', frame, 6)
  putUnalignedBe16(0x86dd, frame, 12)
  buildIpv6(frame, 14, { ...fields, payloadLength: payload.length })
  frame.set(payload, 54)
  return frame
}

/** An Ethernet frame with an ICMPv6 message: its head of eight bytes is type, code, checksum and `rest`. */
export function icmp6Frame(
  fields: Omit<PacketFields, 'nextHeader'> & { type: number; code?: number; rest?: number },
  body: Uint8Array,
): Uint8Array {
  const message = new Uint8Array(8 + body.length)
  message.set(body, 8)
  const frame = ipv6Frame({ ...fields, nextHeader: 58 }, message)
  const pseudo = csumIpv6Nofold(frame, 22, message.length, 58)
  const { type, code = 0, rest = 0 } = fields
  buildIcmpv6(frame, 54, { type, code, rest, payloadLength: body.length }, pseudo)
  return frame
}

/** An echo request with four bytes. */
export function ipv6EchoRequest(srcMac: string, src: string, dst: string): Uint8Array {
  return icmp6Frame({ srcMac, src, dst, type: 128, rest: 0x0007_0001 }, Uint8Array.of(1, 2, 3, 4))
}
