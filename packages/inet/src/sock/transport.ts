import type { NetDevice, SkBuff } from '@vnet/netdev'
import type { InetAddr } from '../types/objects.ts'
import type { InetSock } from './sock.ts'

/** The way a datagram of a socket goes. @kernel struct flowi4 include/net/flow.h */
export interface SockRoute {
  readonly src: Uint8Array
  readonly dst: Uint8Array
  readonly dev: NetDevice<any>
  readonly mtu: number
  /** Goes to all, or to a group. */
  readonly broadcast: boolean
  readonly multicast: boolean
  /** The family's own. */
  readonly route: unknown
}

/** What a sender may say for one datagram, over the socket's options. @kernel struct ipcm_cookie include/net/ip.h */
export interface SendControl {
  readonly ttl?: number
  readonly tos?: number
  readonly src?: Uint8Array
  readonly ifindex?: number
}

/** Nothing beyond the socket's options. @kernel none */
export const NO_CONTROL: SendControl = {}

/**
 * The network layer below the sockets: one for each family.
 *
 * @kernel none
 */
export interface InetTransport {
  readonly anyAddress: Uint8Array
  /** Protocol of echo messages, and their types. */
  readonly icmp: { readonly protocol: number; readonly echo: number; readonly reply: number }
  /** Says whether a socket may be bound to an address. @throws Errno EADDRNOTAVAIL, EINVAL */
  checkBind(sock: InetSock, addr: InetAddr): void
  /** Finds the way. @throws Errno ENETUNREACH, EACCES (broadcast without SO_BROADCAST) … */
  route(sock: InetSock, to: InetAddr, control: SendControl): SockRoute
  /** A packet with room for all headers before `len` bytes; null: no memory. */
  alloc(route: SockRoute, len: number): SkBuff | null
  /** The pseudo header's sum, as `csumPartial` of the wire package gives it; 0 where ICMP has none. */
  pseudo(route: SockRoute, protocol: number, len: number): number
  /** Puts the network header in front and sends; the packet is gone. @throws Errno EMSGSIZE, ENOBUFS */
  send(sock: InetSock, skb: SkBuff, route: SockRoute, protocol: number, control: SendControl): void
  /** IPv4 with IP_HDRINCL: data begins with the network header, to be completed. */
  sendWithHeader(sock: InetSock, skb: SkBuff, route: SockRoute): void
}

/** What a received datagram came with; made by the network layer, valid during the call. @kernel none */
export interface RxInfo {
  readonly family: 2 | 10
  readonly src: Uint8Array
  readonly dst: Uint8Array
  readonly dev: NetDevice<any>
  readonly ttl: number
  readonly tos: number
  readonly broadcast: boolean
  readonly multicast: boolean
}
