import { Rta } from '@vnet/netlink'
import { RtTable, type FibResult, type FibRoute, type InetFamilyNr } from '@vnet/inet'
import { NSEC_PER_SEC, type Kernel } from '@vnet/kernel'
import type { NlWriter } from '@vnet/netlink'
import { Rtcf, RtmFlag } from './constants.ts'
import { addressLength } from './family.ts'

const RT_TABLE_COMPAT = 252
const RTPROT_UNSPEC = 0
/** `RtnType` values that a route of the cache shows as flags. */
const CACHE_FLAGS: Readonly<Record<number, number>> = {
  2: Rtcf.LOCAL,
  3: Rtcf.BROADCAST,
  5: Rtcf.MULTICAST,
}

/** The fixed part of a route message. @kernel struct rtmsg include/uapi/linux/rtnetlink.h */
interface RtmsgFields {
  readonly family: number
  readonly dstLen: number
  readonly srcLen?: number
  readonly tos: number
  readonly table: number
  readonly protocol: number
  readonly scope: number
  readonly type: number
  readonly flags: number
}

function rtmsg(w: NlWriter, m: RtmsgFields): void {
  w.u8(m.family)
  w.u8(m.dstLen)
  w.u8(m.srcLen ?? 0)
  w.u8(m.tos)
  w.u8(m.table < 256 ? m.table : RT_TABLE_COMPAT)
  w.u8(m.protocol)
  w.u8(m.scope)
  w.u8(m.type)
  w.u32(m.flags >>> 0)
  w.putU32(Rta.TABLE, m.table)
}

/** Writes a route of a table. @kernel fib_dump_info() net/ipv4/fib_semantics.c, rt6_fill_node() net/ipv6/route.c */
export function fillRoute(w: NlWriter, kernel: Kernel, route: FibRoute): void {
  rtmsg(w, route.family === 2 ? route : { ...fields(route), scope: 0 })
  if (route.dstLen > 0) w.putBinary(Rta.DST, route.dst)
  if (route.family === 2) putIpv4(w, route)
  else putIpv6(w, kernel, route)
}

function fields(route: FibRoute): RtmsgFields {
  const { family, dstLen, tos, table, protocol, scope, type, flags } = route
  return { family, dstLen, tos, table, protocol, scope, type, flags }
}

function putIpv4(w: NlWriter, route: FibRoute): void {
  if (route.priority !== 0) w.putU32(Rta.PRIORITY, route.priority)
  putMetrics(w, route)
  if (route.prefsrc !== null) w.putBinary(Rta.PREFSRC, route.prefsrc)
  if (route.gateway !== null) w.putBinary(Rta.GATEWAY, route.gateway)
  if (route.oif !== null) w.putU32(Rta.OIF, route.oif.ifindex)
}

function putIpv6(w: NlWriter, kernel: Kernel, route: FibRoute): void {
  if (route.prefsrc !== null) w.putBinary(Rta.PREFSRC, route.prefsrc)
  putMetrics(w, route)
  if (route.gateway !== null) w.putBinary(Rta.GATEWAY, route.gateway)
  if (route.oif !== null) w.putU32(Rta.OIF, route.oif.ifindex)
  w.putU32(Rta.PRIORITY, route.priority)
  putCacheinfo(w, kernel, route.expires)
  w.putU8(Rta.PREF, route.pref)
}

/** @kernel rtnetlink_put_metrics() net/core/rtnetlink.c */
function putMetrics(w: NlWriter, route: FibRoute): void {
  if (route.metrics.size === 0) return
  const at = w.nestStartNoflag(Rta.METRICS)
  for (const [metric, value] of route.metrics) w.putU32(metric, value)
  w.nestEnd(at)
}

/** What ends, and when, in hundredths of a second. @kernel rtnl_put_cacheinfo() net/core/rtnetlink.c */
function putCacheinfo(w: NlWriter, kernel: Kernel, expires: number): void {
  const view = new DataView(new ArrayBuffer(32))
  const { clock } = kernel
  const left = expires === 0 ? 0 : ((expires - clock.jiffies) * clock.tickNs) / (NSEC_PER_SEC / 100)
  view.setInt32(8, Math.round(left), true)
  w.putBinary(Rta.CACHEINFO, new Uint8Array(view.buffer))
}

/** What was asked of `ip route get`. */
export interface RouteQuestion {
  readonly family: InetFamilyNr
  readonly dst: Uint8Array
  readonly src: Uint8Array | undefined
  /** It wants to know which table the answer is from. */
  readonly lookupTable: boolean
}

/** Writes the way to one destination. @kernel rt_fill_info() net/ipv4/route.c, rt6_fill_node() net/ipv6/route.c */
export function fillLookup(w: NlWriter, kernel: Kernel, asked: RouteQuestion, found: FibResult): void {
  const ipv4 = asked.family === 2
  const route = found.route
  rtmsg(w, {
    family: asked.family,
    dstLen: addressLength(asked.family) * 8,
    srcLen: ipv4 ? 0 : 128,
    tos: 0,
    table: asked.lookupTable || !ipv4 ? (route?.table ?? RtTable.MAIN) : RtTable.MAIN,
    protocol: ipv4 ? RTPROT_UNSPEC : (route?.protocol ?? RTPROT_UNSPEC),
    scope: 0,
    type: found.type,
    flags: ipv4 ? RtmFlag.CLONED | (CACHE_FLAGS[found.type] ?? 0) : 0,
  })
  w.putBinary(Rta.DST, asked.dst)
  // IPv6 has routes by source, and always says from where.
  if (!ipv4 || asked.src !== undefined) w.putBinary(Rta.SRC, asked.src ?? new Uint8Array(16))
  w.putU32(Rta.OIF, found.dev.ifindex)
  if (!ipv4 || asked.src === undefined) w.putBinary(Rta.PREFSRC, found.src)
  if (found.gateway !== null) w.putBinary(Rta.GATEWAY, found.gateway)
  if (route !== null) putMetrics(w, route)
  if (ipv4) w.putU32(Rta.UID, 0)
  else w.putU32(Rta.PRIORITY, route?.priority ?? 0)
  putCacheinfo(w, kernel, 0)
  if (!ipv4) w.putU8(Rta.PREF, route?.pref ?? 0)
}
