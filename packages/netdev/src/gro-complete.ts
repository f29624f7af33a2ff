import { csumPseudo, ipSendCheck, writeSum } from './checksum.ts'
import { IPPROTO_TCP, IPPROTO_UDP } from './flow.ts'
import { type GroBucket, type GroFlow, type GroNode, groRemove } from './gro-node.ts'
import { netifReceiveSkb } from './receive.ts'
import {
  CHECKSUM_PARTIAL,
  SKB_GSO_TCPV4,
  SKB_GSO_TCPV6,
  SKB_GSO_TCP_ECN,
  SKB_GSO_TCP_FIXEDID,
  SKB_GSO_UDP_L4,
  type SkBuff,
} from './skbuff.ts'

const TCP_CWR = 0x80

/** Ends the flow at a place of a bucket: its packet goes up, with headers that fit what it became. @kernel napi_gro_complete() net/core/gro.c */
export function groCompleteAt(gro: GroNode, bucket: GroBucket, index: number): void {
  const flow = groRemove(gro, bucket, index)
  const skb = flow.skb!
  if (flow.count > 1) {
    finishHeaders(flow, skb)
    gro.completed++
  }
  flow.skb = null
  flow.last = null
  netifReceiveSkb(skb)
}

function finishHeaders(flow: GroFlow, skb: SkBuff): void {
  const { mem, networkHeader: nh, transportHeader: th } = skb
  const l4 = skb.len - (th - nh)
  skb.gsoSize = flow.mss
  skb.gsoSegs = flow.count
  if (flow.v6) {
    writeSum(mem, nh + 4, skb.len - 40)
  } else {
    writeSum(mem, nh + 2, skb.len)
    ipSendCheck(mem, nh)
  }
  const fixed = flow.fixedId ? SKB_GSO_TCP_FIXEDID : 0
  if (flow.proto === IPPROTO_TCP) {
    const ecn = (mem[th + 13]! & TCP_CWR) !== 0 ? SKB_GSO_TCP_ECN : 0
    skb.gsoType = (flow.v6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4) | fixed | ecn
    askForSum(skb, flow, IPPROTO_TCP, l4, 16)
  } else {
    skb.gsoType = SKB_GSO_UDP_L4 | fixed
    writeSum(mem, th + 4, l4)
    // A datagram without a checksum stays without.
    if ((mem[th + 6]! | mem[th + 7]!) !== 0) askForSum(skb, flow, IPPROTO_UDP, l4, 6)
  }
}

/** Writes the pseudo header's sum, as for a packet on its way out: the merged packet may be forwarded. */
function askForSum(skb: SkBuff, flow: GroFlow, proto: number, l4: number, offset: number): void {
  const { mem, networkHeader: nh, transportHeader: th } = skb
  writeSum(mem, th + offset, csumPseudo(mem, nh + (flow.v6 ? 8 : 12), flow.v6 ? 16 : 4, proto, l4))
  skb.ipSummed = CHECKSUM_PARTIAL
  skb.csumStart = th
  skb.csumOffset = offset
}
