import type { NetlinkServer } from '../core/server.ts'
import { Af, Rtm } from './constants.ts'
import { rtnlDumpIfinfo, rtnlGetlink } from './link-get.ts'
import { linkNotifierOf } from './link-notify.ts'
import { rtnlDellink, rtnlNewlink, rtnlSetlink } from './link-set.ts'
import { emptyDump, noFamily, rtnlNetGetid, rtnlStatsDump, rtnlStatsGet } from './others.ts'
import { tcDumpQdisc, tcGetQdisc } from './qdisc.ts'
import { registerRtnetlink, rtnlDumpAll, rtnlRegister } from './rtnl.ts'

/**
 * Starts rtnetlink in a kernel: links, counters, and the empty answers of a kernel without a protocol stack.
 *
 * `@vnet/inet` adds the rest by `rtnlRegister(server, Af.INET, Rtm.NEWADDR, …)` and so on; what is registered here
 * for `Af.UNSPEC` then only stands in for the families it has not.
 *
 * @kernel rtnetlink_init() net/core/rtnetlink.c
 */
export function startRtnetlink(server: NetlinkServer): void {
  registerRtnetlink(server)
  linkNotifierOf(server)
  const unspec = (type: number, link: Parameters<typeof rtnlRegister>[3]): void => {
    rtnlRegister(server, Af.UNSPEC, type, link)
  }
  unspec(Rtm.GETLINK, { doit: rtnlGetlink, dumpit: rtnlDumpIfinfo })
  unspec(Rtm.SETLINK, { doit: rtnlSetlink })
  unspec(Rtm.NEWLINK, { doit: rtnlNewlink })
  unspec(Rtm.DELLINK, { doit: rtnlDellink })
  unspec(Rtm.GETSTATS, { doit: rtnlStatsGet, dumpit: rtnlStatsDump })
  unspec(Rtm.GETQDISC, { doit: tcGetQdisc, dumpit: tcDumpQdisc })
  unspec(Rtm.GETNSID, { doit: rtnlNetGetid, dumpit: emptyDump(Rtm.NEWNSID) })

  // ── where a protocol stack plugs in
  unspec(Rtm.GETADDR, { dumpit: (request) => rtnlDumpAll(request, Rtm.NEWADDR) })
  unspec(Rtm.GETROUTE, { dumpit: (request) => rtnlDumpAll(request, Rtm.NEWROUTE) })
  unspec(Rtm.GETNETCONF, { dumpit: (request) => rtnlDumpAll(request, Rtm.NEWNETCONF) })
  unspec(Rtm.GETNEIGH, { doit: noFamily, dumpit: (request) => rtnlDumpAll(request, Rtm.NEWNEIGH) })
  unspec(Rtm.NEWNEIGH, { doit: noFamily })
  unspec(Rtm.DELNEIGH, { doit: noFamily })
  unspec(Rtm.GETRULE, { dumpit: (request) => rtnlDumpAll(request, Rtm.NEWRULE) })
  unspec(Rtm.NEWRULE, { doit: noFamily })
  unspec(Rtm.DELRULE, { doit: noFamily })
  unspec(Rtm.GETNEIGHTBL, { dumpit: (request) => rtnlDumpAll(request, Rtm.NEWNEIGHTBL) })
  // `bridge link`: no device is a port of a bridge.
  rtnlRegister(server, Af.BRIDGE, Rtm.GETLINK, { dumpit: emptyDump(Rtm.NEWLINK) })
}
