import { Errno, type ErrnoName } from '@vnet/kernel'
import { Iff, type NetDevice, netifCarrierOk } from '@vnet/netdev'
import { getUnalignedBe32 } from '@vnet/wire'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { errnoOf } from '../sock/sock.ts'
import { RtnhFlag, RtnType, RtProt, RtScope, RtTable } from '../types/constants.ts'
import type { FibConfig } from '../types/objects.ts'
import { addrTypeDev } from './addr-type.ts'
import { type Fib4Init, Fib4Route } from './route.ts'
import type { Fib4Key } from './table.ts'

/** The farthest scope each type of route may have. @kernel fib_props net/ipv4/fib_semantics.c */
const TYPE_SCOPE: Readonly<Record<number, number>> = {
  [RtnType.LOCAL]: RtScope.HOST,
  [RtnType.BROADCAST]: RtScope.LINK,
  [RtnType.ANYCAST]: RtScope.LINK,
}
const ERROR_TYPES: readonly number[] = [
  RtnType.BLACKHOLE,
  RtnType.UNREACHABLE,
  RtnType.PROHIBIT,
  RtnType.THROW,
]
/** The kernel's tables can hold a metric of 32 bits and these numbers. */
const RTAX_MAX = 17

/** Checks a route somebody wants and makes it. @throws Errno with the kernel's sentence @kernel fib_create_info() net/ipv4/fib_semantics.c */
export function fibCreate(ipv4: Ipv4, config: FibConfig): Fib4Route {
  const type = config.type ?? RtnType.UNICAST
  const gateway = config.gateway == null ? 0 : getUnalignedBe32(config.gateway, 0)
  const scope = config.scope ?? defaultScope(type, gateway)
  const oif = config.oif ?? null
  const flags = config.flags ?? 0
  const init: Fib4Init = {
    dst: checkPrefix(config),
    dstLen: config.dstLen,
    tos: config.tos ?? 0,
    table: config.table === undefined || config.table === 0 ? RtTable.MAIN : config.table,
    protocol: config.protocol ?? RtProt.BOOT,
    scope,
    type,
    flags,
    priority: config.priority ?? 0,
    gateway,
    oif,
    prefsrc: config.prefsrc == null ? 0 : getUnalignedBe32(config.prefsrc, 0),
    metrics: checkMetrics(config.metrics),
    nhScope: RtScope.NOWHERE,
  }
  if (type > RtnType.THROW || type === RtnType.UNSPEC) refuse('EINVAL', 'Invalid route type')
  if ((TYPE_SCOPE[type] ?? 0) > scope) refuse('EINVAL', 'Invalid scope')
  if ((flags & (RtnhFlag.DEAD | RtnhFlag.LINKDOWN)) !== 0) {
    refuse('EINVAL', 'Invalid rtm_flags - can not contain DEAD/LINKDOWN')
  }
  if (ERROR_TYPES.includes(type)) {
    if (gateway !== 0 || oif !== null) {
      refuse('EINVAL', 'Gateway, device and multipath can not be specified for this route type')
    }
    return new Fib4Route(init)
  }
  if (scope > RtScope.HOST) refuse('EINVAL', 'Invalid scope')
  const hop = scope === RtScope.HOST ? hostHop(init) : checkNh(ipv4, init)
  if (init.prefsrc !== 0 && !isValidPrefsrc(ipv4, init)) refuse('EINVAL', 'Invalid prefsrc address')
  return new Fib4Route({ ...init, oif: hop.oif, flags: flags | hop.flags, nhScope: hop.scope })
}

interface Hop {
  readonly oif: NetDevice<any>
  readonly flags: number
  readonly scope: number
}

function refuse(code: ErrnoName, sentence: string): never {
  throw new Errno(code, sentence)
}

function checkPrefix(config: FibConfig): number {
  const { dst, dstLen } = config
  if (dstLen > 32 || dstLen < 0) refuse('EINVAL', 'Invalid prefix length')
  const number = getUnalignedBe32(dst, 0)
  if (dstLen < 32 && (number << dstLen) >>> 0 !== 0) {
    refuse('EINVAL', 'Invalid prefix for given prefix length')
  }
  return number
}

function checkMetrics(metrics: ReadonlyMap<number, number> = new Map()): ReadonlyMap<number, number> {
  for (const key of metrics.keys()) {
    if (key <= 0 || key > RTAX_MAX) refuse('EINVAL', 'Invalid metric type')
  }
  return new Map(metrics)
}

