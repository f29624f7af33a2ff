import { devAddPack, ETH_P_ARP, ETH_P_IP, registerNetdeviceNotifier } from '@vnet/netdev'
import { Errno } from '@vnet/kernel'
import { getUnalignedBe32 } from '@vnet/wire'
import { inetdevEvent } from '../addr/dev-event.ts'
import { addr4Add, addr4Del, addr4List } from '../addr/devinet.ts'
import { ArpOps } from '../arp/ops.ts'
import { arpRcv } from '../arp/rcv.ts'
import type { InetFamily } from '../family.ts'
import { fib4Add, fib4Del, fib4Dump } from '../fib/control.ts'
import { ipv4Bytes } from '../fib/route.ts'
import type { Inet } from '../inet.ts'
import { NeighTable } from '../neigh/table.ts'
import { errnoOf } from '../sock/sock.ts'
import { AF_INET } from '../types/constants.ts'
import type { FibLookupOptions, FibResult } from '../types/objects.ts'
import { ipRcv } from './input.ts'
import { Ipv4 } from './ipv4.ts'
import { loopInit } from './loop.ts'
import { ipRouteOutput, isRoute } from './route.ts'
import { Transport4 } from './transport.ts'

/** Starts IPv4: from here on it follows the devices and takes their packets. rtnl is held. @kernel inet_init() net/ipv4/af_inet.c */
export function ipv4Init(inet: Inet): void {
  const { kernel } = inet
  const ops = new ArpOps()
  const arp = new NeighTable(kernel, inet.events, ops)
  const ipv4 = new Ipv4(inet, arp)
  ops.ipv4 = ipv4
  inet.ipv4 = ipv4
  inet.neighTables.set(AF_INET, arp)
  inet.families.set(AF_INET, familyOf(ipv4))
  loopInit(ipv4)
  devAddPack(kernel, { type: ETH_P_IP, func: (skb, dev) => ipRcv(ipv4, skb, dev) })
  devAddPack(kernel, { type: ETH_P_ARP, func: (skb, dev) => arpRcv(ipv4, skb, dev) })
  registerNetdeviceNotifier(kernel, (event, dev) => {
    inet.rtGenid.bump()
    inetdevEvent(ipv4, event, dev)
    inet.rtGenid.bump()
  })
}

function familyOf(ipv4: Ipv4): InetFamily {
  return {
    addresses: (dev) => addr4List(ipv4, dev),
    addrAdd: (config, flags) => addr4Add(ipv4, config, flags),
    addrDel: (match) => addr4Del(ipv4, match),
    fibAdd: (config, flags) => fib4Add(ipv4, config, flags),
    fibDel: (config) => fib4Del(ipv4, config),
    fibDump: (table) => fib4Dump(ipv4, table),
    fibLookup: (dst, options) => lookup(ipv4, dst, options),
    transport: new Transport4(ipv4),
  }
}

function lookup(ipv4: Ipv4, dst: Uint8Array, options: FibLookupOptions): FibResult {
  const rt = ipRouteOutput(ipv4, getUnalignedBe32(dst, 0), {
    src: options.src === undefined ? 0 : getUnalignedBe32(options.src, 0),
    oif: options.oif ?? null,
    tos: options.tos ?? 0,
  })
  if (!isRoute(rt)) throw new Errno(errnoOf(rt))
  return {
    type: rt.type,
    dst: ipv4Bytes(rt.dst),
    src: ipv4Bytes(rt.src),
    nextHop: ipv4Bytes(rt.nextHop),
    gateway: rt.nextHop === rt.dst ? null : ipv4Bytes(rt.nextHop),
    dev: rt.dev,
    mtu: rt.mtu,
    route: rt.route,
  }
}
