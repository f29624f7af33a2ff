import { fibAdd, fibDel, fibDump, fibLookup, type FibConfig, type FibRoute } from '@vnet/inet'
import { Errno, msecsToJiffies } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import {
  NetlinkError,
  NetlinkProtocolNr,
  nlaPolicy,
  NLMSG_HDRLEN,
  nlmsgParse,
  Rta,
  Rtm,
  RTMSG_LEN,
  Rtnlgrp,
  rtnlRegister,
  type DumpEntry,
  type NetlinkServer,
  type NlDump,
  type NlRequest,
  type NlaTable,
} from '@vnet/netlink'
import { RtmFlag } from './constants.ts'
import { addressLength, deviceAt, headerByte, type FamilyContext } from './family.ts'
import { fillLookup, fillRoute } from './route-fill.ts'

const SCOPE_NOWHERE = 255

/** @kernel rtm_ipv4_policy net/ipv4/fib_frontend.c, rtm_ipv6_policy net/ipv6/route.c */
function policyOf(bytes: number): ReturnType<typeof nlaPolicy> {
  const address = { kind: 'binary', minLength: bytes } as const
  return nlaPolicy({
    [Rta.DST]: { name: 'dst', ...address },
    [Rta.SRC]: { name: 'src', ...address },
    [Rta.IIF]: { name: 'iif', kind: 'u32' },
    [Rta.OIF]: { name: 'oif', kind: 'u32' },
    [Rta.GATEWAY]: { name: 'gateway', ...address },
    [Rta.PRIORITY]: { name: 'priority', kind: 'u32' },
    [Rta.PREFSRC]: { name: 'prefsrc', ...address },
    [Rta.METRICS]: { name: 'metrics', kind: 'nested' },
    [Rta.MULTIPATH]: { name: 'multipath', kind: 'binary' },
    [Rta.FLOW]: { name: 'flow', kind: 'u32' },
    [Rta.TABLE]: { name: 'table', kind: 'u32' },
    [Rta.MARK]: { name: 'mark', kind: 'u32' },
    [Rta.VIA]: { name: 'via', kind: 'binary' },
    [Rta.PREF]: { name: 'pref', kind: 'u8' },
    [Rta.ENCAP_TYPE]: { name: 'encap-type', kind: 'u16' },
    [Rta.ENCAP]: { name: 'encap', kind: 'nested' },
    [Rta.EXPIRES]: { name: 'expires', kind: 'u32' },
    [Rta.UID]: { name: 'uid', kind: 'u32' },
    [Rta.TTL_PROPAGATE]: { name: 'ttl-propagate', kind: 'u8' },
    [Rta.IP_PROTO]: { name: 'ip-proto', kind: 'u8' },
    [Rta.SPORT]: { name: 'sport', kind: 'u16' },
    [Rta.DPORT]: { name: 'dport', kind: 'u16' },
    [Rta.NH_ID]: { name: 'nh-id', kind: 'u32' },
  })
}

const POLICIES = { 2: policyOf(4), 10: policyOf(16) } as const

/** What a route cannot be made of here. */
const UNSUPPORTED: readonly number[] = [Rta.MULTIPATH, Rta.VIA, Rta.ENCAP, Rta.NH_ID, Rta.FLOW]

/** @kernel struct rtmsg include/uapi/linux/rtnetlink.h */
interface Rtmsg {
  readonly dstLen: number
  readonly srcLen: number
  readonly tos: number
  readonly table: number
  readonly protocol: number
  readonly scope: number
  readonly type: number
  readonly flags: number
}

function rtmsg(request: NlRequest): Rtmsg {
  return {
    dstLen: headerByte(request, 1),
    srcLen: headerByte(request, 2),
    tos: headerByte(request, 3),
    table: headerByte(request, 4),
    protocol: headerByte(request, 5),
    scope: headerByte(request, 6),
    type: headerByte(request, 7),
    flags: request.view.getUint32(NLMSG_HDRLEN + 8, true),
  }
}

/** Registers RTM_*ROUTE of a family, and tells the family's group of changes. @returns what takes it back */
export function registerRoute(server: NetlinkServer, context: FamilyContext): (() => void)[] {
  const { inet, family } = context
  return [
    rtnlRegister(server, family, Rtm.NEWROUTE, {
      doit: (request) => void fibAdd(inet, configOf(request, context, true), request.flags & 0xf00),
    }),
    rtnlRegister(server, family, Rtm.DELROUTE, {
      doit: (request) => fibDel(inet, configOf(request, context, false)),
    }),
    rtnlRegister(server, family, Rtm.GETROUTE, {
      doit: (request) => getroute(request, context),
      dumpit: (request) => dump(request, context),
    }),
    inet.on('route', (event, route) => {
      if (route.family !== family) return
      const group = family === 2 ? Rtnlgrp.IPV4_ROUTE : Rtnlgrp.IPV6_ROUTE
      const type = event === 'new' ? Rtm.NEWROUTE : Rtm.DELROUTE
      server.notify(NetlinkProtocolNr.ROUTE, group, type, (w) => fillRoute(w, server.kernel, route))
    }),
  ]
}

