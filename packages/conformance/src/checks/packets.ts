import {
  CHECKSUM_PARTIAL,
  ETH_P_IP,
  ETH_P_IPV6,
  SKB_GSO_TCPV4,
  devQueueXmit,
  netdevAllocSkb,
  pagePoolAlloc,
  pagePoolCreate,
  pagePoolOffset,
  skbAddRxFrag,
  skbPut,
  type PagePool,
  type SkBuff,
} from '@vnet/netdev'
import { TcpFlag, csumPartial, tcpFrame, udpFrame } from '@vnet/wire'
import type { Testbed } from '../testbed.ts'

const MACS = { srcMac: '02:00:00:00:ee:01', dstMac: 'ff:ff:ff:ff:ff:ff' } as const
const IPV4 = { src: '10.0.0.1', dst: '10.0.0.2' } as const
const IPV6 = { src: 'fd00::1', dst: 'fd00::2' } as const
const ETH = 14

/** What kind of packet a check sends. @kernel none */
export interface PacketKind {
  readonly v6: boolean
  readonly tcp: boolean
  readonly payload: Uint8Array
}

/** A whole frame, every checksum right. @kernel none */
export function ipFrame({ v6, tcp, payload }: PacketKind): Uint8Array {
  const ends = { ...MACS, ...(v6 ? IPV6 : IPV4), srcPort: 1000, dstPort: 2000, payload }
  return tcp ? tcpFrame({ ...ends, seq: 1, flags: TcpFlag.ACK }) : udpFrame(ends)
}

/** Bytes that are not all alike. @kernel none */
export function payloadOf(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + from) & 0xff)
}

/** An sk_buff for the device with these bytes in its linear part. @kernel none */
export function skbOf(t: Testbed, bytes: Uint8Array): SkBuff {
  const skb = netdevAllocSkb(t.dev, Math.max(bytes.length, 64))
  if (skb === null) throw new Error('the kit found no sk_buff')
  skb.mem.set(bytes, skbPut(skb, bytes.length))
  skb.dev = t.dev
  return skb
}

/** A packet whose transport checksum is left to the card: its field holds the sum of the pseudo header. @kernel none */
export function partialSkb(t: Testbed, kind: PacketKind): SkBuff {
  const frame = ipFrame(kind)
  const l4 = ETH + (kind.v6 ? 40 : 20)
  const field = l4 + (kind.tcp ? 16 : 6)
  const addrs = ETH + (kind.v6 ? 8 : 12)
  const length = frame.length - l4
  let sum = csumPartial(frame, addrs, kind.v6 ? 32 : 8, length + (kind.tcp ? 6 : 17))
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  frame[field] = sum >> 8
  frame[field + 1] = sum & 0xff
  const skb = skbOf(t, frame)
  skb.protocol = kind.v6 ? ETH_P_IPV6 : ETH_P_IP
  skb.networkHeader = skb.data + ETH
  skb.transportHeader = skb.data + l4
  skb.ipSummed = CHECKSUM_PARTIAL
  skb.csumStart = skb.data + l4
  skb.csumOffset = field - l4
  return skb
}

/** A TCP packet that stands for several, to be cut every `mss` bytes. @kernel none */
export function gsoSkb(t: Testbed, payload: Uint8Array, mss: number): SkBuff {
  const skb = partialSkb(t, { v6: false, tcp: true, payload })
  skb.gsoSize = mss
  skb.gsoSegs = Math.ceil(payload.length / mss)
  skb.gsoType = SKB_GSO_TCPV4
  return skb
}

/** A packet with `head` in its linear part, and each of `rest` in a fragment. The pool is destroyed with the last. @kernel none */
export function fragSkb(
  t: Testbed,
  head: Uint8Array,
  rest: readonly Uint8Array[],
): { skb: SkBuff; pool: PagePool } {
  const pool = pagePoolCreate(t.kernel, { name: 'kit', count: rest.length })
  const skb = skbOf(t, head)
  for (const bytes of rest) {
    const page = pagePoolAlloc(pool)
    pool.region.u8.set(bytes, pagePoolOffset(pool, page))
    skbAddRxFrag(skb, pool, page, 0, bytes.length)
  }
  return { skb, pool }
}

/** Sends a packet made by hand. @kernel none */
export function sendSkb(t: Testbed, skb: SkBuff): void {
  t.kernel.hardware(() => {
    devQueueXmit(skb)
  })
}
