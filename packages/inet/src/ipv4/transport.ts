import { Errno, ERRNO } from '@vnet/kernel'
import {
  allocSkb,
  devGetByIndex,
  kfreeSkb,
  type NetDevice,
  type SkBuff,
  SkbDropReason,
  skbReserve,
} from '@vnet/netdev'
import {
  csumTcpudpNofold,
  getUnalignedBe16,
  getUnalignedBe32,
  ipv4IsLbcast,
  ipv4IsMulticast,
  putUnalignedBe16,
  putUnalignedBe32,
} from '@vnet/wire'
import { addrTypeDev } from '../fib/addr-type.ts'
import { ipv4Bytes } from '../fib/route.ts'
import { errnoOf, type InetSock, isAny } from '../sock/sock.ts'
import type { InetTransport, SendControl, SockRoute } from '../sock/transport.ts'
import { IpPmtudisc, IpProto, RtnType, SoEeOrigin } from '../types/constants.ts'
import type { InetAddr } from '../types/objects.ts'
import { fragOff, IP_DF, ipHdrLen, ipPushHeader, IPV4_HLEN } from './header.ts'
import { icmpOutCount, nextIdent } from './icmp-send.ts'
import type { Ipv4 } from './ipv4.ts'
import { ipLocalOut } from './output.ts'
import { ipRouteOutputKey, isRoute, type Rt4 } from './route.ts'

const HEADROOM = 64

/** IPv4 below the sockets. @kernel none */
export class Transport4 implements InetTransport {
  readonly anyAddress = new Uint8Array(4)
  readonly icmp = { protocol: IpProto.ICMP, echo: 8, reply: 0 }
  readonly #ipv4: Ipv4

  constructor(ipv4: Ipv4) {
    this.#ipv4 = ipv4
  }

