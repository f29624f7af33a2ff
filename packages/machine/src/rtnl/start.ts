import type { Inet } from '@vnet/inet'
import type { NetlinkServer } from '@vnet/netlink'
import { registerAddr } from './addr.ts'
import { registerLinkAf } from './af-link.ts'
import { FAMILIES } from './family.ts'
import { registerLink6 } from './link6.ts'
import { registerMulticast } from './maddr.ts'
import { registerNeigh } from './neigh.ts'
import { registerNeightbl } from './neightbl.ts'
import { registerNetconf } from './netconf.ts'
import { registerRoute } from './route.ts'
import { registerRule } from './rule.ts'

/** Plugs the protocol stack into rtnetlink; returns what takes it out. @kernel devinet_init() net/ipv4/devinet.c */
export function startRtnl(server: NetlinkServer, inet: Inet): () => void {
  const undo = [...registerLinkAf(server, inet), ...registerLink6(server, inet)]
  for (const family of FAMILIES) {
    const context = { inet, family }
    undo.push(
      ...registerAddr(server, context),
      ...registerRoute(server, context),
      ...registerNeigh(server, context),
      ...registerNeightbl(server, context),
      ...registerRule(server, context),
      ...registerNetconf(server, context),
      ...registerMulticast(server, context),
    )
  }
  return () => {
    for (const fn of undo.reverse()) fn()
  }
}
