import { type WorkStruct, workSetup } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { AF_INET6 } from '../types/constants.ts'
import type { FibRoute, InIfaddr } from '../types/objects.ts'
import { ipv6AddrEqual } from './address.ts'
import { addrconfDadWork } from './dad.ts'
import type { Inet6Dev } from './inet6-dev.ts'

/** How far duplicate address detection is with an address. @kernel INET6_IFADDR_STATE_PREDAD include/net/if_inet6.h */
export type Inet6IfaddrState = 'predad' | 'dad' | 'postdad' | 'errdad' | 'dead'

/** What {@link Inet6Ifaddr} is made of. @kernel struct ifa6_config include/net/addrconf.h */
export interface Ifa6Config {
  readonly pfx: Uint8Array
  readonly plen: number
  readonly peer?: Uint8Array | null
  readonly flags: number
  readonly validLft: number
  readonly preferredLft: number
  readonly scope: number
  readonly proto: number
  readonly rtPriority: number
}

/**
 * An IPv6 address of a device.
 *
 * @kernel struct inet6_ifaddr include/net/if_inet6.h
 */
export class Inet6Ifaddr implements InIfaddr {
  readonly idev: Inet6Dev
  readonly dev: NetDevice<any>
  readonly family = AF_INET6
  readonly local: Uint8Array
  address: Uint8Array
  readonly prefixlen: number
  readonly broadcast = null
  readonly label = ''
  readonly scope: number
  flags: number
  validLft: number
  preferredLft: number
  cstamp: number
  tstamp: number
  /** `tstamp` in ticks: what the lifetimes count from. */
  tstampJiffies: number
  proto: number
  rtPriority: number
  state: Inet6IfaddrState = 'predad'
  dadProbes = 0
  /** Six random bytes in our own solicitations: one that comes back with them is ours. 0: none. */
  dadNonce = 0
  readonly dadWork: WorkStruct
  /** The solicited-node group was joined for it. */
  joined = false
  /** The local route; it is in the table when the address may receive. */
  rt: FibRoute | null = null

  constructor(idev: Inet6Dev, cfg: Ifa6Config) {
    const { kernel } = idev.ipv6
    const now = kernel.clock.jiffies
    this.idev = idev
    this.dev = idev.dev
    this.local = cfg.pfx
    this.address = cfg.peer ?? cfg.pfx
    this.prefixlen = cfg.plen
    this.scope = cfg.scope
    this.flags = cfg.flags
    this.validLft = cfg.validLft
    this.preferredLft = cfg.preferredLft
    this.proto = cfg.proto
    this.rtPriority = cfg.rtPriority
    this.cstamp = stamp(now, kernel.clock.hz)
    this.tstamp = this.cstamp
    this.tstampJiffies = now
    this.dadWork = workSetup(kernel, () => addrconfDadWork(this), idev.dev.name)
  }

  /** The other end of a point-to-point address, or null. */
  get peer(): Uint8Array | null {
    return ipv6AddrEqual(this.local, this.address) ? null : this.address
  }

  /** The lifetimes count from now. */
  touch(): void {
    const { clock } = this.idev.ipv6.kernel
    this.tstampJiffies = clock.jiffies
    this.tstamp = stamp(this.tstampJiffies, clock.hz)
  }
}

/** Ticks in hundredths of a second. @kernel cstamp_delta() net/ipv6/addrconf.c */
function stamp(jiffies: number, hz: number): number {
  return Math.floor((jiffies * 100) / hz)
}
