import {
  allocSkb,
  devQueueXmit,
  ethHeader,
  ETH_P_ARP,
  Iff,
  type NetDevice,
  skbPut,
  skbReserve,
} from '@vnet/netdev'
import { ARP_LEN, ARPOP_REQUEST, putUnalignedBe16, putUnalignedBe32 } from '@vnet/wire'
import type { InDevice } from '../addr/in-device.ts'
import type { Ipv4 } from '../ipv4/ipv4.ts'

/** An ARP message that is to be sent; addresses as numbers in host order. @kernel arp_create() net/ipv4/arp.c */
export interface ArpMessage {
  readonly op: number
  readonly dev: NetDevice<any>
  readonly senderIp: number
  readonly targetIp: number
  /** Where the frame goes; null: to all. */
  readonly dstHw: Uint8Array | null
  /** What stands as target in the message; null: zeros. */
  readonly targetHw: Uint8Array | null
}

/** Builds an ARP message and sends it. Nothing on a device that does no ARP. @kernel arp_send_dst() net/ipv4/arp.c */
export function arpSend(message: ArpMessage): void {
  const { dev } = message
  if ((dev.flags & Iff.NOARP) !== 0 || dev.addrLen !== 6) return
  const skb = allocSkb(dev.kernel, dev.hardHeaderLen + 2 + ARP_LEN)
  if (skb === null) return
  skbReserve(skb, dev.hardHeaderLen + 2)
  const at = skbPut(skb, ARP_LEN)
  const { mem } = skb
  putUnalignedBe16(1, mem, at)
  putUnalignedBe16(0x0800, mem, at + 2)
  mem[at + 4] = 6
  mem[at + 5] = 4
  putUnalignedBe16(message.op, mem, at + 6)
  putHw(mem, at + 8, dev.devAddr)
  putUnalignedBe32(message.senderIp, mem, at + 14)
  putHw(mem, at + 18, message.targetHw)
  putUnalignedBe32(message.targetIp, mem, at + 24)
  skb.dev = dev
  skb.protocol = ETH_P_ARP
  skb.networkHeader = at
  ethHeader(skb, dev, ETH_P_ARP, message.dstHw ?? dev.broadcast)
  devQueueXmit(skb)
}

/** Tells the link our addresses. @kernel inetdev_send_gratuitous_arp() net/ipv4/devinet.c */
export function arpSendGratuitous(_ipv4: Ipv4, inDev: InDevice): void {
  const { dev } = inDev
  for (const ifa of inDev.ifaList) {
    arpSend({
      op: ARPOP_REQUEST,
      dev,
      senderIp: ifa.localNr,
      targetIp: ifa.localNr,
      dstHw: null,
      targetHw: dev.devAddr,
    })
  }
}

function putHw(mem: Uint8Array, at: number, hw: Uint8Array | null): void {
  for (let i = 0; i < 6; i++) mem[at + i] = hw === null ? 0 : hw[i]!
}
