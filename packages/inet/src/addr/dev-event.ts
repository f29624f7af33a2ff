import { Iff, type NetDevice, type NetdevEvent, netifCarrierOk } from '@vnet/netdev'
import { arpSendGratuitous } from '../arp/send.ts'
import { fibDisableIp } from '../fib/disable.ts'
import { fibAddIfaddr } from '../fib/ifaddr-routes.ts'
import { fibSyncDownDev, fibSyncUp, hasCarrier } from '../fib/sync.ts'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { loopForget } from '../ipv4/loop.ts'
import { neighCarrierDown, neighChangeaddr } from '../neigh/remove.ts'
import { neighParmsAlloc, neighParmsRelease } from '../neigh/table.ts'
import { RtnhFlag, RtScope } from '../types/constants.ts'
import { delIfa, insertIfa } from './devinet.ts'
import { Ifaddr4 } from './ifaddr.ts'
import { Igmp } from './igmp.ts'
import { InDevice } from './in-device.ts'
import { ipMcDown, ipMcUp } from './multicast.ts'

/** The smallest MTU IPv4 works with. @kernel IPV4_MIN_MTU include/net/ip.h */
const IPV4_MIN_MTU = 68

/** Follows the devices of the kernel. rtnl is held. @kernel inetdev_event() net/ipv4/devinet.c */
export function inetdevEvent(ipv4: Ipv4, event: NetdevEvent, dev: NetDevice<any>): void {
  let inDev = ipv4.inDev(dev)
  if (
    inDev === null &&
    (event === 'NETDEV_REGISTER' || event === 'NETDEV_CHANGEMTU' || event === 'NETDEV_UP')
  ) {
    if (dev.mtu >= IPV4_MIN_MTU) inDev = init(ipv4, dev)
  }
  if (inDev === null) return
  switch (event) {
    case 'NETDEV_UP':
      up(ipv4, inDev)
      break
    case 'NETDEV_DOWN':
      ipMcDown(inDev)
      fibDisableIp(ipv4, dev, 'down', false)
      break
    case 'NETDEV_CHANGE':
      carrier(ipv4, inDev)
      break
    case 'NETDEV_CHANGEADDR':
      neighChangeaddr(ipv4.arp, dev)
      if (inDev.cnf.arpNotify) arpSendGratuitous(ipv4, inDev)
      break
    case 'NETDEV_NOTIFY_PEERS':
      arpSendGratuitous(ipv4, inDev)
      break
    case 'NETDEV_CHANGEMTU':
      if (dev.mtu < IPV4_MIN_MTU) destroy(ipv4, inDev)
      break
    case 'NETDEV_UNREGISTER':
      destroy(ipv4, inDev)
      break
    case 'NETDEV_CHANGENAME':
      rename(ipv4, inDev)
      break
    default:
  }
}

/** @kernel inetdev_init() net/ipv4/devinet.c */
function init(ipv4: Ipv4, dev: NetDevice<any>): InDevice {
  const inDev = new InDevice(dev, neighParmsAlloc(ipv4.arp, dev), (dev.flags & Iff.NOARP) !== 0)
  inDev.igmp = new Igmp(ipv4, inDev)
  ipv4.devices.set(dev, inDev)
  ipv4.inDevs.push(inDev)
  ipv4.onNetconf?.('new', dev)
  if ((dev.flags & Iff.UP) !== 0) ipMcUp(inDev)
  return inDev
}

/** @kernel inetdev_destroy() net/ipv4/devinet.c */
function destroy(ipv4: Ipv4, inDev: InDevice): void {
  inDev.dead = true
  if ((inDev.dev.flags & Iff.UP) !== 0) ipMcDown(inDev)
  while (inDev.ifaList.length > 0) delIfa(ipv4, inDev, inDev.ifaList[0]!)
  fibDisableIp(ipv4, inDev.dev, 'unregister', true)
  ipv4.frags.forgetDevice(inDev.dev)
  loopForget(ipv4, inDev.dev)
  ipv4.forget(inDev)
  ipv4.inDevs.splice(ipv4.inDevs.indexOf(inDev), 1)
  ipv4.onNetconf?.('del', inDev.dev)
  neighParmsRelease(ipv4.arp, inDev.dev)
}

function up(ipv4: Ipv4, inDev: InDevice): void {
  const { dev } = inDev
  if ((dev.flags & Iff.LOOPBACK) !== 0 && inDev.ifaList.length === 0) {
    const local = Uint8Array.of(127, 0, 0, 1)
    insertIfa(ipv4, inDev, new Ifaddr4({ dev, family: 2, local, prefixlen: 8, scope: RtScope.HOST }))
  }
  ipMcUp(inDev)
  for (const ifa of inDev.ifaList) fibAddIfaddr(ipv4, inDev, ifa)
  fibSyncUp(ipv4, dev, RtnhFlag.DEAD)
  if (inDev.cnf.arpNotify) arpSendGratuitous(ipv4, inDev)
}

/** State or flags changed. @kernel fib_netdev_event() net/ipv4/fib_frontend.c */
function carrier(ipv4: Ipv4, inDev: InDevice): void {
  const { dev } = inDev
  if (hasCarrier(dev)) fibSyncUp(ipv4, dev, RtnhFlag.LINKDOWN)
  else fibSyncDownDev(ipv4, dev, 'carrier', false)
  const noarp = (dev.flags & Iff.NOARP) !== 0
  if (noarp !== inDev.noarp) {
    inDev.noarp = noarp
    neighChangeaddr(ipv4.arp, dev)
  }
  if (!netifCarrierOk(dev)) neighCarrierDown(ipv4.arp, dev)
}

/** Labels follow the name, and keep what stands behind a colon. @kernel inetdev_changename() net/ipv4/devinet.c */
function rename(ipv4: Ipv4, inDev: InDevice): void {
  for (const ifa of inDev.ifaList) {
    const colon = ifa.label.indexOf(':')
    ifa.label = colon < 0 ? inDev.dev.name : `${inDev.dev.name}${ifa.label.slice(colon)}`.slice(0, 15)
    ipv4.inet.events.emit('addr', 'new', ifa)
  }
  // The settings stand in a folder of the name: the old one goes, a new one comes.
  ipv4.onNetconf?.('del', inDev.dev)
  ipv4.onNetconf?.('new', inDev.dev)
}
