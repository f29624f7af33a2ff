import { formatIpv4AddressAt } from '@vnet/wire'
import { type FibRoute, fibDump, type Inet } from '../src/index.ts'

const TYPES = [
  'unspec',
  '',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
]
const SCOPES: Record<number, string> = { 253: 'link', 254: 'host' }
const PROTOCOLS: Record<number, string> = { 2: 'kernel', 4: 'static' }

/** A route as `ip route` prints it. */
export function routeText(route: FibRoute): string {
  const dst = route.dstLen === 32 ? '' : `/${route.dstLen}`
  const words = [
    TYPES[route.type],
    route.dstLen === 0 ? 'default' : formatIpv4AddressAt(route.dst, 0) + dst,
    route.gateway === null ? '' : `via ${formatIpv4AddressAt(route.gateway, 0)}`,
    route.oif === null ? '' : `dev ${route.oif.name}`,
    PROTOCOLS[route.protocol] === undefined ? '' : `proto ${PROTOCOLS[route.protocol]!}`,
    SCOPES[route.scope] === undefined ? '' : `scope ${SCOPES[route.scope]!}`,
    route.prefsrc === null ? '' : `src ${formatIpv4AddressAt(route.prefsrc, 0)}`,
    route.priority === 0 ? '' : `metric ${route.priority}`,
    (route.flags & 1) === 0 ? '' : 'dead',
    (route.flags & 16) === 0 ? '' : 'linkdown',
  ]
  return words.filter((word) => word !== '').join(' ')
}

export function routes(inet: Inet, table: number): string[] {
  return fibDump(inet, 2, table).map(routeText)
}
