import { Iff, type SkBuff } from '@vnet/netdev'
import { ARPOP_REQUEST, getUnalignedBe32, ipEthMcMap } from '@vnet/wire'
import { addrTypeDev, inetSelectAddr } from '../fib/addr-type.ts'
import { icmpSendAndDrop } from '../ipv4/icmp-send.ts'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import type { Neighbour } from '../neigh/neighbour.ts'
import type { NeighOps } from '../neigh/table.ts'
import { Nud, NUD_VALID, RtnType, RtScope } from '../types/constants.ts'
import { arpSend } from './send.ts'

/** What ARP brings to its neighbour table. @kernel arp_tbl net/ipv4/arp.c */
export class ArpOps implements NeighOps {
  readonly family = 2
  readonly id = 'arp_cache'
  readonly keyLen = 4
  readonly locktime = 1000
  /** Set right after the table, which needs this object, is made. */
  declare ipv4: Ipv4

  /** @kernel arp_constructor() net/ipv4/arp.c */
  setup(neigh: Neighbour): boolean {
    const { dev } = neigh
    if (this.ipv4.inDev(dev) === null) return false
    const address = getUnalignedBe32(neigh.primaryKey, 0)
    neigh.type = addrTypeDev(this.ipv4, dev, address)
    if (dev.addrLen !== 6) neigh.nudState = Nud.NOARP
    else if (neigh.type === RtnType.MULTICAST) noArp(neigh, ipEthMcMap(address))
    else if ((dev.flags & (Iff.NOARP | Iff.LOOPBACK)) !== 0) noArp(neigh, dev.devAddr)
    else if (neigh.type === RtnType.BROADCAST || (dev.flags & Iff.POINTOPOINT) !== 0) {
      noArp(neigh, dev.broadcast)
    }
    return true
  }

  /** Asks the neighbour itself while its address is believed, else all. @kernel arp_solicit() net/ipv4/arp.c */
  solicit(neigh: Neighbour, skb: SkBuff | null): void {
    const { dev, parms } = neigh
    const target = getUnalignedBe32(neigh.primaryKey, 0)
    const unicast = neigh.probes < parms.ucastProbes
    if (unicast && (neigh.nudState & NUD_VALID) === 0) return
    if (!unicast && neigh.probes < parms.ucastProbes + parms.appProbes) return
    const senderIp = this.#source(neigh, skb, target)
    if (senderIp === 0) return
    arpSend({
      op: ARPOP_REQUEST,
      dev,
      senderIp,
      targetIp: target,
      dstHw: unicast ? neigh.ha : null,
      targetHw: null,
    })
  }

  /** @kernel arp_error_report() net/ipv4/arp.c */
  errorReport(_neigh: Neighbour, skb: SkBuff): void {
    icmpSendAndDrop(this.ipv4, skb, 3, 1)
  }

  isMulticast(key: Uint8Array): boolean {
    return key[0]! >>> 4 === 0xe
  }

  /** By arp_announce 0 the source of the waiting packet if it is ours, by 1 if it is also of that network, by 2 never. */
  #source(neigh: Neighbour, skb: SkBuff | null, target: number): number {
    const { ipv4 } = this
    const inDev = ipv4.inDev(neigh.dev)
    const announce = inDev?.cnf.arpAnnounce ?? 0
    if (skb !== null && skb.networkHeader >= 0 && announce < 2) {
      const source = getUnalignedBe32(skb.mem, skb.networkHeader + 12)
      const near = announce === 0 || inDev!.ifaList.some((ifa) => ifa.matches(source) && ifa.matches(target))
      if (near && addrTypeDev(ipv4, null, source) === RtnType.LOCAL) return source
    }
    return inetSelectAddr(ipv4, neigh.dev, target, RtScope.LINK)
  }
}

function noArp(neigh: Neighbour, ha: Uint8Array): void {
  neigh.nudState = Nud.NOARP
  neigh.ha.set(ha)
}
