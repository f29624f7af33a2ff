import {
  CHECKSUM_UNNECESSARY,
  pskbMayPull,
  type SkBuff,
  skbAllocFrom,
  skbLinearize,
  skbPut,
  skbReserve,
} from '@vnet/netdev'
import { getUnalignedBe16, getUnalignedBe32, inetChecksum, putUnalignedBe32 } from '@vnet/wire'
import { addrTypeDev } from '../fib/addr-type.ts'
import { pingDeliver } from '../sock/ping-rcv.ts'
import { sockError } from '../sock/error.ts'
import type { RxInfo } from '../sock/transport.ts'
import { RtnType, SoEeOrigin } from '../types/constants.ts'
import { icmpErrno } from './icmp-errno.ts'
import { icmpPush, NR_ICMP_TYPES } from './icmp-send.ts'
import type { Ipv4 } from './ipv4.ts'
import { ipRouteOutputKey, isRoute } from './route.ts'

const ICMP_HLEN = 8
const HEADROOM = 64
const ECHOREPLY = 0
const UNREACH = 3
const QUENCH = 4
const ECHO = 8
const EXCEEDED = 11
const PROBLEM = 12
const STAMP = 13

/** Receives ICMP; data stands at its header. The packet stays the caller's. @kernel icmp_rcv() net/ipv4/icmp.c */
export function icmpRcv(ipv4: Ipv4, skb: SkBuff, info: RxInfo): void {
  const { icmp } = ipv4
  icmp.inMsgs++
  if (!skbLinearize(skb)) return
  if (skb.ipSummed !== CHECKSUM_UNNECESSARY && inetChecksum(skb.mem, skb.data, skb.len) !== 0) {
    icmp.inCsumErrors++
    icmp.inErrors++
    return
  }
  if (!pskbMayPull(skb, ICMP_HLEN)) {
    icmp.inErrors++
    return
  }
  const type = skb.mem[skb.data]!
  icmp.inType[type]!++
  if (type > NR_ICMP_TYPES || ((info.broadcast || info.multicast) && !answersAll(ipv4, type))) {
    icmp.inErrors++
    return
  }
  if (!dispatch(ipv4, skb, info, type)) icmp.inErrors++
}

/** @returns false for a broken message */
function dispatch(ipv4: Ipv4, skb: SkBuff, info: RxInfo, type: number): boolean {
  switch (type) {
    case ECHOREPLY:
      pingDeliver(ipv4.inet, skb, info)
      return true
    case ECHO:
      if (!ipv4.sysctl.icmpEchoIgnoreAll) echo(ipv4, skb, info)
      return true
    case STAMP:
      return timestamp(ipv4, skb, info)
    case UNREACH:
    case QUENCH:
    case EXCEEDED:
    case PROBLEM:
      return unreach(ipv4, skb, info, type)
    default:
      // Redirects are not followed, and the answers to what we never ask are counted only.
      return true
  }
}

function answersAll(ipv4: Ipv4, type: number): boolean {
  if (type === ECHO || type === STAMP) return !ipv4.sysctl.icmpEchoIgnoreBroadcasts
  return false
}

/** @kernel icmp_echo() net/ipv4/icmp.c */
function echo(ipv4: Ipv4, skb: SkBuff, info: RxInfo): void {
  reply(ipv4, skb, info, ECHOREPLY, skb.len)
}

/** @kernel icmp_timestamp() net/ipv4/icmp.c */
function timestamp(ipv4: Ipv4, skb: SkBuff, info: RxInfo): boolean {
  if (skb.len < 12) return false
  reply(ipv4, skb, info, 14, 20)
  return true
}

/** @kernel icmp_reply() net/ipv4/icmp.c */
function reply(ipv4: Ipv4, skb: SkBuff, info: RxInfo, type: number, len: number): void {
  const src = info.broadcast || info.multicast ? 0 : getUnalignedBe32(info.dst, 0)
  const rt = ipRouteOutputKey(ipv4, getUnalignedBe32(info.src, 0), src, null, info.tos & 0x1e)
  if (!isRoute(rt) || (rt.type !== RtnType.UNICAST && rt.type !== RtnType.LOCAL)) return
  const answer = skbAllocFrom(skb.cache, HEADROOM + len)
  if (answer === null) return
  skbReserve(answer, HEADROOM)
  const at = skbPut(answer, len)
  ipv4.copier.copy(answer.shinfo, at, skb.mem, skb.data, Math.min(len, skb.len))
  if (type === 14) stamp(ipv4, answer.mem, at)
  const rest = getUnalignedBe32(skb.mem, skb.data + 4)
  icmpPush(ipv4, answer, type, 0, rest, info.tos, rt)
}

/** Milliseconds of the day twice: received and sent. Day begins at boot. */
function stamp(ipv4: Ipv4, mem: Uint8Array, at: number): void {
  const now = Math.floor(ipv4.kernel.clock.ktimeGet() / 1_000_000) % 86_400_000
  putUnalignedBe32(now, mem, at + 12)
  putUnalignedBe32(now, mem, at + 16)
}

/** An error about something we sent. @kernel icmp_unreach() net/ipv4/icmp.c */
function unreach(ipv4: Ipv4, skb: SkBuff, info: RxInfo, type: number): boolean {
  const { mem, data } = skb
  const inner = data + ICMP_HLEN
  if (skb.tail - inner < 20) return false
  const headerLen = (mem[inner]! & 15) * 4
  const code = mem[data + 1]!
  if (headerLen < 20 || mem[inner]! >>> 4 !== 4) return false
  if (type === UNREACH && (code & 15) !== code) return true
  const dst = getUnalignedBe32(mem, inner + 16)
  // Only a broken host reports about what went to all.
  if (addrTypeDev(ipv4, null, dst) === RtnType.BROADCAST) return true
  if (skb.tail - inner < headerLen + 8) return false
  const mtu = type === UNREACH && code === 4 ? getUnalignedBe16(mem, data + 6) : 0
  const said = icmpErrno(type, code)
  if (mtu !== 0 && !isOurs(ipv4, dst)) {
    ipv4.pathMtu.learn(dst, mtu)
    ipv4.inet.rtGenid.bump()
  }
  sockError(ipv4.inet, {
    family: 2,
    protocol: mem[inner + 9]!,
    src: mem.slice(inner + 12, inner + 16),
    dst: mem.slice(inner + 16, inner + 20),
    quoted: mem.slice(inner, skb.tail),
    headerLen,
    ifindex: info.dev.ifindex,
    errno: said.errno,
    fatal: said.fatal,
    origin: SoEeOrigin.ICMP,
    type,
    code,
    info: type === PROBLEM ? mem[data + 4]! : mtu,
    offender: info.src,
  })
  return true
}

function isOurs(ipv4: Ipv4, address: number): boolean {
  return addrTypeDev(ipv4, null, address) === RtnType.LOCAL
}
