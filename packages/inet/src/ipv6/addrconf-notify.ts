import { LogLevel, printk } from '@vnet/kernel'
import { Iff, type NetDevice, type NetdevEvent, netifCarrierOk } from '@vnet/netdev'
import { neighCarrierDown, neighChangeaddr, neighIfdown } from '../neigh/remove.ts'
import { IfaFlag } from '../types/constants.ts'
import { addrconfPrefixRoute } from './addrconf-addr.ts'
import { addrconfIfdown, addrconfInitAutoAddrs, addrconfLinkReady, ipv6AddDev } from './addrconf-dev.ts'
import { IN6ADDR_LINKLOCAL_ALLNODES } from './address.ts'
import { addrconfDadRun, addrconfDadStart } from './dad.ts'
import { type Inet6Dev } from './inet6-dev.ts'
import { Inet6IfFlag } from './if-flag.ts'
import type { Ipv6 } from './ipv6.ts'
import { ipv6McUp } from './mld-report.ts'
import { ndiscSendUnsolNa } from './ndisc-send.ts'
import { IPV6_MIN_MTU } from './route.ts'

/** Something happened to a device. rtnl is held. @kernel addrconf_notify() net/ipv6/addrconf.c */
export function addrconfNotify(ipv6: Ipv6, event: NetdevEvent, dev: NetDevice<any>): void {
  addrconfEvent(ipv6, event, dev)
  ndiscNotify(ipv6, event, dev)
}

function addrconfEvent(ipv6: Ipv6, event: NetdevEvent, dev: NetDevice<any>): void {
  switch (event) {
    case 'NETDEV_REGISTER':
      if (!ipv6.devs.has(dev)) ipv6AddDev(ipv6, dev)
      return
    case 'NETDEV_CHANGEMTU':
      changeMtu(ipv6, dev)
      return
    case 'NETDEV_UP':
    case 'NETDEV_CHANGE':
      linkChanged(ipv6, event, dev)
      return
    case 'NETDEV_DOWN':
    case 'NETDEV_UNREGISTER':
      addrconfIfdown(ipv6, dev, event === 'NETDEV_UNREGISTER')
      return
    case 'NETDEV_CHANGENAME': {
      const idev = ipv6.devs.get(dev)
      if (idev === undefined) return
      ipv6.onNetconf?.('del', idev)
      ipv6.onNetconf?.('new', idev)
      return
    }
    default:
  }
}

/** What neighbours are told, or forgotten, when the device changes. @kernel ndisc_netdev_event() net/ipv6/ndisc.c */
function ndiscNotify(ipv6: Ipv6, event: NetdevEvent, dev: NetDevice<any>): void {
  const idev = ipv6.devs.get(dev)
  if (event === 'NETDEV_CHANGEADDR') {
    neighChangeaddr(ipv6.nd, dev)
    if (idev !== undefined && idev.cnf.ndiscNotify !== 0) ndiscSendUnsolNa(idev, IN6ADDR_LINKLOCAL_ALLNODES)
  } else if (event === 'NETDEV_CHANGE') {
    if (noarpChanged(ipv6, dev)) neighChangeaddr(ipv6.nd, dev)
    if (!netifCarrierOk(dev)) neighCarrierDown(ipv6.nd, dev)
  } else if (event === 'NETDEV_DOWN') neighIfdown(ipv6.nd, dev)
  else if (event === 'NETDEV_NOTIFY_PEERS' && idev !== undefined)
    ndiscSendUnsolNa(idev, IN6ADDR_LINKLOCAL_ALLNODES)
}

/** True when the device stopped or started to resolve addresses: what is known is of the other kind. */
function noarpChanged(ipv6: Ipv6, dev: NetDevice<any>): boolean {
  const idev = ipv6.devs.get(dev)
  if (idev === undefined) return false
  const noarp = (dev.flags & Iff.NOARP) !== 0
  if (idev.noarp === noarp) return false
  idev.noarp = noarp
  return true
}

function changeMtu(ipv6: Ipv6, dev: NetDevice<any>): void {
  const idev = ipv6.devs.get(dev)
  if (dev.mtu < IPV6_MIN_MTU) {
    addrconfIfdown(ipv6, dev, (dev.flags & Iff.LOOPBACK) === 0)
    return
  }
  if (idev !== undefined) {
    idev.cnf.mtu6 = dev.mtu
    return
  }
  const fresh = ipv6AddDev(ipv6, dev)
  if (fresh !== null && fresh.ready) bringUp(ipv6, dev, true)
}

function linkChanged(ipv6: Ipv6, event: NetdevEvent, dev: NetDevice<any>): void {
  const idev = ipv6.devs.get(dev)
  if (idev !== undefined && idev.cnf.disableIpv6 !== 0) return
  if (event === 'NETDEV_UP') {
    if (idev !== undefined) restorePermanent(idev)
    if (!addrconfLinkReady(dev)) return
    const there = idev ?? ipv6AddDev(ipv6, dev)
    if (there === null) return
    there.ifFlags |= Inet6IfFlag.READY
    bringUp(ipv6, dev, true)
    return
  }
  ipv6.fib.syncCarrier(dev)
  if ((dev.flags & Iff.UP) === 0 || !addrconfLinkReady(dev) || idev === undefined) return
  if (idev.ready) {
    // We may have been plugged in elsewhere: the groups are told again.
    ipv6McUp(idev)
    return
  }
  idev.ifFlags |= Inet6IfFlag.READY
  printk(ipv6.kernel, LogLevel.INFO, `IPv6: ADDRCONF(NETDEV_CHANGE): ${dev.name}: link becomes ready`)
  bringUp(ipv6, dev, true)
}

function bringUp(ipv6: Ipv6, dev: NetDevice<any>, runPending: boolean): void {
  addrconfInitAutoAddrs(ipv6, dev)
  const idev = ipv6.devs.get(dev)
  if (idev === undefined) return
  if (runPending) addrconfDadRun(idev)
  if (dev.mtu >= IPV6_MIN_MTU) idev.cnf.mtu6 = dev.mtu
  idev.tstamp = ipv6.kernel.clock.jiffies
  ipv6.onIfinfo?.(idev)
}

/** Addresses given while the device was down get their routes, and begin their detection. @kernel addrconf_permanent_addr() net/ipv6/addrconf.c */
function restorePermanent(idev: Inet6Dev): void {
  for (const ifp of idev.addrList.slice()) {
    if ((ifp.flags & IfaFlag.PERMANENT) === 0) continue
    if ((ifp.flags & IfaFlag.NOPREFIXROUTE) === 0)
      addrconfPrefixRoute(idev, ifp.local, ifp.prefixlen, ifp.rtPriority, 0)
    if (ifp.state === 'predad') addrconfDadStart(ifp)
  }
}
