import { Errno } from '@vnet/kernel'
import type { ErrnoName, Kernel } from '@vnet/kernel'
import {
  allocSkb,
  devQueueXmit,
  ETH_HLEN,
  ETH_P_ALL,
  ETH_P_8021Q,
  ethHeader,
  Iff,
  NET_XMIT_CN,
  NET_XMIT_DROP,
  NET_XMIT_SUCCESS,
  skbPut,
  skbReserve,
  VLAN_HLEN,
} from '@vnet/netdev'
import type { NetDevice, SkBuff } from '@vnet/netdev'

/** Room in front of a frame, with the two bytes that align what follows an Ethernet header. */
const HEADROOM = 66

/** A frame on its way out. */
export interface PacketOut {
  readonly kernel: Kernel
  readonly dev: NetDevice<any>
  readonly bytes: Uint8Array
  /** EtherType in host order; 0 or ETH_P_ALL: as the frame says. */
  readonly protocol: number
  /** Null: `bytes` begin with a link header. Else a header to this address is put in front. */
  readonly to: Uint8Array | null
}

/**
 * Sends a frame, or a packet with a link header made for it.
 *
 * @throws Errno ENETDOWN, EMSGSIZE, EINVAL, ENOBUFS
 * @kernel packet_snd() net/packet/af_packet.c
 */
export function packetSend(out: PacketOut): void {
  const { dev, bytes, to } = out
  if ((dev.flags & Iff.UP) === 0) throw new Errno('ENETDOWN')
  const header = to === null ? dev.hardHeaderLen : 0
  if (bytes.length > dev.mtu + header + VLAN_HLEN) throw new Errno('EMSGSIZE')
  if (bytes.length < header) throw new Errno('EINVAL')
  if (bytes.length > dev.mtu + header && !isVlan(out)) throw new Errno('EMSGSIZE')
  // Without a link header there is nothing to address.
  if (to !== null && dev.hardHeaderLen >= ETH_HLEN && to.length < dev.addrLen) throw new Errno('EINVAL')
  const skb = allocSkb(out.kernel, HEADROOM + dev.hardHeaderLen + bytes.length)
  if (skb === null) throw new Errno('ENOBUFS')
  skbReserve(skb, HEADROOM + (to === null ? 0 : dev.hardHeaderLen))
  skb.mem.set(bytes, skbPut(skb, bytes.length))
  skb.dev = dev
  skb.protocol = protocolOf(out)
  if (to === null) skb.networkHeader = skb.data + dev.hardHeaderLen
  else pushHeader(skb, out, to)
  check(devQueueXmit(skb))
}

/** @kernel dev_hard_header() include/linux/netdevice.h */
function pushHeader(skb: SkBuff, { dev }: PacketOut, to: Uint8Array): void {
  skb.networkHeader = skb.data
  if (dev.hardHeaderLen >= ETH_HLEN) ethHeader(skb, dev, skb.protocol, to)
}

/** @kernel packet_parse_headers() net/packet/af_packet.c */
function protocolOf({ protocol, bytes, to }: PacketOut): number {
  if ((protocol !== 0 && protocol !== ETH_P_ALL) || to !== null || bytes.length < ETH_HLEN) return protocol
  return typeOf(bytes)
}

function typeOf(bytes: Uint8Array): number {
  return (bytes[12]! << 8) | bytes[13]!
}

/** A tag is not part of what the MTU limits. */
function isVlan({ bytes, to }: PacketOut): boolean {
  return to === null && bytes.length >= ETH_HLEN && typeOf(bytes) === ETH_P_8021Q
}

/** @kernel net_xmit_errno() include/linux/netdevice.h */
function check(result: number): void {
  if (result === NET_XMIT_SUCCESS || result === NET_XMIT_CN) return
  const code: ErrnoName = result === NET_XMIT_DROP ? 'ENOBUFS' : 'ENETDOWN'
  throw new Errno(code)
}
