import { cancelWork, LogLevel, msecsToJiffies, printk, scheduleDelayedWork, scheduleWork } from '@vnet/kernel'
import { formatMac, Iff, type SkBuff } from '@vnet/netdev'
import { addrconfAddrSolictMult, formatIpv6Address } from '@vnet/wire'
import { IfaFlag } from '../types/constants.ts'
import { ipv6DelAddr, ipv6IfaChanged, ipv6IfaUp } from './addrconf-addr.ts'
import { addrconfIfdown } from './addrconf-dev.ts'
import { addrconfJoinSolict } from './addrconf-group.ts'
import {
  IN6ADDR_ANY,
  IN6ADDR_LINKLOCAL_ALLNODES,
  Ipv6AddrType,
  ipv6AddrEqual,
  ipv6AddrType,
} from './address.ts'
import { ipv6GenerateEui64 } from './eui64.ts'
import type { Inet6Ifaddr } from './ifaddr.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import { ipv6McDadComplete } from './mld-report.ts'
import { ndiscSendNa, ndiscSendNs } from './ndisc-send.ts'
import { runWithRtnl } from './run-with-rtnl.ts'
import { addrconfStartRs } from './router-solicit.ts'

/** Begins duplicate address detection, in process context. @kernel addrconf_dad_start() net/ipv6/addrconf.c */
export function addrconfDadStart(ifp: Inet6Ifaddr): void {
  if (ifp.state === 'dead') return
  ifp.state = 'predad'
  modDadWork(ifp, 0)
}

function modDadWork(ifp: Inet6Ifaddr, delay: number): void {
  cancelWork(ifp.dadWork)
  if (delay === 0) scheduleWork(ifp.dadWork)
  else scheduleDelayedWork(ifp.dadWork, delay)
}

/** The next step of the detection is due. @kernel addrconf_dad_work() net/ipv6/addrconf.c */
export function addrconfDadWork(ifp: Inet6Ifaddr): void {
  runWithRtnl(ifp.dadWork, () => dadStep(ifp))
}

function dadStep(ifp: Inet6Ifaddr): void {
  switch (ifp.state) {
    case 'predad':
      ifp.state = 'dad'
      dadBegin(ifp)
      return
    case 'dad':
      dadProbe(ifp)
      return
    case 'errdad':
      ifp.state = 'postdad'
      if (mustDisable(ifp)) disable(ifp.idev)
      else dadStop(ifp, true)
      return
    default:
  }
}

/** With accept_dad 2 a device whose own link-local address is taken has no business on the link. @kernel addrconf_dad_work() net/ipv6/addrconf.c */
function mustDisable(ifp: Inet6Ifaddr): boolean {
  const { idev, dev } = ifp
  if (idev.ipv6.devconfAll.acceptDad <= 1 && idev.cnf.acceptDad <= 1) return false
  const own = new Uint8Array(16)
  own[0] = 0xfe
  own[1] = 0x80
  return ipv6GenerateEui64(own, dev) && ipv6AddrEqual(own, ifp.local)
}

function disable(idev: Inet6Dev): void {
  idev.cnf.disableIpv6 = 1
  printk(idev.ipv6.kernel, LogLevel.INFO, `IPv6: ${idev.dev.name}: IPv6 being disabled!`)
  addrconfIfdown(idev.ipv6, idev.dev, false)
}

/** Joins the group, then either needs no detection or waits a random time. @kernel addrconf_dad_begin() net/ipv6/addrconf.c */
function dadBegin(ifp: Inet6Ifaddr): void {
  const { idev, dev } = ifp
  const { ipv6 } = idev
  addrconfJoinSolict(ifp)
  const unwanted = ipv6.devconfAll.acceptDad < 1 && idev.cnf.acceptDad < 1
  const noDad =
    (dev.flags & (Iff.NOARP | Iff.LOOPBACK)) !== 0 ||
    unwanted ||
    (ifp.flags & IfaFlag.TENTATIVE) === 0 ||
    (ifp.flags & IfaFlag.NODAD) !== 0
  if (noDad) {
    const sendNa = (ifp.flags & IfaFlag.TENTATIVE) !== 0
    ifp.flags &= ~(IfaFlag.TENTATIVE | IfaFlag.OPTIMISTIC | IfaFlag.DADFAILED)
    dadCompleted(ifp, sendNa)
  } else if (!idev.ready) dadStop(ifp, false)
  else addrconfDadKick(ifp)
}

/** Waits a random part of a second, so that machines that start together do not speak together. @kernel addrconf_dad_kick() net/ipv6/addrconf.c */
function addrconfDadKick(ifp: Inet6Ifaddr): void {
  const { kernel } = ifp.idev.ipv6
  const { cnf } = ifp.idev
  const delay = kernel.rng.below(Math.max(msecsToJiffies(kernel, cnf.rtrSolicitDelay), 1))
  if (cnf.enhancedDad !== 0) {
    do ifp.dadNonce = kernel.rng.below(0x1000000) * 0x1000000 + kernel.rng.below(0x1000000)
    while (ifp.dadNonce === 0)
  }
  ifp.dadProbes = cnf.dadTransmits
  modDadWork(ifp, delay)
}

