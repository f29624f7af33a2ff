import { Iff } from '@vnet/netdev'
import { addrconfAddrGen, addrconfIfdown } from './addrconf-dev.ts'
import { addrconfNotify } from './addrconf-notify.ts'
import { In6AddrGenMode } from './devconf.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import { ipv6DevMcDec, ipv6DevMcInc } from './mcast-group.ts'

const MODE_NAMES = ['eui64', 'none', 'stable_secret', 'random'] as const

/** Turns IPv6 of a device off (its addresses go) or on again. rtnl is held. @kernel addrconf_disable_ipv6() net/ipv6/addrconf.c */
export function addrconfSetDisableIpv6(idev: Inet6Dev, disable: boolean): void {
  const { ipv6, dev } = idev
  ipv6.kernel.rtnl.assertHeld('addrconfSetDisableIpv6')
  if ((idev.cnf.disableIpv6 !== 0) === disable) return
  idev.cnf.disableIpv6 = disable ? 1 : 0
  if (disable) addrconfIfdown(ipv6, dev, false)
  else if ((dev.flags & Iff.UP) !== 0) addrconfNotify(ipv6, 'NETDEV_UP', dev)
}

/**
 * Sets how a device makes its link-local address: `In6AddrGenMode` EUI64 or NONE. One that is there stays. rtnl is held.
 *
 * @kernel addrconf_sysctl_addr_gen_mode() net/ipv6/addrconf.c
 */
export function addrconfSetAddrGenMode(idev: Inet6Dev, mode: number): void {
  idev.ipv6.kernel.rtnl.assertHeld('addrconfSetAddrGenMode')
  if (idev.cnf.addrGenMode === mode) return
  idev.cnf.addrGenMode = mode
  idev.dev.addrGenMode = MODE_NAMES[mode] ?? null
  if (mode === In6AddrGenMode.EUI64 && idev.ready) addrconfAddrGen(idev)
}

/** Groups a router is in: of the node, the link, the site. @kernel dev_forward_change() net/ipv6/addrconf.c */
const ROUTER_GROUPS: readonly (readonly [number, number])[] = [
  [0xff, 2],
  [0xff, 1],
  [0xff, 5],
]

/**
 * Makes a device pass packets on, or not: a router is in the routers' groups and believes no other. rtnl is held.
 *
 * @kernel dev_forward_change() net/ipv6/addrconf.c
 */
export function addrconfSetForwarding(idev: Inet6Dev, forwarding: number): void {
  idev.ipv6.kernel.rtnl.assertHeld('addrconfSetForwarding')
  const was = idev.cnf.forwarding !== 0
  idev.cnf.forwarding = forwarding
  if (was === (forwarding !== 0) || (idev.dev.flags & Iff.MULTICAST) === 0) return
  for (const [first, second] of ROUTER_GROUPS) {
    const group = new Uint8Array(16)
    group.set([first, second])
    group[15] = 2
    if (was) ipv6DevMcDec(idev, group)
    else ipv6DevMcInc(idev, group)
  }
  idev.ipv6.onNetconf?.('new', idev)
}
