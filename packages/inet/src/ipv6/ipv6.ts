import {
  type Kernel,
  type RateLimit,
  ratelimit,
  type TimerList,
  timerSetup,
  type WorkStruct,
  workSetup,
} from '@vnet/kernel'
import { type NetDevice, SkBuffHead } from '@vnet/netdev'
import type { InetEvents } from '../events.ts'
import type { Inet } from '../inet.ts'
import { NeighTable } from '../neigh/table.ts'
import { addrconfVerifyWork } from './addrconf-verify.ts'
import { Ip6AddrMap } from './addr-map.ts'
import { Ipv6Devconf } from './devconf.ts'
import { DstCache6 } from './dst-cache.ts'
import { Fib6 } from './fib6.ts'
import { Frag6 } from './fragment.ts'
import { Icmp6Limit } from './icmp6-limit.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import type { Inet6Ifaddr } from './ifaddr.ts'
import { ndiscOps } from './ndisc-neigh.ts'
import { ipv6LoopWork } from './output.ts'
import { Pmtu6 } from './pmtu.ts'
import { type Icmp6Counter, type Ip6Counter, Snmp6 } from './snmp6.ts'
import { RxPool } from '../sock/rx-info.ts'
import { UdpMib } from '../sock/mib.ts'

/**
 * IPv6 of one kernel: devices, addresses, routes, neighbours, fragments, sockets, counters.
 *
 * @kernel struct netns_ipv6 include/net/netns/ipv6.h
 */
export class Ipv6 {
  readonly inet: Inet
  readonly kernel: Kernel
  readonly events: InetEvents
  /** In the order the devices were registered. */
  readonly devs = new Map<NetDevice<any>, Inet6Dev>()
  /** The settings for all devices, and those a new device starts with. */
  readonly devconfAll = new Ipv6Devconf()
  readonly devconfDflt = new Ipv6Devconf()
  /** The counters of the whole kernel. */
  readonly mib = new Snmp6()
  readonly nd: NeighTable
  readonly fib: Fib6
  readonly frags: Frag6
  readonly pmtu: Pmtu6
  /** Ways found lately. */
  readonly dst = new DstCache6()
  readonly rxPool = new RxPool(10)
  readonly icmpLimit: Icmp6Limit
  /** For a message that somebody else could cause in masses. */
  readonly naLimit: RateLimit
  /** UDP over IPv6. */
  readonly udpMib = new UdpMib()
  /** All addresses, by address. */
  readonly addrHash = new Ip6AddrMap<Inet6Ifaddr[]>()
  /** Addresses and routes with an end are looked after. */
  readonly verifyWork: WorkStruct
  readonly fibTimer: TimerList
  /** Packets to ourselves on a machine without a loopback device. */
  readonly loop = new SkBuffHead()
  readonly loopWork: WorkStruct
  /** Who wants to know that settings of a device are there, changed, or gone ('netconf'). */
  onNetconf: ((event: 'new' | 'del', idev: Inet6Dev) => void) | null = null
  /** The state of IPv6 on a device changed. @kernel inet6_ifinfo_notify() net/ipv6/addrconf.c */
  onIfinfo: ((idev: Inet6Dev) => void) | null = null

  constructor(inet: Inet) {
    const { kernel, events } = inet
    this.inet = inet
    this.kernel = kernel
    this.events = events
    this.nd = new NeighTable(kernel, events, ndiscOps(this))
    this.fib = new Fib6()
    this.frags = new Frag6(this)
    this.pmtu = new Pmtu6(kernel)
    this.naLimit = ratelimit(kernel, 5e9, 10, 'ndisc_recv_na')
    this.icmpLimit = new Icmp6Limit(kernel)
    this.verifyWork = workSetup(kernel, () => addrconfVerifyWork(this), 'addrconf')
    this.loopWork = workSetup(kernel, () => ipv6LoopWork(this), 'ipv6_loop')
    this.fibTimer = timerSetup(kernel, () => this.fib.runGc(this), 'ip6_fib')
  }

  /** Counts for a device (null: none known) and for the kernel. @kernel IP6_INC_STATS() include/net/ipv6.h */
  inc(idev: Inet6Dev | null, counter: Ip6Counter, by = 1): void {
    this.mib.ip[counter] += by
    if (idev !== null) idev.mib.ip[counter] += by
  }

  /** The same for ICMPv6. @kernel ICMP6_INC_STATS() include/net/ipv6.h */
  incIcmp(idev: Inet6Dev | null, counter: Icmp6Counter): void {
    this.mib.icmp[counter]++
    if (idev !== null) idev.mib.icmp[counter]++
  }

  /** Counts a message sent. @kernel ICMP6MSGOUT_INC_STATS() include/net/ipv6.h */
  incIcmpOut(idev: Inet6Dev | null, type: number): void {
    this.incIcmp(idev, 'OutMsgs')
    this.mib.icmpOut[type]!++
    if (idev !== null) idev.mib.icmpOut[type]!++
  }

  /** Counts a message received. @kernel ICMP6MSGIN_INC_STATS() include/net/ipv6.h */
  incIcmpIn(idev: Inet6Dev | null, type: number): void {
    this.mib.icmpIn[type]!++
    if (idev !== null) idev.mib.icmpIn[type]!++
  }

  /** The addresses there are, of all devices or of one, in the order they are shown. */
  addresses(dev?: NetDevice<any>): Inet6Ifaddr[] {
    if (dev !== undefined) return [...(this.devs.get(dev)?.addrList ?? [])]
    return [...this.devs.values()].flatMap((idev) => idev.addrList)
  }
}
