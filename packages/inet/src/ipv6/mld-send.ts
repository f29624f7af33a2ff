import { skbPut } from '@vnet/netdev'
import { Icmpv6Type, IpProto, putUnalignedBe16 } from '@vnet/wire'
import { IfaFlag } from '../types/constants.ts'
import { ipv6GetLladdr } from './addr-select.ts'
import { IN6ADDR_ANY } from './address.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import type { Mld2GroupRecord } from './mld-report.ts'
import { ip6LocalOut } from './output.ts'
import { icmp6Checksum, ip6Alloc, ip6PushHeader } from './header.ts'

/** Hop-by-hop header: router alert with value 0, padded to 8 bytes. @kernel mld_newpack() net/ipv6/mcast.c */
const ROUTER_ALERT = Uint8Array.of(IpProto.ICMPV6, 0, 5, 2, 0, 0, 1, 0)
const HOP_LIMIT = 1
const RECORD_LENGTH = 20
const REPORT_HEAD = 8
const V1_LENGTH = 24

/** Sends reports of version 2, as many as the records need. @kernel mld_sendpack() net/ipv6/mcast.c */
export function mldSendV2(
  idev: Inet6Dev,
  src: Uint8Array,
  dst: Uint8Array,
  records: readonly Mld2GroupRecord[],
): void {
  const room = idev.dev.mtu - 40 - ROUTER_ALERT.length - REPORT_HEAD
  const most = Math.max(Math.floor(room / RECORD_LENGTH), 1)
  for (let from = 0; from < records.length; from += most) {
    const part = records.slice(from, from + most)
    const body = new Uint8Array(REPORT_HEAD + part.length * RECORD_LENGTH)
    body[0] = Icmpv6Type.MLD2_REPORT
    putUnalignedBe16(part.length, body, 6)
    part.forEach(({ type, group }, i) => {
      const at = REPORT_HEAD + i * RECORD_LENGTH
      body[at] = type
      body.set(group, at + 4)
    })
    send(idev, src, dst, body)
  }
}

/** Sends a report or a "done" of version 1. @kernel igmp6_send() net/ipv6/mcast.c */
export function mldSendV1(idev: Inet6Dev, type: number, group: Uint8Array, dst: Uint8Array): void {
  const body = new Uint8Array(V1_LENGTH)
  body[0] = type
  body.set(group, 8)
  const src = ipv6GetLladdr(idev.ipv6, idev.dev, IfaFlag.TENTATIVE) ?? IN6ADDR_ANY
  send(idev, src, dst, body)
}

function send(idev: Inet6Dev, src: Uint8Array, dst: Uint8Array, body: Uint8Array): void {
  const { ipv6, dev } = idev
  const skb = ip6Alloc(ipv6, ROUTER_ALERT.length + body.length)
  if (skb === null) return
  const at = skbPut(skb, ROUTER_ALERT.length + body.length)
  skb.mem.set(ROUTER_ALERT, at)
  skb.mem.set(body, at + ROUTER_ALERT.length)
  icmp6Checksum(skb, at + ROUTER_ALERT.length, src, dst)
  ip6PushHeader(skb, src, dst, IpProto.HOPOPTS, HOP_LIMIT)
  ipv6.incIcmpOut(idev, body[0]!)
  ip6LocalOut(ipv6, skb, { dev, nextHop: dst, mtu: dev.mtu, loop: true })
}