/** What a request says of a route; for one to remove, what it leaves open matches anything. @kernel rtm_to_fib_config() net/ipv4/fib_frontend.c */
function configOf(request: NlRequest, { family }: FamilyContext, adds: boolean): FibConfig {
  const tb = nlmsgParse(request, RTMSG_LEN, POLICIES[family], 'liberal')
  const msg = rtmsg(request)
  const bytes = addressLength(family)
  if (msg.dstLen > bytes * 8) throw new NetlinkError('EINVAL', 'Invalid prefix length')
  for (const type of UNSUPPORTED) if (tb.has(type)) throw new Errno('EOPNOTSUPP')
  const oif = tb.number(Rta.OIF)
  const open = (value: number, none: number): boolean => adds || value !== none
  return {
    family,
    dst: prefix(tb, family),
    dstLen: msg.dstLen,
    tos: msg.tos,
    table: tableOf(tb, msg),
    ...(open(msg.protocol, 0) && { protocol: msg.protocol }),
    ...(open(msg.scope, SCOPE_NOWHERE) && { scope: msg.scope }),
    ...(open(msg.type, 0) && { type: msg.type === 0 ? 1 : msg.type }),
    flags: msg.flags & 0xff,
    ...optional(tb, bytes),
    ...(oif !== undefined && oif !== 0 && { oif: deviceAt(request, oif) }),
    ...(tb.has(Rta.EXPIRES) && { expires: expiry(request, tb.number(Rta.EXPIRES)!) }),
  }
}

function prefix(tb: NlaTable, family: 2 | 10): Uint8Array {
  const bytes = addressLength(family)
  return tb.binary(Rta.DST)?.subarray(0, bytes) ?? new Uint8Array(bytes)
}

function tableOf(tb: NlaTable, msg: Rtmsg): number {
  return tb.number(Rta.TABLE) ?? msg.table
}

type RouteOptions = Pick<FibConfig, 'gateway' | 'priority' | 'prefsrc' | 'metrics' | 'pref'>

function optional(tb: NlaTable, bytes: number): RouteOptions {
  const gateway = tb.binary(Rta.GATEWAY)?.subarray(0, bytes)
  const prefsrc = tb.binary(Rta.PREFSRC)?.subarray(0, bytes)
  const metrics = metricsOf(tb)
  const pref = tb.number(Rta.PREF)
  const priority = tb.number(Rta.PRIORITY)
  return {
    ...(gateway?.some((byte) => byte !== 0) === true && { gateway }),
    ...(prefsrc !== undefined && { prefsrc }),
    ...(metrics.size > 0 && { metrics }),
    ...(pref !== undefined && { pref }),
    ...(priority !== undefined && { priority }),
  }
}

/** Highest metric there is. @kernel RTAX_MAX include/uapi/linux/rtnetlink.h */
const RTAX_MAX = 17

/** @throws NetlinkError EINVAL @kernel ip_metrics_convert() net/ipv4/metrics.c */
function metricsOf(tb: NlaTable): ReadonlyMap<number, number> {
  const metrics = new Map<number, number>()
  const walk = tb.walk(Rta.METRICS)
  if (walk === null) return metrics
  while (walk.next()) {
    if (walk.type === 0) continue
    if (walk.type > RTAX_MAX) throw new NetlinkError('EINVAL', 'Invalid metric type')
    if (walk.length !== 4)
      throw new NetlinkError('EINVAL', 'Invalid attribute in metrics', { offset: walk.start })
    metrics.set(walk.type, walk.number())
  }
  return metrics
}

/** Seconds from now to a tick. */
function expiry(request: NlRequest, seconds: number): number {
  return request.kernel.clock.jiffies + msecsToJiffies(request.kernel, seconds * 1000)
}

/** The way to one destination: `ip route get`. @kernel inet_rtm_getroute() net/ipv4/route.c */
function getroute(request: NlRequest, { inet, family }: FamilyContext): void {
  const tb = nlmsgParse(request, RTMSG_LEN, POLICIES[family], request.strict ? 'strict' : 'liberal')
  const msg = rtmsg(request)
  if (request.strict) checkGet(msg, family)
  if (family === 10 && !tb.has(Rta.DST))
    throw new NetlinkError('EINVAL', 'IPv6: Destination address required')
  const dst = prefix(tb, family)
  const src = tb.binary(Rta.SRC)?.subarray(0, addressLength(family))
  const oif = tb.number(Rta.OIF)
  const found = fibLookup(inet, dst, {
    tos: msg.tos,
    ...(src !== undefined && { src }),
    ...(oif !== undefined && oif !== 0 && { oif: deviceAt(request, oif) }),
  })
  const lookupTable = (msg.flags & RtmFlag.LOOKUP_TABLE) !== 0
  request.reply(Rtm.NEWROUTE, (w) => {
    const { route } = found
    if ((msg.flags & RtmFlag.FIB_MATCH) !== 0 && route !== null) fillRoute(w, request.kernel, route)
    else fillLookup(w, request.kernel, { family, dst, src, lookupTable }, found)
  })
}

