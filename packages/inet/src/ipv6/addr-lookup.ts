import type { NetDevice } from '@vnet/netdev'
import { IfaFlag } from '../types/constants.ts'
import type { Inet6Ifaddr } from './ifaddr.ts'
import type { Ipv6 } from './ipv6.ts'

/**
 * Finds an address of this machine.
 *
 * @param strict - only on `dev`; else also on others, unless the address is link-local
 * @kernel ipv6_get_ifaddr() net/ipv6/addrconf.c
 */
export function ipv6GetIfaddr(
  ipv6: Ipv6,
  addr: Uint8Array,
  dev: NetDevice<any> | null,
  strict: boolean,
  off = 0,
): Inet6Ifaddr | null {
  const list = ipv6.addrHash.get(addr, off)
  if (list === undefined) return null
  for (let i = 0; i < list.length; i++) {
    const ifp = list[i]!
    if (dev === null || ifp.dev === dev || (!strict && ifp.scope === 0)) return ifp
  }
  return null
}

/** True when the address is ours and none of `banned` (`IfaFlag` bits) is set. @kernel ipv6_chk_addr_and_flags() net/ipv6/addrconf.c */
export function ipv6ChkAddr(
  ipv6: Ipv6,
  addr: Uint8Array,
  dev: NetDevice<any> | null,
  banned: number = IfaFlag.TENTATIVE,
  off = 0,
): boolean {
  const list = ipv6.addrHash.get(addr, off)
  if (list === undefined) return false
  for (let i = 0; i < list.length; i++) {
    const ifp = list[i]!
    if ((ifp.flags & banned) === 0 && (dev === null || ifp.dev === dev || ifp.scope === 0)) return true
  }
  return false
}
