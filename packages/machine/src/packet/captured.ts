import {
  CHECKSUM_COMPLETE,
  CHECKSUM_PARTIAL,
  CHECKSUM_UNNECESSARY,
  PACKET_OUTGOING,
  SKB_GSO_TCPV4,
  SKB_GSO_TCPV6,
  skbCopyBits,
} from '@vnet/netdev'
import type { NetDevice, SkBuff } from '@vnet/netdev'
import { TpStatus } from './constants.ts'
import type { BpfContext } from './bpf.ts'
import type { SockaddrLl } from './sockaddr-ll.ts'

/** A packet as a packet socket keeps it. */
export interface CapturedPacket {
  /** What the filter kept of it. */
  readonly bytes: Uint8Array
  /** How long it was. */
  readonly length: number
  /** Where the network header begins in it. */
  readonly networkOffset: number
  readonly from: SockaddrLl
  /** Nanoseconds of the calendar. */
  readonly time: bigint
  /** {@link TpStatus} bits but USER. */
  readonly status: number
  readonly vlanTci: number
  readonly vlanProto: number
  readonly hash: number
}

/** Where a socket's view of a packet begins, from `skb.data`: at the link header, or at the network header. */
export function captureOffset(skb: SkBuff, cooked: boolean): number {
  if (!cooked) return skb.macHeader < 0 ? 0 : skb.macHeader - skb.data
  // A packet that leaves stands at its link header, one that arrives at its network header.
  return skb.pktType === PACKET_OUTGOING && skb.networkHeader >= 0 ? skb.networkHeader - skb.data : 0
}

/** Copies a packet as the socket sees it to the front of `scratch`; its length, or -1 when there is no room. */
export function copyPacket(skb: SkBuff, offset: number, scratch: Uint8Array): number {
  const length = skb.len - offset
  if (length > scratch.length) return -1
  return skbCopyBits(skb, offset, scratch, 0, length) === 0 ? length : -1
}

/** What a filter is asked about. */
export function bpfContext(
  skb: SkBuff,
  dev: NetDevice<any>,
  bytes: Uint8Array,
  length: number,
  networkOffset: number,
): BpfContext {
  return {
    bytes,
    length,
    networkOffset,
    protocol: skb.protocol,
    pktType: skb.pktType,
    ifindex: dev.ifindex,
    hatype: dev.type,
    mark: skb.mark,
    queue: skb.queueMapping,
    hash: skb.hash,
    vlanPresent: skb.vlanPresent,
    vlanTci: skb.vlanPresent ? skb.vlanTci : 0,
    vlanProto: skb.vlanPresent ? skb.vlanProto : 0,
    random: () => dev.kernel.rng.u32(),
  }
}

/** What is told about a packet beside its bytes. @kernel tpacket_rcv() net/packet/af_packet.c */
export function capture(
  skb: SkBuff,
  dev: NetDevice<any>,
  bytes: Uint8Array,
  length: number,
  networkOffset: number,
  time: bigint,
): CapturedPacket {
  return {
    bytes,
    length,
    networkOffset,
    from: {
      protocol: skb.protocol,
      ifindex: dev.ifindex,
      hatype: dev.type,
      pkttype: skb.pktType,
      addr: sourceOf(skb, dev),
    },
    time,
    status: statusOf(skb),
    vlanTci: skb.vlanPresent ? skb.vlanTci : 0,
    vlanProto: skb.vlanPresent ? skb.vlanProto : 0,
    hash: skb.hash >>> 0,
  }
}

/** @kernel eth_header_parse() net/ethernet/eth.c */
function sourceOf(skb: SkBuff, dev: NetDevice<any>): Uint8Array {
  const at = skb.macHeader
  if (at < 0 || dev.hardHeaderLen < 14 || at + 12 > skb.tail) return new Uint8Array(0)
  return skb.mem.slice(at + 6, at + 12)
}

function statusOf(skb: SkBuff): number {
  let status = 0
  if (skb.ipSummed === CHECKSUM_PARTIAL) status |= TpStatus.CSUMNOTREADY
  else if (
    skb.pktType !== PACKET_OUTGOING &&
    (skb.ipSummed === CHECKSUM_UNNECESSARY || skb.ipSummed === CHECKSUM_COMPLETE)
  ) {
    status |= TpStatus.CSUM_VALID
  }
  if (skb.gsoSize !== 0 && (skb.gsoType & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6)) !== 0) status |= TpStatus.GSO_TCP
  if (skb.vlanPresent) status |= TpStatus.VLAN_VALID | TpStatus.VLAN_TPID_VALID
  return status
}