function checkGet(msg: Rtmsg, family: 2 | 10): void {
  const bits = addressLength(family) * 8
  const lengths = (msg.dstLen === 0 || msg.dstLen === bits) && (msg.srcLen === 0 || msg.srcLen === bits)
  if (!lengths || msg.table !== 0 || msg.protocol !== 0 || msg.scope !== 0 || msg.type !== 0) {
    throw new NetlinkError('EINVAL', `${prefixOf(family)}: Invalid values in header for route get request`)
  }
}

function prefixOf(family: 2 | 10): string {
  return family === 2 ? 'ipv4' : 'ipv6'
}

interface DumpFilter {
  readonly table: number
  readonly protocol: number
  readonly type: number
  readonly oif: NetDevice<any> | null
  readonly cloned: boolean
}

/** @throws Errno EINVAL, ENOENT @kernel inet_dump_fib() net/ipv4/fib_frontend.c */
function dump(request: NlRequest, { inet, family }: FamilyContext): NlDump {
  const filter = request.strict ? strictFilter(request, family) : looseFilter(request)
  const filtered = filter.table !== 0 || filter.protocol !== 0 || filter.type !== 0 || filter.oif !== null
  // There is no cache to show.
  const all = filter.cloned ? [] : fibDump(inet, family, filter.table === 0 ? undefined : filter.table)
  if (
    all.length === 0 &&
    filter.table !== 0 &&
    !isStandard(filter.table) &&
    headerByte(request, 0) === family
  ) {
    throw new NetlinkError('ENOENT', `${prefixOf(family)}: FIB table does not exist`)
  }
  return {
    type: Rtm.NEWROUTE,
    filtered,
    entries: entries(
      request,
      all.filter((route) => passes(route, filter)),
    ),
  }
}

/** Local, main and default are always there. */
function isStandard(table: number): boolean {
  return table >= 253 && table <= 255
}

function passes(route: FibRoute, filter: DumpFilter): boolean {
  return (
    (filter.protocol === 0 || route.protocol === filter.protocol) &&
    (filter.type === 0 || route.type === filter.type) &&
    (filter.oif === null || route.oif === filter.oif)
  )
}

function* entries(request: NlRequest, routes: readonly FibRoute[]): Generator<DumpEntry> {
  for (const route of routes) yield (w) => fillRoute(w, request.kernel, route)
}

function looseFilter(request: NlRequest): DumpFilter {
  const cloned = request.bodyLength >= RTMSG_LEN && (rtmsg(request).flags & RtmFlag.CLONED) !== 0
  return { table: 0, protocol: 0, type: 0, oif: null, cloned }
}

/** @kernel ip_valid_fib_dump_req() net/ipv4/fib_frontend.c */
function strictFilter(request: NlRequest, family: 2 | 10): DumpFilter {
  if (request.bodyLength < RTMSG_LEN) throw new NetlinkError('EINVAL', 'Invalid header for FIB dump request')
  const msg = rtmsg(request)
  if (msg.dstLen !== 0 || msg.srcLen !== 0 || msg.tos !== 0 || msg.scope !== 0) {
    throw new NetlinkError('EINVAL', 'Invalid values in header for FIB dump request')
  }
  if ((msg.flags & ~(RtmFlag.CLONED | RtmFlag.PREFIX)) !== 0) {
    throw new NetlinkError('EINVAL', 'Invalid flags for FIB dump request')
  }
  const tb = nlmsgParse(request, RTMSG_LEN, POLICIES[family], 'strict')
  for (let type = 1; type <= POLICIES[family].maxType; type++) {
    if (tb.has(type) && type !== Rta.TABLE && type !== Rta.OIF) {
      throw new NetlinkError('EINVAL', 'Unsupported attribute in dump request', { offset: tb.offset(type) })
    }
  }
  const oif = tb.number(Rta.OIF) ?? 0
  return {
    table: tableOf(tb, msg),
    protocol: msg.protocol,
    type: msg.type,
    oif: oif === 0 ? null : deviceAt(request, oif),
    cloned: (msg.flags & RtmFlag.CLONED) !== 0,
  }
}
