import { VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO, type VirtioNetHdr } from '@vnet/backend-tap'
import * as nd from '@vnet/netdev'

const ETHERTYPE = 12

/** Says in an sk_buff what the host left undone: the checksum, the cutting into segments. @kernel virtio_net_hdr_to_skb() include/linux/virtio_net.h */
export function skbOfHeader(skb: nd.SkBuff, header: VirtioNetHdr): void {
  const { mem, data } = skb
  skb.macHeader = data
  skb.networkHeader = data + nd.ETH_HLEN
  skb.protocol = (mem[data + ETHERTYPE]! << 8) | mem[data + ETHERTYPE + 1]!
  if ((header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) !== 0) {
    skb.ipSummed = nd.CHECKSUM_PARTIAL
    skb.csumStart = data + header.csumStart
    skb.csumOffset = header.csumOffset
    skb.transportHeader = skb.csumStart
  }
  const kind = header.gsoType & ~VIRTIO_NET_HDR_GSO.ECN
  if (kind === VIRTIO_NET_HDR_GSO.NONE || header.gsoSize === 0) return
  skb.gsoSize = header.gsoSize
  skb.gsoType = GSO_TYPES.get(kind) ?? 0
  if ((header.gsoType & VIRTIO_NET_HDR_GSO.ECN) !== 0) skb.gsoType |= nd.SKB_GSO_TCP_ECN
  skb.gsoSegs = Math.ceil((skb.len - header.hdrLen) / header.gsoSize)
}

const GSO_TYPES = new Map<number, number>([
  [VIRTIO_NET_HDR_GSO.TCPV4, nd.SKB_GSO_TCPV4],
  [VIRTIO_NET_HDR_GSO.TCPV6, nd.SKB_GSO_TCPV6],
  [VIRTIO_NET_HDR_GSO.UDP_L4, nd.SKB_GSO_UDP_L4],
])

/** Tells the host what an sk_buff still lacks; `data` stands on the link header. @kernel virtio_net_hdr_from_skb() include/linux/virtio_net.h */
export function headerOfSkb(header: VirtioNetHdr, skb: nd.SkBuff): void {
  header.clear()
  if (skb.ipSummed === nd.CHECKSUM_PARTIAL) {
    header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM
    header.csumStart = skb.csumStart - skb.data
    header.csumOffset = skb.csumOffset
  }
  if (skb.gsoSize === 0) return
  header.gsoType = gsoKind(skb.gsoType)
  header.gsoSize = skb.gsoSize
  header.hdrLen = headerLength(skb)
}

function gsoKind(type: number): number {
  const ecn = (type & nd.SKB_GSO_TCP_ECN) !== 0 ? VIRTIO_NET_HDR_GSO.ECN : 0
  if ((type & nd.SKB_GSO_TCPV4) !== 0) return VIRTIO_NET_HDR_GSO.TCPV4 | ecn
  if ((type & nd.SKB_GSO_TCPV6) !== 0) return VIRTIO_NET_HDR_GSO.TCPV6 | ecn
  return VIRTIO_NET_HDR_GSO.UDP_L4
}

/** Bytes up to the payload: the transport header's place, and its length. */
function headerLength(skb: nd.SkBuff): number {
  const transport = skb.transportHeader - skb.data
  if ((skb.gsoType & nd.SKB_GSO_UDP_L4) !== 0) return transport + 8
  return transport + (skb.mem[skb.transportHeader + 12]! >> 4) * 4
}
