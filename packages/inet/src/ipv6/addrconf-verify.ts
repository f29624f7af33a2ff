import { cancelWork, scheduleDelayedWork } from '@vnet/kernel'
import { IfaFlag, INFINITY_LIFE_TIME } from '../types/constants.ts'
import { ipv6DelAddr, ipv6IfaChanged } from './addrconf-addr.ts'
import { runWithRtnl } from './run-with-rtnl.ts'
import type { Inet6Ifaddr } from './ifaddr.ts'
import type { Ipv6 } from './ipv6.ts'

/** Lifetimes are looked after. @kernel addrconf_verify_work() net/ipv6/addrconf.c */
export function addrconfVerifyWork(ipv6: Ipv6): void {
  runWithRtnl(ipv6.verifyWork, () => addrconfVerify(ipv6))
}

/**
 * Deprecates and removes addresses whose time is over, and comes back when the next one's is. rtnl is held.
 *
 * @kernel addrconf_verify_rtnl() net/ipv6/addrconf.c
 */
export function addrconfVerify(ipv6: Ipv6): void {
  let next = Infinity
  for (const ifp of ipv6.addresses()) next = Math.min(next, verify(ifp))
  cancelWork(ipv6.verifyWork)
  if (next === Infinity) return
  const { jiffies } = ipv6.kernel.clock
  scheduleDelayedWork(ipv6.verifyWork, Math.max(next - jiffies, 1))
}

/** @returns the tick of the next look */
function verify(ifp: Inet6Ifaddr): number {
  const { clock } = ifp.idev.ipv6.kernel
  const forEver = ifp.preferredLft === INFINITY_LIFE_TIME
  if ((ifp.flags & IfaFlag.PERMANENT) !== 0 && forEver) return Infinity
  const end = ifp.tstampJiffies + ifp.validLft * clock.hz
  const mortal = ifp.validLft !== INFINITY_LIFE_TIME
  if (mortal && clock.jiffies >= end) {
    ipv6DelAddr(ifp)
    return Infinity
  }
  if (forEver) return mortal ? end : Infinity
  const old = ifp.tstampJiffies + ifp.preferredLft * clock.hz
  if (clock.jiffies < old) return old
  if ((ifp.flags & IfaFlag.DEPRECATED) === 0) {
    ifp.flags |= IfaFlag.DEPRECATED
    ipv6IfaChanged(ifp)
  }
  return mortal ? end : Infinity
}
