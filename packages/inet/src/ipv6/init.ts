import { devAddPack, ETH_P_IPV6, registerNetdeviceNotifier } from '@vnet/netdev'
import type { Inet } from '../inet.ts'
import { AF_INET6 } from '../types/constants.ts'
import { addrconfNotify } from './addrconf-notify.ts'
import { inet6Family } from './family6.ts'
import { ipv6Rcv } from './input.ts'
import { Ipv6 } from './ipv6.ts'

/**
 * Starts IPv6 in a kernel: it plugs itself in as a family, and from now on each device gets it. Called once, by `inetOf`.
 *
 * @kernel inet6_init() net/ipv6/af_inet6.c
 */
export function inet6Init(inet: Inet): Ipv6 {
  return inet.kernel.subsys('ipv6', () => start(inet))
}

/** IPv6 of a kernel; the first call starts it. @kernel dev_net() include/linux/netdevice.h */
export function ipv6Of(inet: Inet): Ipv6 {
  return inet6Init(inet)
}

function start(inet: Inet): Ipv6 {
  const { kernel } = inet
  const ipv6 = new Ipv6(inet)
  inet.neighTables.set(AF_INET6, ipv6.nd)
  inet.families.set(AF_INET6, inet6Family(ipv6))
  devAddPack(kernel, { type: ETH_P_IPV6, func: (skb, dev) => ipv6Rcv(ipv6, skb, dev) })
  const follow = (): unknown =>
    registerNetdeviceNotifier(kernel, (event, dev) => {
      inet.rtGenid.bump()
      addrconfNotify(ipv6, event, dev)
      inet.rtGenid.bump()
    })
  // Devices there may be already; what is done to them needs rtnl.
  if (kernel.rtnl.held) follow()
  else kernel.rtnl.run(follow)
  return ipv6
}
