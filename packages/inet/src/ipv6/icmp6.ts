import { copyBytes } from '@vnet/kernel'
import {
  CHECKSUM_PARTIAL,
  CHECKSUM_UNNECESSARY,
  kfreeSkb,
  type SkBuff,
  SkbDropReason,
  consumeSkb,
  skbPut,
} from '@vnet/netdev'
import { getUnalignedBe32, Icmpv6Type, IpProto } from '@vnet/wire'
import { sockError } from '../sock/error.ts'
import { pingDeliver } from '../sock/ping-rcv.ts'
import { keepRxInfo } from '../sock/rx-info.ts'
import type { RxInfo } from '../sock/transport.ts'
import { AF_INET6, RtnType, SoEeOrigin } from '../types/constants.ts'
import { ipv6DevGetSaddr } from './addr-select.ts'
import { ipv6AddrAt, ipv6AddrScope } from './address.ts'
import { ipv6SkipExthdr } from './extension.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import { type Ipv6 } from './ipv6.ts'
import { ipv6ChkAddr } from './addr-lookup.ts'
import { igmp6EventQuery, igmp6EventReport } from './mld-query.ts'
import { ndiscRcv } from './ndisc-recv.ts'
import { ip6LocalOut } from './output.ts'
import { checksumFits, icmp6Checksum, ip6Alloc, IPV6_HLEN, ip6PushHeader } from './header.ts'
import { ip6Mtu } from './path.ts'

const ICMP_HLEN = 8
/** Types from here on inform; below they report errors. @kernel ICMPV6_INFOMSG_MASK include/uapi/linux/icmpv6.h */
const INFOMSG = 0x80
const ECONNREFUSED = 111
const EPROTO = 71
const EHOSTUNREACH = 113
const EMSGSIZE = 90
const EACCES = 13
const ENETUNREACH = 101

/**
 * Takes an ICMPv6 message; data stands at its header. The packet is gone.
 *
 * @kernel icmpv6_rcv() net/ipv6/icmp.c
 */
export function icmpv6Rcv(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, info: RxInfo): void {
  ipv6.incIcmp(idev, 'InMsgs')
  const { mem, data } = skb
  const network = skb.networkHeader
  const known = skb.ipSummed === CHECKSUM_UNNECESSARY || skb.ipSummed === CHECKSUM_PARTIAL
  if (!known && !checksumFits(mem, network, data, skb.len, IpProto.ICMPV6)) {
    ipv6.incIcmp(idev, 'InCsumErrors')
    ipv6.incIcmp(idev, 'InErrors')
    kfreeSkb(skb, SkbDropReason.ICMP_CSUM)
    return
  }
  if (skb.len < ICMP_HLEN) {
    ipv6.incIcmp(idev, 'InErrors')
    kfreeSkb(skb, SkbDropReason.HDR_TRUNC)
    return
  }
  ipv6.incIcmpIn(idev, mem[data]!)
  dispatch(ipv6, idev, skb, info)
  consumeSkb(skb)
}

function dispatch(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, info: RxInfo): void {
  const { mem, data, len } = skb
  const type = mem[data]!
  switch (type) {
    case Icmpv6Type.ECHO_REQUEST:
      echoReply(ipv6, skb, info)
      return
    case Icmpv6Type.ECHO_REPLY:
      pingDeliver(ipv6.inet, skb, info)
      return
    case Icmpv6Type.MGM_QUERY:
      igmp6EventQuery(idev, mem, data, len, info.src, info.ttl)
      return
    case Icmpv6Type.MGM_REPORT:
      igmp6EventReport(idev, mem, data, len)
      return
    case Icmpv6Type.ROUTER_SOLICITATION:
    case Icmpv6Type.ROUTER_ADVERTISEMENT:
    case Icmpv6Type.NEIGHBOUR_SOLICITATION:
    case Icmpv6Type.NEIGHBOUR_ADVERTISEMENT:
    case Icmpv6Type.REDIRECT:
      // Of what neighbours and routers say, some is kept.
      ndiscRcv(ipv6, idev, skb, keepRxInfo(info))
      return
    default:
      // An error nobody knows goes to those whose packet it is about.
      if ((type & INFOMSG) === 0) notifyError(ipv6, idev, skb, info)
  }
}

