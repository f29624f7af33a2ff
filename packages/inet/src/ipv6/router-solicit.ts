import { modTimer, msecsToJiffies } from '@vnet/kernel'
import { Iff } from '@vnet/netdev'
import { IfaFlag } from '../types/constants.ts'
import { ipv6GetLladdr } from './addr-select.ts'
import { IN6ADDR_LINKLOCAL_ALLROUTERS } from './address.ts'
import { type Inet6Dev } from './inet6-dev.ts'
import { Inet6IfFlag } from './if-flag.ts'
import { ndiscSendRs } from './ndisc-send.ts'

/** True when advertisements of routers are believed here. @kernel ipv6_accept_ra() include/net/ipv6.h */
export function ipv6AcceptRa(idev: Inet6Dev): boolean {
  return idev.cnf.forwarding !== 0 ? idev.cnf.acceptRa === 2 : idev.cnf.acceptRa !== 0
}

/** Asks for routers, and goes on asking. The random delay was that of the address. @kernel addrconf_dad_completed() net/ipv6/addrconf.c */
export function addrconfStartRs(idev: Inet6Dev): void {
  const { cnf, dev } = idev
  const { kernel } = idev.ipv6
  if (!ipv6AcceptRa(idev) || cnf.rtrSolicits === 0) return
  if ((dev.flags & (Iff.LOOPBACK | Iff.MULTICAST)) !== Iff.MULTICAST) return
  if (!sendRs(idev)) return
  idev.rsInterval = backoffInit(idev, msecsToJiffies(kernel, cnf.rtrSolicitInterval))
  idev.rsProbes = 1
  idev.ifFlags |= Inet6IfFlag.RS_SENT
  modTimer(idev.rsTimer, kernel.clock.jiffies + idev.rsInterval)
}

function sendRs(idev: Inet6Dev): boolean {
  const src = ipv6GetLladdr(idev.ipv6, idev.dev, IfaFlag.TENTATIVE)
  if (src === null) return false
  ndiscSendRs(idev, src, IN6ADDR_LINKLOCAL_ALLROUTERS)
  return true
}

/** No router has answered: asks again, each time after about twice as long. @kernel addrconf_rs_timer() net/ipv6/addrconf.c */
export function addrconfRsTimer(idev: Inet6Dev): void {
  const { cnf } = idev
  const { kernel } = idev.ipv6
  if (idev.dead || !idev.ready || !ipv6AcceptRa(idev)) return
  if ((idev.ifFlags & Inet6IfFlag.RA_RCVD) !== 0) return
  if (idev.rsProbes++ >= cnf.rtrSolicits && cnf.rtrSolicits >= 0) return
  if (!sendRs(idev)) return
  idev.rsInterval = backoffUpdate(idev, msecsToJiffies(kernel, cnf.rtrSolicitMaxInterval))
  const last = idev.rsProbes === cnf.rtrSolicits
  const wait = last ? msecsToJiffies(kernel, cnf.rtrSolicitDelay) : idev.rsInterval
  modTimer(idev.rsTimer, kernel.clock.jiffies + wait)
}

/** 0.9 to 1.1 times. @kernel rfc3315_s14_backoff_init() net/ipv6/addrconf.c */
function backoffInit(idev: Inet6Dev, ticks: number): number {
  return Math.floor(((900_000 + idev.ipv6.kernel.rng.below(200_001)) * ticks) / 1_000_000)
}

/** 1.9 to 2.1 times as long as the last, but no longer than about `most`. @kernel rfc3315_s14_backoff_update() net/ipv6/addrconf.c */
function backoffUpdate(idev: Inet6Dev, most: number): number {
  const next = Math.floor(((1_900_000 + idev.ipv6.kernel.rng.below(200_001)) * idev.rsInterval) / 1_000_000)
  return next > most ? backoffInit(idev, most) : next
}