/** As `ip route` fills it in. */
function defaultScope(type: number, gateway: number): number {
  if (type === RtnType.LOCAL || type === RtnType.NAT) return RtScope.HOST
  if (type === RtnType.BROADCAST || type === RtnType.MULTICAST || type === RtnType.ANYCAST)
    return RtScope.LINK
  if (type === RtnType.UNICAST && gateway === 0) return RtScope.LINK
  return RtScope.UNIVERSE
}

/** A local address. */
function hostHop(init: Fib4Init): Hop {
  if (init.gateway !== 0) refuse('EINVAL', 'Route with host scope can not have a gateway')
  if (init.oif === null) throw new Errno('ENODEV')
  return { oif: init.oif, flags: 0, scope: RtScope.NOWHERE }
}

/** The next hop of a route to somewhere else. @kernel fib_check_nh() net/ipv4/fib_semantics.c */
function checkNh(ipv4: Ipv4, init: Fib4Init): Hop {
  if (init.gateway === 0) return checkNongw(ipv4, init)
  if ((init.flags & RtnhFlag.ONLINK) !== 0) return checkOnlink(ipv4, init)
  return checkGateway(ipv4, init)
}

function checkNongw(ipv4: Ipv4, init: Fib4Init): Hop {
  if ((init.flags & (RtnhFlag.PERVASIVE | RtnhFlag.ONLINK)) !== 0) {
    refuse('EINVAL', 'Invalid flags for nexthop - PERVASIVE and ONLINK can not be set')
  }
  const { oif } = init
  if (oif === null || ipv4.inDev(oif) === null) throw new Errno('ENODEV')
  if ((oif.flags & Iff.UP) === 0) refuse('ENETDOWN', 'Device for nexthop is not up')
  return { oif, flags: linkdown(oif), scope: RtScope.HOST }
}

function checkOnlink(ipv4: Ipv4, init: Fib4Init): Hop {
  const { oif } = init
  if (init.scope >= RtScope.LINK) refuse('EINVAL', 'Nexthop has invalid scope')
  if (oif === null) refuse('ENODEV', 'Nexthop device required for onlink')
  if ((oif.flags & Iff.UP) === 0) refuse('ENETDOWN', 'Nexthop device is not up')
  if (addrTypeDev(ipv4, oif, init.gateway) !== RtnType.UNICAST) {
    refuse('EINVAL', 'Nexthop has invalid gateway')
  }
  return { oif, flags: linkdown(oif), scope: RtScope.LINK }
}

function checkGateway(ipv4: Ipv4, init: Fib4Init): Hop {
  if (init.scope >= RtScope.LINK) refuse('EINVAL', 'Nexthop has invalid scope')
  const key: Fib4Key = {
    tos: 0,
    scope: Math.max(init.scope + 1, RtScope.LINK),
    oif: init.oif,
    skipLinkdown: null,
  }
  const own = init.table === RtTable.MAIN ? null : ipv4.fib.get(init.table)
  let answer = own?.lookup(init.gateway, key) ?? null
  if (answer === null || typeof answer === 'number') answer = ipv4.fib.lookup(init.gateway, key)
  if (answer === null) refuse('ENETUNREACH', 'Nexthop has invalid gateway')
  if (typeof answer === 'number') refuse(errnoOf(answer), 'Nexthop has invalid gateway')
  if (answer.type !== RtnType.UNICAST && answer.type !== RtnType.LOCAL) {
    refuse('EINVAL', 'Nexthop has invalid gateway')
  }
  const dev = answer.oif
  if (dev === null) refuse('EINVAL', 'No egress device for nexthop')
  if ((dev.flags & Iff.UP) === 0) throw new Errno('ENETDOWN')
  return { oif: dev, flags: linkdown(dev), scope: answer.scope }
}

function linkdown(dev: NetDevice<any>): number {
  return netifCarrierOk(dev) ? 0 : RtnhFlag.LINKDOWN
}

/** A source must be one of ours, except for the route that makes it ours. @kernel fib_valid_prefsrc() net/ipv4/fib_semantics.c */
function isValidPrefsrc(ipv4: Ipv4, init: Fib4Init): boolean {
  if (init.type === RtnType.LOCAL && init.dst === init.prefsrc) return true
  return addrTypeDev(ipv4, null, init.prefsrc) === RtnType.LOCAL
}
