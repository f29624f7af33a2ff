import { Iff } from '@vnet/netdev'
import { addrconfAddrSolictMult } from '@vnet/wire'
import type { Inet6Ifaddr } from './ifaddr.ts'
import { ipv6DevMcDec, ipv6DevMcInc } from './mcast-group.ts'

/** Joins the solicited-node group of an address. @kernel addrconf_join_solict() net/ipv6/addrconf.c */
export function addrconfJoinSolict(ifp: Inet6Ifaddr): void {
  if (ifp.joined || (ifp.dev.flags & (Iff.LOOPBACK | Iff.NOARP)) !== 0) return
  ifp.joined = true
  ipv6DevMcInc(ifp.idev, addrconfAddrSolictMult(ifp.local))
}

/** Leaves it again. @kernel addrconf_leave_solict() net/ipv6/addrconf.c */
export function addrconfLeaveSolict(ifp: Inet6Ifaddr): void {
  if (!ifp.joined) return
  ifp.joined = false
  ipv6DevMcDec(ifp.idev, addrconfAddrSolictMult(ifp.local))
}
