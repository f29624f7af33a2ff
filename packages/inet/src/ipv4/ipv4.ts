import {
  FrameCopier,
  type Kernel,
  scheduleWork,
  type TimerList,
  timerSetup,
  type WorkStruct,
  workSetup,
} from '@vnet/kernel'
import { type NetDevice, SkBuffHead } from '@vnet/netdev'
import type { InDevice } from '../addr/in-device.ts'
import { checkLifetime } from '../addr/lifetime-check.ts'
import { FibTables } from '../fib/table.ts'
import type { Inet } from '../inet.ts'
import type { NeighTable } from '../neigh/table.ts'
import { UdpMib } from '../sock/mib.ts'
import { RxPool } from '../sock/rx-info.ts'
import { DstCache4, LastInput } from './dst-cache.ts'
import { IcmpLimits } from './icmp-limit.ts'
import { IpFrags } from './reassembly.ts'
import { PathMtu } from './path-mtu.ts'
import { IcmpMib, IpMib } from './snmp.ts'

/** The settings of IPv4 as a whole. @kernel struct netns_ipv4 include/net/netns/ipv4.h */
export class Ipv4Sysctl {
  ipDefaultTtl = 64
  icmpEchoIgnoreAll = false
  icmpEchoIgnoreBroadcasts = true
  /** Milliseconds between messages to one host, of the types in the mask. */
  icmpRatelimit = 1000
  icmpRatemask = 0x1818
  icmpMsgsPerSec = 1000
  icmpMsgsBurst = 50
}

/** IPv4 of one kernel. @kernel struct netns_ipv4 include/net/netns/ipv4.h */
export class Ipv4 {
  readonly inet: Inet
  readonly kernel: Kernel
  readonly devices = new Map<NetDevice<any>, InDevice>()
  #met: InDevice | null = null
  /** The same, to walk through for each packet. */
  readonly inDevs: InDevice[] = []
  readonly fib: FibTables
  readonly arp: NeighTable
  readonly ip = new IpMib()
  readonly icmp = new IcmpMib()
  readonly udp = new UdpMib()
  readonly sysctl = new Ipv4Sysctl()
  readonly limits: IcmpLimits
  readonly frags: IpFrags
  readonly pathMtu: PathMtu
  /** Ways found lately: of our own packets, and of those passed on. */
  readonly dst: DstCache4
  readonly dstForward: DstCache4
  readonly lastInput = new LastInput()
  readonly rxPool = new RxPool(2)
  forward = false
  /** Who wants to know that settings of a device are there, or gone ('netconf'). */
  onNetconf: ((event: 'new' | 'del', dev: NetDevice<any>) => void) | null = null
  /** The identification of the next packet that needs one. */
  ident: number
  /** Packets to ourselves on a machine without a loopback device. */
  readonly loop = new SkBuffHead()
  readonly copier = new FrameCopier()
  /** Scratch for the key of a neighbour. */
  readonly key = new Uint8Array(4)
  readonly lifetimeTimer: TimerList
  readonly lifetimeWork: WorkStruct

  constructor(inet: Inet, arp: NeighTable) {
    const { kernel } = inet
    this.inet = inet
    this.kernel = kernel
    this.arp = arp
    this.fib = new FibTables(inet.rtGenid)
    this.limits = new IcmpLimits(kernel, this.sysctl)
    this.frags = new IpFrags(kernel, this)
    this.pathMtu = new PathMtu(kernel)
    this.dst = new DstCache4(inet.rtGenid, this.pathMtu)
    this.dstForward = new DstCache4(inet.rtGenid, this.pathMtu)
    this.lifetimeWork = workSetup(kernel, () => checkLifetime(this), 'inet')
    // A timer and a work: looking needs rtnl, which a timer may not take.
    this.lifetimeTimer = timerSetup(kernel, () => void scheduleWork(this.lifetimeWork), 'inet')
    this.ident = kernel.rng.below(0x10000)
  }

  /** What IPv4 knows of a device, or null. @kernel __in_dev_get_rtnl() include/linux/inetdevice.h */
  inDev(dev: NetDevice<any>): InDevice | null {
    // Asked for each packet, and mostly about the device of the one before.
    if (this.#met !== null && this.#met.dev === dev) return this.#met
    return (this.#met = this.devices.get(dev) ?? null)
  }

  /** A device is gone. */
  forget({ dev }: InDevice): void {
    this.#met = null
    this.devices.delete(dev)
  }
}
