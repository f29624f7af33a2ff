import { allocSkb, skbPut, skbReserve } from '@vnet/netdev'
import { inetChecksum, putUnalignedBe16, putUnalignedBe32 } from '@vnet/wire'
import { ipLocalOut } from '../ipv4/output.ts'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { ipRouteOutput, isRoute } from '../ipv4/route.ts'
import { IP_DF } from '../ipv4/header.ts'
import { IpProto } from '../types/constants.ts'
import type { InDevice } from './in-device.ts'

/** What a record of a report says. @kernel IGMPV3_MODE_IS_INCLUDE include/uapi/linux/igmp.h */
export const IgmpRecordType = { MODE_IS_EXCLUDE: 2, CHANGE_TO_INCLUDE: 3, CHANGE_TO_EXCLUDE: 4 } as const

/** A group and what is said of it. @kernel struct igmpv3_grec include/uapi/linux/igmp.h */
export interface IgmpRecord {
  readonly type: number
  readonly address: number
}

/** All routers that speak version 3. @kernel IGMPV3_ALL_MCR include/uapi/linux/igmp.h */
const IGMPV3_ALL_MCR = 0xe0000016
const REPORT = 0x22
/** The header has one option: every router on the way shall look. */
const HLEN = 24
const ROUTER_ALERT = 0x94040000
const HEADROOM = 64

/** Sends a version 3 report, in as many packets as the link needs. @kernel igmpv3_sendpack() net/ipv4/igmp.c */
export function igmpSendReport(ipv4: Ipv4, inDev: InDevice, records: readonly IgmpRecord[]): void {
  const most = Math.max(1, Math.floor((inDev.dev.mtu - HLEN - 8) / 8))
  for (let at = 0; at < records.length; at += most) send(ipv4, inDev, records.slice(at, at + most))
}

function send(ipv4: Ipv4, inDev: InDevice, records: readonly IgmpRecord[]): void {
  const rt = ipRouteOutput(ipv4, IGMPV3_ALL_MCR, { oif: inDev.dev })
  if (!isRoute(rt)) return
  const len = 8 + records.length * 8
  const skb = allocSkb(ipv4.kernel, HEADROOM + HLEN + len)
  if (skb === null) return
  skbReserve(skb, HEADROOM)
  const at = skbPut(skb, HLEN + len)
  const { mem } = skb
  mem.fill(0, at, at + HLEN + len)
  mem[at] = 0x46
  mem[at + 1] = 0xc0
  putUnalignedBe16(IP_DF, mem, at + 6)
  mem[at + 8] = 1
  mem[at + 9] = IpProto.IGMP
  putUnalignedBe32(rt.src, mem, at + 12)
  putUnalignedBe32(rt.dst, mem, at + 16)
  putUnalignedBe32(ROUTER_ALERT, mem, at + 20)
  const body = at + HLEN
  mem[body] = REPORT
  putUnalignedBe16(records.length, mem, body + 6)
  records.forEach((record, i) => {
    mem[body + 8 + i * 8] = record.type
    putUnalignedBe32(record.address, mem, body + 12 + i * 8)
  })
  putUnalignedBe16(inetChecksum(mem, body, len), mem, body + 2)
  ipLocalOut(ipv4, skb, rt, true)
}
