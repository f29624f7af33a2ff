import type { NetDevice } from '@vnet/netdev'
import type { InetFamilyNr } from './constants.ts'

/**
 * An address of a device, of either family.
 *
 * @kernel struct in_ifaddr include/linux/inetdevice.h
 */
export interface InIfaddr {
  readonly dev: NetDevice<any>
  readonly family: InetFamilyNr
  readonly local: Uint8Array
  /** The other end of a point-to-point link, or equal to `local`. */
  readonly address: Uint8Array
  readonly prefixlen: number
  readonly broadcast: Uint8Array | null
  /** IPv4 only: the device's name, or the name with `:something`. */
  readonly label: string
  readonly scope: number
  /** `IfaFlag` bits. */
  flags: number
  /** Seconds from `tstamp`; 0xffffffff: for ever. */
  validLft: number
  preferredLft: number
  /** When it was made and last changed, in hundredths of a second since boot. */
  cstamp: number
  tstamp: number
  proto: number
  /** The metric of the prefix route; 0: the family's own. */
  rtPriority: number
}

/**
 * What makes an address: `inetAddrAdd` takes it.
 *
 * @kernel struct ifaddrmsg include/uapi/linux/if_addr.h
 */
export interface IfaddrConfig {
  readonly dev: NetDevice<any>
  readonly family: InetFamilyNr
  readonly local: Uint8Array
  readonly prefixlen: number
  readonly address?: Uint8Array
  readonly broadcast?: Uint8Array | null
  readonly label?: string
  readonly scope?: number
  readonly flags?: number
  readonly validLft?: number
  readonly preferredLft?: number
  readonly proto?: number
  readonly rtPriority?: number
}

/** Which address to remove: what is absent matches all. @kernel inet_rtm_deladdr() net/ipv4/devinet.c */
export interface IfaddrMatch {
  readonly dev: NetDevice<any>
  readonly family: InetFamilyNr
  readonly local?: Uint8Array
  readonly address?: Uint8Array
  readonly prefixlen?: number
  readonly label?: string
}

/**
 * A route, of either family.
 *
 * @kernel struct fib_info include/net/ip_fib.h
 */
export interface FibRoute {
  readonly family: InetFamilyNr
  readonly dst: Uint8Array
  readonly dstLen: number
  readonly tos: number
  readonly table: number
  readonly protocol: number
  readonly scope: number
  readonly type: number
  /** `RtnhFlag` bits. */
  flags: number
  readonly priority: number
  readonly gateway: Uint8Array | null
  readonly oif: NetDevice<any> | null
  readonly prefsrc: Uint8Array | null
  /** By `Rtax` number. */
  readonly metrics: ReadonlyMap<number, number>
  /** IPv6: router preference, 0 medium, 1 high, 3 low. */
  readonly pref: number
  /** IPv6: when it ends, in jiffies; 0: never. */
  expires: number
}

/** What makes or names a route: `fibAdd` and `fibDel` take it. @kernel struct fib_config include/net/ip_fib.h */
export interface FibConfig {
  readonly family: InetFamilyNr
  readonly dst: Uint8Array
  readonly dstLen: number
  readonly tos?: number
  /** 0 and absent: main. */
  readonly table?: number
  /** Absent: boot; for removing: any. */
  readonly protocol?: number
  /** Absent: as `ip route` chooses it: host for local, link for directly attached, else universe. */
  readonly scope?: number
  /** Absent: unicast. */
  readonly type?: number
  readonly flags?: number
  readonly priority?: number
  readonly gateway?: Uint8Array | null
  readonly oif?: NetDevice<any> | null
  readonly prefsrc?: Uint8Array | null
  readonly metrics?: ReadonlyMap<number, number>
  readonly pref?: number
  readonly expires?: number
}

/** Who asks for a route. @kernel struct flowi4 include/net/flow.h */
export interface FibLookupOptions {
  /** The source, when it is chosen already. */
  readonly src?: Uint8Array
  /** Only routes through this device. */
  readonly oif?: NetDevice<any>
  readonly tos?: number
}

/** The answer to a lookup. @kernel struct rtable include/net/route.h */
export interface FibResult {
  /** `RtnType`: unicast, local, broadcast, multicast. */
  readonly type: number
  readonly dst: Uint8Array
  /** The source a packet gets that has none. */
  readonly src: Uint8Array
  /** What to ask the link for: the gateway, or the destination. */
  readonly nextHop: Uint8Array
  readonly gateway: Uint8Array | null
  /** Where it leaves; for local destinations the loopback device, or without one the device that has the address. */
  readonly dev: NetDevice<any>
  readonly mtu: number
  /** Null for multicast and the limited broadcast, which need none. */
  readonly route: FibRoute | null
}

/** An address of a socket. @kernel struct sockaddr_in include/uapi/linux/in.h */
export interface InetAddr {
  readonly address: Uint8Array
  readonly port: number
  /** IPv6 link-local: the ifindex. */
  readonly scopeId?: number
}
