import { Iff, kfreeSkb, type SkBuff, SkbDropReason } from '@vnet/netdev'
import { addrconfAddrSolictMult, Icmpv6Type, ipv6EthMcMap } from '@vnet/wire'
import type { Neighbour } from '../neigh/neighbour.ts'
import type { NeighOps } from '../neigh/table.ts'
import { AF_INET6, IfaFlag, Nud, RtnType } from '../types/constants.ts'
import { ipv6AddrAt } from './address.ts'
import { Icmp6Code, icmpv6Send } from './icmp6-send.ts'
import { type Ipv6 } from './ipv6.ts'
import { ipv6ChkAddr } from './addr-lookup.ts'
import { ndiscSendNs } from './ndisc-send.ts'

/** What neighbour discovery brings to the neighbour table. @kernel ndisc_generic_ops net/ipv6/ndisc.c */
export function ndiscOps(ipv6: Ipv6): NeighOps {
  return {
    family: AF_INET6,
    id: 'ndisc_cache',
    keyLen: 16,
    locktime: 0,
    setup: (neigh) => ndiscConstructor(ipv6, neigh),
    solicit: (neigh, skb) => {
      ndiscSolicit(ipv6, neigh, skb)
    },
    errorReport: (_neigh, skb) => {
      icmpv6Send(ipv6, skb, Icmpv6Type.DEST_UNREACH, Icmp6Code.ADDR_UNREACH, 0)
      kfreeSkb(skb, SkbDropReason.NEIGH_FAILED)
    },
    isMulticast: (key) => key[0] === 0xff,
  }
}

/** Groups, and devices without resolution, have their link address at once. @kernel ndisc_constructor() net/ipv6/ndisc.c */
function ndiscConstructor(ipv6: Ipv6, neigh: Neighbour): boolean {
  const { dev, primaryKey } = neigh
  if (!ipv6.devs.has(dev)) return false
  const group = primaryKey[0] === 0xff
  neigh.type = group ? RtnType.MULTICAST : RtnType.UNICAST
  if (dev.hardHeaderLen === 0 || dev.addrLen === 0) neigh.nudState = Nud.NOARP
  else if (group) {
    neigh.nudState = Nud.NOARP
    neigh.ha.set(ipv6EthMcMap(primaryKey))
  } else if ((dev.flags & (Iff.NOARP | Iff.LOOPBACK)) !== 0) {
    neigh.nudState = Nud.NOARP
    neigh.ha.set(dev.devAddr.subarray(0, neigh.ha.length))
    if ((dev.flags & Iff.LOOPBACK) !== 0) neigh.type = RtnType.LOCAL
  } else if ((dev.flags & Iff.POINTOPOINT) !== 0) {
    neigh.nudState = Nud.NOARP
    neigh.ha.set(dev.broadcast.subarray(0, neigh.ha.length))
  }
  return true
}

/** Asks a neighbour: straight while its address is thought to be known, else through its group. @kernel ndisc_solicit() net/ipv6/ndisc.c */
function ndiscSolicit(ipv6: Ipv6, neigh: Neighbour, skb: SkBuff | null): void {
  const idev = ipv6.devs.get(neigh.dev)
  if (idev === undefined) return
  const target = neigh.primaryKey
  const src = skb === null ? null : sourceOf(ipv6, neigh, skb)
  // A neighbour without an address starts with its unicast probes used up.
  const straight = neigh.nudState === Nud.PROBE && neigh.probes <= neigh.parms.ucastProbes
  ndiscSendNs(idev, target, straight ? target : addrconfAddrSolictMult(target), src, 0)
}

/** The source of the packet that waits, if it is an address of this device. */
function sourceOf(ipv6: Ipv6, neigh: Neighbour, skb: SkBuff): Uint8Array | null {
  const at = skb.networkHeader
  if (at < 0 || at + 24 > skb.tail) return null
  const src = ipv6AddrAt(skb.mem, at + 8)
  const banned = IfaFlag.TENTATIVE | IfaFlag.OPTIMISTIC
  return ipv6ChkAddr(ipv6, src, neigh.dev, banned) ? src : null
}
