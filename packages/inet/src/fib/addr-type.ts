import type { NetDevice } from '@vnet/netdev'
import { ipv4IsLbcast, ipv4IsMulticast, ipv4IsZeronet } from '@vnet/wire'
import { type Ifaddr4 } from '../addr/ifaddr.ts'
import { selectAddrOf } from '../addr/in-device.ts'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { RtnType } from '../types/constants.ts'
import { ANY } from './table.ts'

/** What kind of address it is for this machine, or for one device of it: `RtnType`. @kernel inet_addr_type_dev_table() net/ipv4/fib_frontend.c */
export function addrTypeDev(ipv4: Ipv4, dev: NetDevice<any> | null, address: number): number {
  if (ipv4IsZeronet(address) || ipv4IsLbcast(address)) return RtnType.BROADCAST
  if (ipv4IsMulticast(address)) return RtnType.MULTICAST
  const route = ipv4.fib.local.lookup(address, ANY)
  if (route === null || typeof route === 'number') return RtnType.UNICAST
  return dev === null || route.oif === dev ? route.type : RtnType.UNICAST
}

/** The address entry with this local address, or null. @kernel inet_lookup_ifaddr_rcu() net/ipv4/devinet.c */
export function lookupIfaddr(ipv4: Ipv4, address: number): Ifaddr4 | null {
  const { inDevs } = ipv4
  for (let n = 0; n < inDevs.length; n++) {
    const { ifaList } = inDevs[n]!
    for (let i = 0; i < ifaList.length; i++) if (ifaList[i]!.localNr === address) return ifaList[i]!
  }
  return null
}

/** The device with a local address; one with a local route if no entry says so. @kernel __ip_dev_find() net/ipv4/devinet.c */
export function ipDevFind(ipv4: Ipv4, address: number): NetDevice<any> | null {
  const ifa = lookupIfaddr(ipv4, address)
  if (ifa !== null) return ifa.dev
  const route = ipv4.fib.local.lookup(address, ANY)
  return route !== null && typeof route !== 'number' && route.type === RtnType.LOCAL ? route.oif : null
}

/** The best source for something that leaves through `dev`; 0: none. @kernel inet_select_addr() net/ipv4/devinet.c */
export function inetSelectAddr(ipv4: Ipv4, dev: NetDevice<any>, dst: number, scope: number): number {
  const own = ipv4.inDev(dev)
  const address = own === null ? 0 : selectAddrOf(own, dst, scope)
  if (address !== 0) return address
  for (const inDev of ipv4.devices.values()) {
    if (inDev.dev === dev) continue
    const other = selectAddrOf(inDev, 0, scope)
    if (other !== 0) return other
  }
  return 0
}