/** Sends back what came. @kernel icmpv6_echo_reply() net/ipv6/icmp.c */
function echoReply(ipv6: Ipv6, skb: SkBuff, info: RxInfo): void {
  const { src: peer, dst, dev } = info
  const oif = ipv6AddrScope(peer) <= 2 ? dev : null
  const way = ipv6.dst.lookup(ipv6, peer, 0, oif)
  if (way === null) return
  const src = info.multicast ? ipv6DevGetSaddr(ipv6, way.route.oif, peer) : dst
  if (src === null) return
  const reply = ip6Alloc(ipv6, skb.len)
  if (reply === null) return
  const at = skbPut(reply, skb.len)
  copyBytes(reply.mem, at, skb.mem, skb.data, skb.len)
  reply.mem[at] = Icmpv6Type.ECHO_REPLY
  icmp6Checksum(reply, at, src, peer)
  const { path } = way
  ip6PushHeader(reply, src, peer, IpProto.ICMPV6, path.hopLimit, info.tos)
  ipv6.incIcmpOut(ipv6.devs.get(path.dev) ?? null, Icmpv6Type.ECHO_REPLY)
  ip6LocalOut(ipv6, reply, path)
}

/** An error came: the sockets of the packet it quotes are told. @kernel icmpv6_notify() net/ipv6/icmp.c */
function notifyError(ipv6: Ipv6, idev: Inet6Dev, skb: SkBuff, info: RxInfo): void {
  const { mem, data, tail } = skb
  const inner = data + ICMP_HLEN
  if (inner + IPV6_HLEN > tail || mem[inner]! >> 4 !== 6) {
    ipv6.incIcmp(idev, 'InErrors')
    return
  }
  const next = ipv6SkipExthdr(mem, inner + IPV6_HLEN, tail, mem[inner + 6]!)
  if (next === null || next.laterFragment || next.offset + ICMP_HLEN > tail) {
    ipv6.incIcmp(idev, 'InErrors')
    return
  }
  const type = mem[data]!
  const code = mem[data + 1]!
  const value = getUnalignedBe32(mem, data + 4)
  const src = ipv6AddrAt(mem, inner + 8)
  const dst = ipv6AddrAt(mem, inner + 24)
  // Only what we sent can tell us about the way.
  if (!ipv6ChkAddr(ipv6, src, null, 0)) return
  if (type === Icmpv6Type.PKT_TOOBIG) updatePmtu(ipv6, dst, value)
  const verdict = icmpv6ErrConvert(type, code)
  sockError(ipv6.inet, {
    family: AF_INET6,
    protocol: next.protocol,
    src,
    dst,
    quoted: mem.slice(inner, tail),
    headerLen: next.offset - inner,
    ifindex: info.dev.ifindex,
    errno: verdict.errno,
    fatal: verdict.fatal,
    origin: SoEeOrigin.ICMP6,
    type,
    code,
    info: type === Icmpv6Type.PKT_TOOBIG ? value : 0,
    offender: info.src,
  })
}

/** Believes a router that says a packet was too big, if it could be true. @kernel ip6_update_pmtu() net/ipv6/route.c */
function updatePmtu(ipv6: Ipv6, dst: Uint8Array, mtu: number): void {
  const route = ipv6.fib.lookup(ipv6, dst, null)
  if (route?.oif == null || route.type === RtnType.LOCAL) return
  ipv6.inet.rtGenid.bump()
  ipv6.pmtu.update(dst, mtu, ip6Mtu(ipv6, route, route.oif, dst))
}

/** What an error means to a socket: a positive errno, and whether it ends what was tried. @kernel icmpv6_err_convert() net/ipv6/icmp.c */
function icmpv6ErrConvert(type: number, code: number): { errno: number; fatal: boolean } {
  switch (type) {
    case Icmpv6Type.DEST_UNREACH:
      return (
        [
          { errno: ENETUNREACH, fatal: false },
          { errno: EACCES, fatal: true },
          { errno: EHOSTUNREACH, fatal: false },
          { errno: EHOSTUNREACH, fatal: false },
          { errno: ECONNREFUSED, fatal: true },
          { errno: EACCES, fatal: true },
          { errno: EACCES, fatal: true },
        ][code] ?? { errno: EPROTO, fatal: true }
      )
    case Icmpv6Type.PKT_TOOBIG:
      return { errno: EMSGSIZE, fatal: false }
    case Icmpv6Type.PARAMPROB:
      return { errno: EPROTO, fatal: true }
    case Icmpv6Type.TIME_EXCEED:
      return { errno: EHOSTUNREACH, fatal: false }
    default:
      return { errno: EPROTO, fatal: false }
  }
}
