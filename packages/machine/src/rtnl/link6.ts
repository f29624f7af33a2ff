import { ipv6Of, type Inet, type Inet6Dev } from '@vnet/inet'
import { devGetFlags, IfOper, netifRunning } from '@vnet/netdev'
import {
  Af,
  Ifla,
  NetlinkProtocolNr,
  Rtm,
  Rtnlgrp,
  rtnlRegister,
  type DumpEntry,
  type NetlinkServer,
  type NlDump,
  type NlWriter,
} from '@vnet/netlink'
import { putInet6 } from './af-link.ts'

/** The nest of a family in a link message of its own. @kernel IFLA_PROTINFO include/uapi/linux/if_link.h */
const IFLA_PROTINFO = 12

/** Registers what IPv6 alone says of links: `ip -6 link` and its group. @returns what takes it back */
export function registerLink6(server: NetlinkServer, inet: Inet): (() => void)[] {
  const ipv6 = ipv6Of(inet)
  ipv6.onIfinfo = (idev) =>
    server.notify(NetlinkProtocolNr.ROUTE, Rtnlgrp.IPV6_IFINFO, Rtm.NEWLINK, (w) => fill(w, idev))
  return [
    rtnlRegister(server, Af.INET6, Rtm.GETLINK, { dumpit: () => dump(inet) }),
    () => {
      ipv6.onIfinfo = null
    },
  ]
}

/** @kernel inet6_dump_ifinfo() net/ipv6/addrconf.c */
function dump(inet: Inet): NlDump {
  const all = [...ipv6Of(inet).devs.values()].sort((a, b) => a.dev.ifindex - b.dev.ifindex)
  return { type: Rtm.NEWLINK, entries: entries(all) }
}

function* entries(all: readonly Inet6Dev[]): Generator<DumpEntry> {
  for (const idev of all) yield (w) => fill(w, idev)
}

/** Less than a link tells of itself. @kernel inet6_fill_ifinfo() net/ipv6/addrconf.c */
function fill(w: NlWriter, idev: Inet6Dev): void {
  const { dev } = idev
  w.u8(Af.INET6)
  w.u8(0)
  w.u16(dev.type)
  w.u32(dev.ifindex)
  w.u32(devGetFlags(dev))
  w.u32(0)
  w.putString(Ifla.IFNAME, dev.name)
  if (dev.addrLen > 0) w.putBinary(Ifla.ADDRESS, dev.devAddr.subarray(0, dev.addrLen))
  w.putU32(Ifla.MTU, dev.mtu)
  if (dev.iflink !== 0 && dev.iflink !== dev.ifindex) w.putU32(Ifla.LINK, dev.iflink)
  w.putU8(Ifla.OPERSTATE, netifRunning(dev) ? dev.operstate : IfOper.DOWN)
  const at = w.nestStart(IFLA_PROTINFO)
  putInet6(w, idev, 0)
  w.nestEnd(at)
}
