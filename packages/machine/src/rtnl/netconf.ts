import { ipv6Of, type Inet } from '@vnet/inet'
import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import {
  NetlinkError,
  NetlinkProtocolNr,
  Rtm,
  Rtnlgrp,
  nlaPolicy,
  nlmsgParse,
  rtnlRegister,
  type DumpEntry,
  type NetlinkServer,
  type NlDump,
  type NlRequest,
  type NlWriter,
} from '@vnet/netlink'
import { NETCONFMSG_LEN, NetconfIfindex, Netconfa } from './constants.ts'
import { deviceAt, type FamilyContext } from './family.ts'

const netconfPolicy = nlaPolicy({ [Netconfa.IFINDEX]: { name: 'ifindex', kind: 's32' } })

/** What a family says of itself on a device, or in general. */
interface Netconf {
  readonly ifindex: number
  readonly forwarding: number
  readonly rpFilter: number
  readonly ignoreRoutesWithLinkdown: number
}

/** Registers RTM_GETNETCONF of a family. @returns what takes it back */
export function registerNetconf(server: NetlinkServer, context: FamilyContext): (() => void)[] {
  return [
    rtnlRegister(server, context.family, Rtm.GETNETCONF, {
      doit: (request) => getconf(request, context),
      dumpit: () => dump(context),
    }),
    context.family === 2 ? tellIpv4(server, context.inet) : tellIpv6(server, context.inet),
  ]
}

/** A device's settings come and go with it. @kernel inet_netconf_notify_devconf() net/ipv4/devinet.c */
function tellIpv4(server: NetlinkServer, inet: Inet): () => void {
  const { ipv4 } = inet
  ipv4.onNetconf = (event, dev) => {
    if (event === 'new') tellNew(server, inet, 2, dev)
    else tellGone(server, 2, dev)
  }
  return () => {
    ipv4.onNetconf = null
  }
}

/** @kernel inet6_netconf_notify_devconf() net/ipv6/addrconf.c */
function tellIpv6(server: NetlinkServer, inet: Inet): () => void {
  const ipv6 = ipv6Of(inet)
  ipv6.onNetconf = (event, idev) => {
    if (event === 'new') tellNew(server, inet, 10, idev.dev)
    else tellGone(server, 10, idev.dev)
  }
  return () => {
    ipv6.onNetconf = null
  }
}

const GROUPS = { 2: Rtnlgrp.IPV4_NETCONF, 10: Rtnlgrp.IPV6_NETCONF } as const

function tellNew(server: NetlinkServer, inet: Inet, family: 2 | 10, dev: NetDevice<any>): void {
  const conf = netconfs(inet, family).find((one) => one.ifindex === dev.ifindex)
  if (conf === undefined) return
  server.notify(NetlinkProtocolNr.ROUTE, GROUPS[family], Rtm.NEWNETCONF, (w) => fill(w, family, conf))
}

function tellGone(server: NetlinkServer, family: 2 | 10, dev: NetDevice<any>): void {
  server.notify(NetlinkProtocolNr.ROUTE, GROUPS[family], Rtm.DELNETCONF, (w) => {
    header(w, family)
    w.putU32(Netconfa.IFINDEX, dev.ifindex)
  })
}

/** @throws Errno EINVAL, ENODEV @kernel inet_netconf_get_devconf() net/ipv4/devinet.c */
function getconf(request: NlRequest, { inet, family }: FamilyContext): void {
  const tb = nlmsgParse(request, NETCONFMSG_LEN, netconfPolicy, request.strict ? 'strict' : 'liberal')
  const ifindex = tb.s32(Netconfa.IFINDEX)
  if (ifindex === undefined) throw new NetlinkError('EINVAL', 'Unsupported attribute in netconf get request')
  if (ifindex > 0) deviceAt(request, ifindex)
  const conf = netconfs(inet, family).find((one) => one.ifindex === ifindex)
  if (conf === undefined) throw new Errno('EINVAL')
  request.reply(Rtm.NEWNETCONF, (w) => fill(w, family, conf))
}

/** @kernel inet_netconf_dump_devconf() net/ipv4/devinet.c */
function dump({ inet, family }: FamilyContext): NlDump {
  return { type: Rtm.NEWNETCONF, entries: entries(netconfs(inet, family), family) }
}

function* entries(confs: readonly Netconf[], family: 2 | 10): Generator<DumpEntry> {
  for (const conf of confs) yield (w) => fill(w, family, conf)
}

/** Of each device, of all, and of those to come. */
function netconfs(inet: Inet, family: 2 | 10): Netconf[] {
  return family === 2 ? ipv4Confs(inet) : ipv6Confs(inet)
}

function byIndex(a: { dev: NetDevice<any> }, b: { dev: NetDevice<any> }): number {
  return a.dev.ifindex - b.dev.ifindex
}

function ipv4Confs(inet: Inet): Netconf[] {
  const forwarding = inet.ipForward ? 1 : 0
  const devices = [...inet.ipv4.devices.values()].sort(byIndex).map(({ dev, cnf }) => ({
    ifindex: dev.ifindex,
    forwarding,
    rpFilter: cnf.rpFilter,
    ignoreRoutesWithLinkdown: cnf.ignoreRoutesWithLinkdown ? 1 : 0,
  }))
  const general = { forwarding, rpFilter: 0, ignoreRoutesWithLinkdown: 0 }
  return [
    ...devices,
    { ifindex: NetconfIfindex.ALL, ...general },
    { ifindex: NetconfIfindex.DEFAULT, ...general },
  ]
}

function ipv6Confs(inet: Inet): Netconf[] {
  const ipv6 = ipv6Of(inet)
  const of = (ifindex: number, cnf: { forwarding: number; ignoreRoutesWithLinkdown: number }): Netconf => ({
    ifindex,
    forwarding: cnf.forwarding,
    rpFilter: 0,
    ignoreRoutesWithLinkdown: cnf.ignoreRoutesWithLinkdown,
  })
  const devices = [...ipv6.devs.values()].sort(byIndex).map(({ dev, cnf }) => of(dev.ifindex, cnf))
  return [...devices, of(NetconfIfindex.ALL, ipv6.devconfAll), of(NetconfIfindex.DEFAULT, ipv6.devconfDflt)]
}

/** @kernel inet_netconf_fill_devconf() net/ipv4/devinet.c, inet6_netconf_fill_devconf() net/ipv6/addrconf.c */
function fill(w: NlWriter, family: 2 | 10, conf: Netconf): void {
  header(w, family)
  w.putU32(Netconfa.IFINDEX, conf.ifindex)
  w.putU32(Netconfa.FORWARDING, conf.forwarding)
  if (family === 2) w.putU32(Netconfa.RP_FILTER, conf.rpFilter)
  w.putU32(Netconfa.MC_FORWARDING, 0)
  if (family === 2) w.putU32(Netconfa.BC_FORWARDING, 0)
  w.putU32(Netconfa.PROXY_NEIGH, 0)
  w.putU32(Netconfa.IGNORE_ROUTES_WITH_LINKDOWN, conf.ignoreRoutesWithLinkdown)
}

/** @kernel struct netconfmsg include/uapi/linux/netconf.h */
function header(w: NlWriter, family: 2 | 10): void {
  w.u8(family)
  w.u8(0)
  w.u16(0)
}