/** Asks whether somebody has the address; after the last question, and no answer, it is ours. */
function dadProbe(ifp: Inet6Ifaddr): void {
  const { idev } = ifp
  const { kernel } = idev.ipv6
  if (idev.dead || !idev.ready) return
  if (ifp.dadProbes === 0) {
    const sendNa = (ifp.flags & IfaFlag.TENTATIVE) !== 0 && (ifp.flags & IfaFlag.OPTIMISTIC) === 0
    ifp.flags &= ~(IfaFlag.TENTATIVE | IfaFlag.OPTIMISTIC | IfaFlag.DADFAILED)
    dadCompleted(ifp, sendNa)
    return
  }
  ifp.dadProbes--
  const retrans = msecsToJiffies(kernel, idev.ndParms.retransTime)
  modDadWork(ifp, Math.max(retrans, Math.ceil(kernel.clock.hz / 100)))
  ndiscSendNs(idev, ifp.local, addrconfAddrSolictMult(ifp.local), IN6ADDR_ANY, ifp.dadNonce)
}

/** The address is ours: it receives, and the first link-local one lets reports and solicitations begin. @kernel addrconf_dad_completed() net/ipv6/addrconf.c */
function dadCompleted(ifp: Inet6Ifaddr, sendNa: boolean): void {
  const { idev } = ifp
  ifp.state = 'postdad'
  cancelWork(ifp.dadWork)
  ipv6IfaUp(ifp)
  const lonely = isLinkLocal(ifp) && isLonelyLladdr(ifp)
  if (lonely) ipv6McDadComplete(idev)
  const notify = idev.cnf.ndiscNotify !== 0 || idev.ipv6.devconfAll.ndiscNotify !== 0
  if (sendNa && notify)
    ndiscSendNa(idev, IN6ADDR_LINKLOCAL_ALLNODES, ifp.local, { override: true, incOpt: true })
  if (lonely) addrconfStartRs(idev)
}

function isLinkLocal(ifp: Inet6Ifaddr): boolean {
  return (ipv6AddrType(ifp.local) & Ipv6AddrType.LINKLOCAL) !== 0
}

/** True when no other link-local address of the device is done yet. @kernel ipv6_lonely_lladdr() net/ipv6/addrconf.c */
function isLonelyLladdr(ifp: Inet6Ifaddr): boolean {
  const ours = IfaFlag.PERMANENT | IfaFlag.TENTATIVE | IfaFlag.OPTIMISTIC | IfaFlag.DADFAILED
  return !ifp.idev.addrList.some(
    (other) => other !== ifp && other.scope === ifp.scope && (other.flags & ours) === IfaFlag.PERMANENT,
  )
}

/** The detection ends without a result (the device is not ready), or with a bad one. @kernel addrconf_dad_stop() net/ipv6/addrconf.c */
function dadStop(ifp: Inet6Ifaddr, failed: boolean): void {
  if (failed) ifp.flags |= IfaFlag.DADFAILED
  if ((ifp.flags & IfaFlag.PERMANENT) === 0 && failed) {
    ipv6DelAddr(ifp)
    return
  }
  cancelWork(ifp.dadWork)
  ifp.flags |= IfaFlag.TENTATIVE
  if (!failed) return
  ifp.flags &= ~IfaFlag.OPTIMISTIC
  ipv6IfaChanged(ifp)
}

/** Somebody has our address, or wants it as we do. Softirq context. @kernel addrconf_dad_failure() net/ipv6/addrconf.c */
export function addrconfDadFailure(skb: SkBuff, ifp: Inet6Ifaddr): void {
  if (ifp.state !== 'dad') return
  const { kernel } = ifp.idev.ipv6
  const by = skb.macHeader >= 0 && ifp.dev.addrLen === 6 ? formatMac(skb.mem, skb.macHeader + 6) : ''
  printk(
    kernel,
    LogLevel.INFO,
    `IPv6: ${ifp.dev.name}: IPv6 duplicate address ${formatIpv6Address(ifp.local)} used by ${by} detected!`,
  )
  ifp.state = 'errdad'
  modDadWork(ifp, 0)
}

/** The device became ready: what waited for it begins. @kernel addrconf_dad_run() net/ipv6/addrconf.c */
export function addrconfDadRun(idev: Inet6Dev): void {
  for (const ifp of idev.addrList.slice()) {
    if ((ifp.flags & IfaFlag.TENTATIVE) !== 0 && ifp.state === 'dad') addrconfDadKick(ifp)
  }
}
