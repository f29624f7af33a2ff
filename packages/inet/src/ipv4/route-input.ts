import { Iff, PACKET_LOOPBACK } from '@vnet/netdev'
import { ipv4IsLbcast, ipv4IsLoopback, ipv4IsMulticast, ipv4IsZeronet } from '@vnet/wire'
import type { InDevice } from '../addr/in-device.ts'
import { ipCheckMc } from '../addr/multicast.ts'
import { RtnType } from '../types/constants.ts'
import { ANY } from '../fib/table.ts'
import type { Ipv4 } from './ipv4.ts'
import { isOwn } from './route.ts'

/** The source or destination cannot be. @kernel ip_handle_martian_source() net/ipv4/route.c */
export const MARTIAN = -22
/** Not for us, and nothing is passed on. @kernel EHOSTUNREACH */
export const NO_ROUTE = -113

/**
 * What to do with a received packet.
 *
 * @returns RtnType LOCAL, BROADCAST or MULTICAST: deliver; UNICAST: pass on; a negative errno: drop
 * @kernel ip_route_input_rcu() net/ipv4/route.c
 */
export function routeInput(ipv4: Ipv4, inDev: InDevice, pktType: number, src: number, dst: number): number {
  const last = ipv4.lastInput
  const genid = ipv4.inet.rtGenid.value
  const same = last.dst === (dst | 0) && last.src === (src | 0) && last.genid === genid
  if (same && last.inDev === inDev && last.pktType === pktType) return RtnType.LOCAL
  const type = routeInputSlow(ipv4, inDev, pktType, src, dst)
  if (type !== RtnType.LOCAL) return type
  last.inDev = inDev
  last.pktType = pktType
  last.src = src | 0
  last.dst = dst | 0
  last.genid = genid
  return type
}

/** @kernel ip_route_input_slow() net/ipv4/route.c */
function routeInputSlow(ipv4: Ipv4, inDev: InDevice, pktType: number, src: number, dst: number): number {
  const looped = (inDev.dev.flags & Iff.LOOPBACK) !== 0 || pktType === PACKET_LOOPBACK
  if (ipv4IsMulticast(src) || ipv4IsLbcast(src)) return MARTIAN
  if (ipv4IsMulticast(dst)) return multicast(inDev, src, dst, looped)
  if (ipv4IsLbcast(dst) || (src === 0 && dst === 0)) {
    return validSource(ipv4, inDev, src, looped, true) ? RtnType.BROADCAST : MARTIAN
  }
  if (ipv4IsZeronet(src) || ipv4IsZeronet(dst)) return MARTIAN
  if (!looped && (ipv4IsLoopback(dst) || ipv4IsLoopback(src))) return MARTIAN
  const route = ipv4.fib.lookup(dst, ANY)
  if (route === null) return ipv4.forward ? -101 : NO_ROUTE
  if (typeof route === 'number') return ipv4.forward ? route : NO_ROUTE
  if (!validSource(ipv4, inDev, src, looped, false)) return MARTIAN
  if (route.type === RtnType.BROADCAST || route.type === RtnType.LOCAL) return route.type
  if (!ipv4.forward) return NO_ROUTE
  return route.type === RtnType.UNICAST ? RtnType.UNICAST : MARTIAN
}

function multicast(inDev: InDevice, src: number, dst: number, looped: boolean): number {
  if (!looped && ipv4IsLoopback(src)) return MARTIAN
  if (ipv4IsZeronet(src) && src !== 0) return MARTIAN
  return ipCheckMc(inDev, dst) ? RtnType.MULTICAST : MARTIAN
}

/** A packet from outside cannot come from us. @kernel __fib_validate_source() net/ipv4/fib_frontend.c */
function validSource(ipv4: Ipv4, inDev: InDevice, src: number, looped: boolean, any: boolean): boolean {
  if (looped) return true
  if (ipv4IsZeronet(src)) return any
  if (!inDev.cnf.acceptLocal && isOwn(ipv4, src)) return false
  return inDev.cnf.rpFilter === 0 || comesBack(ipv4, inDev, src)
}

/** An answer would go where the packet came from; loosely (2): it would go anywhere. */
function comesBack(ipv4: Ipv4, inDev: InDevice, src: number): boolean {
  const route = ipv4.fib.lookup(src, ANY)
  if (route === null || typeof route === 'number' || route.type !== RtnType.UNICAST) return false
  return inDev.cnf.rpFilter === 2 || route.oif === inDev.dev
}
