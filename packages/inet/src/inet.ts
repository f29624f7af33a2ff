import { Errno, type Kernel } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { type InetEventMap, InetEvents, type InetListener } from './events.ts'
import type { InetFamily } from './family.ts'
import { RtGenid } from './genid.ts'
import type { Ipv4 } from './ipv4/ipv4.ts'
import type { NeighTable } from './neigh/table.ts'
import { SocketTable } from './sock/table.ts'
import { TcpMib } from './tcp/mib.ts'
import type { InetFamilyNr } from './types/constants.ts'
import type {
  FibConfig,
  FibLookupOptions,
  FibResult,
  FibRoute,
  IfaddrConfig,
  IfaddrMatch,
  InIfaddr,
} from './types/objects.ts'

/**
 * The internet protocols of one kernel. `inetOf(kernel)` gives it.
 *
 * A family plugs itself in: `families`, `neighTables`, its packet handlers and its device notifier.
 *
 * @kernel none
 */
export class Inet {
  readonly kernel: Kernel
  /** Moves when a way may have changed; `bump()` has all ways looked up anew. */
  readonly rtGenid = new RtGenid()
  readonly events = new InetEvents(this.rtGenid)
  readonly families = new Map<InetFamilyNr, InetFamily>()
  readonly neighTables = new Map<InetFamilyNr, NeighTable>()
  readonly sockets: SocketTable
  /** What came for TCP, of both families. */
  readonly tcp = new TcpMib()
  /** IPv4's own state: devices, routes, counters. Set once by `inetOf`. */
  declare ipv4: Ipv4

  constructor(kernel: Kernel) {
    this.kernel = kernel
    this.sockets = new SocketTable()
  }

  /** Has `fn` called when addresses, routes or neighbours come, change ('new') or go ('del'). */
  on<K extends keyof InetEventMap>(what: K, fn: InetListener<InetEventMap[K]>): () => void {
    return this.events.on(what, fn)
  }

  /** The addresses, in the order `ip addr` shows them for each device. */
  addresses(family?: InetFamilyNr, dev?: NetDevice<any>): readonly InIfaddr[] {
    const out: InIfaddr[] = []
    for (const [nr, ops] of this.families) {
      if (family === undefined || family === nr) out.push(...ops.addresses(dev))
    }
    return out
  }

  /** A family. @throws Errno EAFNOSUPPORT */
  family(nr: InetFamilyNr): InetFamily {
    const family = this.families.get(nr)
    if (family === undefined) throw new Errno('EAFNOSUPPORT')
    return family
  }

  /** The neighbours of a family. @throws Errno EAFNOSUPPORT */
  neighTable(nr: InetFamilyNr): NeighTable {
    const table = this.neighTables.get(nr)
    if (table === undefined) throw new Errno('EAFNOSUPPORT')
    return table
  }

  /** True when packets for others are passed on. @kernel net.ipv4.ip_forward */
  get ipForward(): boolean {
    return this.ipv4.forward
  }

  set ipForward(on: boolean) {
    this.ipv4.forward = on
    this.rtGenid.bump()
  }
}

/**
 * Gives a device an address, with the routes that go with it. rtnl is held.
 *
 * @param nlmFlags - `NlmNew` bits; with REPLACE an address that is there gets new lifetimes
 * @throws Errno EEXIST ("ipv4: Address already assigned"), EINVAL
 * @kernel inet_rtm_newaddr() net/ipv4/devinet.c
 */
export function inetAddrAdd(inet: Inet, config: IfaddrConfig, nlmFlags = 0x600): InIfaddr {
  inet.kernel.rtnl.assertHeld('inetAddrAdd')
  return inet.family(config.family).addrAdd(config, nlmFlags)
}

/**
 * Removes an address and its routes. rtnl is held.
 *
 * @throws Errno EADDRNOTAVAIL ("ipv4: Address not found")
 * @kernel inet_rtm_deladdr() net/ipv4/devinet.c
 */
export function inetAddrDel(inet: Inet, match: IfaddrMatch): void {
  inet.kernel.rtnl.assertHeld('inetAddrDel')
  inet.family(match.family).addrDel(match)
}

/** Adds a route. rtnl is held. @throws Errno with the kernel's sentence @kernel fib_table_insert() net/ipv4/fib_trie.c */
export function fibAdd(inet: Inet, config: FibConfig, nlmFlags = 0x600): FibRoute {
  inet.kernel.rtnl.assertHeld('fibAdd')
  return inet.family(config.family).fibAdd(config, nlmFlags)
}

/** Removes the first route that matches. rtnl is held. @throws Errno ESRCH @kernel fib_table_delete() net/ipv4/fib_trie.c */
export function fibDel(inet: Inet, config: FibConfig): void {
  inet.kernel.rtnl.assertHeld('fibDel')
  inet.family(config.family).fibDel(config)
}

/** The routes of a family, of one table or all, in the kernel's order. @kernel fib_table_dump() net/ipv4/fib_trie.c */
export function fibDump(inet: Inet, family: InetFamilyNr, table?: number): readonly FibRoute[] {
  return inet.family(family).fibDump(table)
}

/**
 * Finds the way to a destination, with the source a packet would get.
 *
 * @throws Errno ENETUNREACH, EHOSTUNREACH (unreachable route), EACCES (prohibit), EINVAL (blackhole), ENODEV
 * @kernel ip_route_output_key_hash_rcu() net/ipv4/route.c
 */
export function fibLookup(inet: Inet, dst: Uint8Array, options: FibLookupOptions = {}): FibResult {
  return inet.family(dst.length === 16 ? 10 : 2).fibLookup(dst, options)
}
