import { ipv6AddrEqual } from './address.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import type { Ifmcaddr6 } from './mcast-group.ts'

/** Flags of a group. @kernel MAF_TIMER_RUNNING include/net/if_inet6.h */
export const Maf = { TIMER_RUNNING: 1, LAST_REPORTER: 2, LOADED: 4, NOREPORT: 8, GSQUERY: 16 } as const

/** The group on this device, or null. @kernel ipv6_chk_mcast_addr() net/ipv6/mcast.c */
export function mcLookup(idev: Inet6Dev, addr: Uint8Array, off = 0): Ifmcaddr6 | null {
  for (const group of idev.mcList) if (ipv6AddrEqual(group.addr, addr, 0, off)) return group
  return null
}