  /** @kernel __inet_bind() net/ipv4/af_inet.c */
  checkBind(sock: InetSock, addr: InetAddr): void {
    if (isAny(addr.address) || sock.options.freebind) return
    const type = addrTypeDev(this.#ipv4, null, getUnalignedBe32(addr.address, 0))
    const fine: readonly number[] = [RtnType.LOCAL, RtnType.MULTICAST, RtnType.BROADCAST]
    if (!fine.includes(type)) throw new Errno('EADDRNOTAVAIL')
  }

  /** @kernel ip_route_output_flow() net/ipv4/route.c */
  route(sock: InetSock, to: InetAddr, control: SendControl): SockRoute {
    const ipv4 = this.#ipv4
    const dst = getUnalignedBe32(to.address, 0)
    const oif = this.#device(sock, dst, control)
    const src = control.src ?? (isSource(sock.local) ? sock.local : null)
    const saddr = src === null ? 0 : getUnalignedBe32(src, 0)
    const rt = ipRouteOutputKey(ipv4, dst, saddr, oif, (control.tos ?? sock.options.tos) & 0x1e)
    if (!isRoute(rt)) {
      if (rt === -ERRNO.ENETUNREACH) ipv4.ip.outNoRoutes++
      throw new Errno(errnoOf(rt))
    }
    const broadcast = rt.type === RtnType.BROADCAST
    if (broadcast && !sock.options.broadcast) throw new Errno('EACCES')
    return {
      src: ipv4Bytes(rt.src),
      dst: ipv4Bytes(rt.dst),
      dev: rt.dev,
      mtu: rt.mtu,
      broadcast,
      multicast: rt.type === RtnType.MULTICAST,
      route: rt,
    }
  }

  alloc(_route: SockRoute, len: number): SkBuff | null {
    const skb = allocSkb(this.#ipv4.kernel, HEADROOM + len)
    if (skb !== null) skbReserve(skb, HEADROOM)
    return skb
  }

  pseudo(route: SockRoute, protocol: number, len: number): number {
    return csumTcpudpNofold(getUnalignedBe32(route.src, 0), getUnalignedBe32(route.dst, 0), len, protocol)
  }

  /** @kernel ip_make_skb() net/ipv4/ip_output.c */
  send(sock: InetSock, skb: SkBuff, route: SockRoute, protocol: number, control: SendControl): void {
    const ipv4 = this.#ipv4
    const { options } = sock
    const rt = route.route as Rt4
    const { mtuDiscover } = options
    const total = skb.len + IPV4_HLEN
    const strict = mtuDiscover === IpPmtudisc.DO || mtuDiscover === IpPmtudisc.PROBE
    if (total > 0xffff || (total > rt.mtu && strict)) {
      kfreeSkb(skb, SkbDropReason.PKT_TOO_BIG)
      this.#tooLong(sock, route, rt.mtu)
    }
    const df = strict || (mtuDiscover === IpPmtudisc.WANT && total <= rt.mtu)
    if (protocol === IpProto.ICMP && skb.len > 0) icmpOutCount(ipv4, skb.mem[skb.data]!)
    skb.priority = options.priority
    skb.mark = options.mark
    const ttl = control.ttl ?? (options.ttl >= 0 ? options.ttl : ipv4.sysctl.ipDefaultTtl)
    const tos = control.tos ?? options.tos
    const hops = route.multicast ? options.multicastTtl : ttl
    const ident = this.#ident(sock, strict)
    ipPushHeader(skb, rt.src, rt.dst, protocol, hops, tos, ident, df ? IP_DF : 0)
    this.#finish(sock, ipLocalOut(ipv4, skb, rt, !strict, !route.multicast || options.multicastLoop))
  }

  /** @kernel raw_send_hdrinc() net/ipv4/raw.c */
  sendWithHeader(sock: InetSock, skb: SkBuff, route: SockRoute): void {
    const ipv4 = this.#ipv4
    const rt = route.route as Rt4
    const { mem, data } = skb
    if (skb.len > rt.mtu) {
      kfreeSkb(skb, SkbDropReason.PKT_TOO_BIG)
      this.#tooLong(sock, route, rt.mtu)
    }
    const hlen = skb.len < IPV4_HLEN ? 0 : ipHdrLen(mem, data)
    if (hlen < IPV4_HLEN || hlen > skb.len) {
      kfreeSkb(skb)
      throw new Errno('EINVAL')
    }
    if (getUnalignedBe32(mem, data + 12) === 0) putUnalignedBe32(rt.src, mem, data + 12)
    if (getUnalignedBe16(mem, data + 4) === 0 && (fragOff(mem, data) & IP_DF) === 0) {
      putUnalignedBe16(nextIdent(ipv4), mem, data + 4)
    }
    if (mem[data + 9] === IpProto.ICMP && skb.len > hlen) icmpOutCount(ipv4, mem[data + hlen]!)
    this.#finish(sock, ipLocalOut(ipv4, skb, rt, false))
  }

  /** A connected socket counts its own packets; what may never be split needs no number. @kernel ip_select_ident_segs() include/net/ip.h */
  #ident(sock: InetSock, strict: boolean): number {
    if (sock.remote !== null) return sock.ident++ & 0xffff
    return strict ? 0 : nextIdent(this.#ipv4)
  }

  #device(sock: InetSock, dst: number, control: SendControl): NetDevice<any> | null {
    const { options } = sock
    let ifindex = options.boundDevIf !== 0 ? options.boundDevIf : (control.ifindex ?? 0)
    if (ifindex === 0 && (ipv4IsMulticast(dst) || ipv4IsLbcast(dst))) ifindex = options.multicastIf
    if (ifindex === 0) return null
    const dev = devGetByIndex(this.#ipv4.kernel, ifindex)
    if (dev === undefined) throw new Errno('ENODEV')
    return dev
  }

  /** Without the error queue a full queue below is nobody's business. @kernel ip_send_skb() net/ipv4/ip_output.c */
  #finish(sock: InetSock, rc: number): void {
    if (rc >= 0) return
    this.#ipv4.ip.outDiscards++
    if (rc === -ERRNO.ENOBUFS && !sock.options.recverr) return
    throw new Errno(errnoOf(rc))
  }

  #tooLong(sock: InetSock, route: SockRoute, mtu: number): never {
    sock.reportLocal({
      errno: ERRNO.EMSGSIZE,
      origin: SoEeOrigin.LOCAL,
      type: 0,
      code: 0,
      info: mtu,
      offender: null,
      to: { address: route.dst, port: sock.remote?.port ?? 0 },
      bytes: new Uint8Array(0),
      tstamp: this.#ipv4.kernel.clock.ktimeGet(),
    })
    throw new Errno('EMSGSIZE')
  }
}

/** Bound to a group or to all: that is whom it hears, not who it is. */
function isSource(local: Uint8Array): boolean {
  return !isAny(local) && local[0]! >>> 4 !== 0xe && local.some((byte) => byte !== 0xff)
}
