import { Errno, ERRNO } from '@vnet/kernel'
import { ETH_P_IPV6, kfreeSkb, netOf, type NetDevice, type SkBuff, SkbDropReason } from '@vnet/netdev'
import { csumPartial, Icmpv6Type, IpProto } from '@vnet/wire'
import { errnoOf, type InetSock } from '../sock/sock.ts'
import type { InetTransport, SendControl, SockRoute } from '../sock/transport.ts'
import { IpPmtudisc, SoEeOrigin } from '../types/constants.ts'
import type { InetAddr } from '../types/objects.ts'
import { IN6ADDR_ANY, Ipv6AddrType, ipv6AddrScope, ipv6AddrType } from './address.ts'
import { type Ipv6 } from './ipv6.ts'
import { ipv6ChkAddr } from './addr-lookup.ts'
import { ip6LocalOut } from './output.ts'
import { ip6Alloc, IPV6_HLEN, ip6PushHeader } from './header.ts'
import { type Ip6RoutePath, ip6PathOf } from './path.ts'
import { fib6Lookup } from './route.ts'

/** IPv6 below the sockets. @kernel inet6_dgram_ops net/ipv6/af_inet6.c */
export class Transport6 implements InetTransport {
  readonly anyAddress = IN6ADDR_ANY
  readonly icmp = {
    protocol: IpProto.ICMPV6,
    echo: Icmpv6Type.ECHO_REQUEST,
    reply: Icmpv6Type.ECHO_REPLY,
  } as const
  readonly #ipv6: Ipv6

  constructor(ipv6: Ipv6) {
    this.#ipv6 = ipv6
  }

  checkBind(sock: InetSock, addr: InetAddr): void {
    checkBind(this.#ipv6, sock, addr)
  }

  route(sock: InetSock, to: InetAddr, control: SendControl): SockRoute {
    return route(this.#ipv6, sock, to, control)
  }

  alloc(_route: SockRoute, len: number): SkBuff | null {
    return ip6Alloc(this.#ipv6, len)
  }

  pseudo(way: SockRoute, protocol: number, len: number): number {
    return csumPartial(way.dst, 0, 16, csumPartial(way.src, 0, 16, len + protocol))
  }

  /** @kernel ip6_make_skb() net/ipv6/ip6_output.c */
  send(sock: InetSock, skb: SkBuff, way: SockRoute, protocol: number, control: SendControl): void {
    const ipv6 = this.#ipv6
    const { options } = sock
    const path = pathOf(way)
    const strict = options.mtuDiscover === IpPmtudisc.DO || options.mtuDiscover === IpPmtudisc.PROBE
    const total = skb.len + IPV6_HLEN
    if (skb.len > 0xffff || (strict && total > path.mtu)) this.#tooLong(sock, skb, way)
    // A socket's own messages count as sent ones.
    if (protocol === IpProto.ICMPV6 && skb.len > 0)
      ipv6.incIcmpOut(ipv6.devs.get(path.dev) ?? null, skb.mem[skb.data]!)
    skb.priority = options.priority
    skb.mark = options.mark
    const hopLimit = hopLimitOf(sock, way, path, control)
    ip6PushHeader(skb, way.src, way.dst, protocol, hopLimit, Math.max(control.tos ?? options.tos, 0))
    this.#finish(
      sock,
      path,
      ip6LocalOut(ipv6, skb, way.multicast ? { ...path, loop: options.multicastLoop } : path),
    )
  }

  /** @kernel rawv6_send_hdrinc() net/ipv6/raw.c */
  sendWithHeader(sock: InetSock, skb: SkBuff, way: SockRoute): void {
    const path = pathOf(way)
    if (skb.len > path.mtu) this.#tooLong(sock, skb, way)
    if (skb.len < IPV6_HLEN) {
      kfreeSkb(skb, SkbDropReason.PKT_TOO_SMALL)
      throw new Errno('EINVAL')
    }
    skb.networkHeader = skb.data
    skb.protocol = ETH_P_IPV6
    this.#finish(sock, path, ip6LocalOut(this.#ipv6, skb, path))
  }

  /** Without the error queue a full queue below is nobody's business. @kernel ip6_send_skb() net/ipv6/ip6_output.c */
  #finish(sock: InetSock, path: Ip6RoutePath, rc: number): void {
    if (rc >= 0) return
    this.#ipv6.inc(this.#ipv6.devs.get(path.dev) ?? null, 'OutDiscards')
    if (rc === -ERRNO.ENOBUFS && !sock.options.recverr) return
    throw new Errno(errnoOf(-rc))
  }

  /** The packet may not be cut: it is dropped, and the sender told how much would have fitted. @kernel ipv6_local_error() net/ipv6/datagram.c */
  #tooLong(sock: InetSock, skb: SkBuff, way: SockRoute): never {
    kfreeSkb(skb, SkbDropReason.PKT_TOO_BIG)
    sock.reportLocal({
      errno: ERRNO.EMSGSIZE,
      origin: SoEeOrigin.LOCAL,
      type: 0,
      code: 0,
      info: way.mtu,
      offender: null,
      to: { address: way.dst, port: sock.remote?.port ?? 0 },
      bytes: new Uint8Array(0),
      tstamp: this.#ipv6.kernel.clock.ktimeGet(),
    })
    throw new Errno('EMSGSIZE')
  }
}

function pathOf(way: SockRoute): Ip6RoutePath {
  return way.route as Ip6RoutePath
}

function hopLimitOf(sock: InetSock, way: SockRoute, path: Ip6RoutePath, control: SendControl): number {
  if (control.ttl !== undefined && control.ttl >= 0) return control.ttl
  if (way.multicast) return sock.options.multicastTtl
  return sock.options.ttl >= 0 ? sock.options.ttl : path.hopLimit
}

/** A socket may be bound to our addresses, to groups, and with a device to its link-local addresses. @kernel __inet6_bind() net/ipv6/af_inet6.c */
function checkBind(ipv6: Ipv6, sock: InetSock, addr: InetAddr): void {
  const type = ipv6AddrType(addr.address)
  if (type === Ipv6AddrType.ANY || (type & Ipv6AddrType.MULTICAST) !== 0 || sock.options.freebind) return
  if (type === Ipv6AddrType.MAPPED) throw new Errno('EADDRNOTAVAIL')
  const dev = deviceOf(ipv6, sock, addr, {})
  if ((type & Ipv6AddrType.LINKLOCAL) !== 0 && dev === null) throw new Errno('EINVAL')
  if (!ipv6ChkAddr(ipv6, addr.address, dev, 0)) throw new Errno('EADDRNOTAVAIL')
}

/** The device a datagram must leave by, or null. @throws Errno EINVAL, ENODEV */
function deviceOf(ipv6: Ipv6, sock: InetSock, to: InetAddr, control: SendControl): NetDevice<any> | null {
  const { boundDevIf, multicastIf } = sock.options
  const group = to.address[0] === 0xff
  const oneLink = ipv6AddrScope(to.address) <= 2 && ipv6AddrType(to.address) !== 0
  let ifindex = boundDevIf !== 0 ? boundDevIf : (control.ifindex ?? 0)
  const scope = to.scopeId ?? 0
  if (oneLink && scope !== 0) {
    if (boundDevIf !== 0 && boundDevIf !== scope) throw new Errno('EINVAL')
    ifindex = scope
  }
  if (ifindex === 0 && group) ifindex = multicastIf
  if (ifindex === 0) return null
  const dev = netOf(ipv6.kernel).devByIndex.get(ifindex)
  if (dev === undefined) throw new Errno('ENODEV')
  return dev
}

/** @throws Errno ENETUNREACH, EINVAL, EADDRNOTAVAIL … @kernel ip6_sk_dst_lookup_flow() net/ipv6/ip6_output.c */
function route(ipv6: Ipv6, sock: InetSock, to: InetAddr, control: SendControl): SockRoute {
  const dst = to.address
  const type = ipv6AddrType(dst)
  if (type === Ipv6AddrType.MAPPED) throw new Errno('ENETUNREACH')
  const oif = deviceOf(ipv6, sock, to, control)
  if ((type & Ipv6AddrType.LINKLOCAL) !== 0 && oif === null) throw new Errno('EINVAL')
  const bound = ipv6AddrType(sock.local) !== 0 && sock.local[0] !== 0xff ? sock.local : undefined
  const src = control.src ?? bound
  const found = fib6Lookup(ipv6, dst, {
    ...(oif === null ? {} : { oif }),
    ...(src === undefined ? {} : { src }),
  })
  const path = ip6PathOf(ipv6, found.route!, dst)
  return {
    src: found.src,
    dst,
    dev: path.dev,
    mtu: path.mtu,
    broadcast: false,
    multicast: dst[0] === 0xff,
    route: path,
  }
}
