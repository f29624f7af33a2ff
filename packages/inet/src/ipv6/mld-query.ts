import { cancelWork, msecsToJiffies } from '@vnet/kernel'
import { getUnalignedBe16, Icmpv6Type } from '@vnet/wire'
import { Ipv6AddrType, ipv6AddrAt, ipv6AddrType } from './address.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import { type Ifmcaddr6 } from './mcast-group.ts'
import { Maf, mcLookup } from './mcast-lookup.ts'
import { igmp6GroupQueried, Mld2Record, mldGqStart, mldInV1Mode, mldSend } from './mld-report.ts'
import { mldSendV1 } from './mld-send.ts'

/** Fields of a message, its ICMP header at `at`. */
const MAX_DELAY = 4
const GROUP = 8
const QRV = 24
const QQIC = 25
const V1_LENGTH = 24
const V2_LENGTH = 28

/** A group answers: in version 1 with a report of its own, else with a record of its state. @kernel mld_report_work() net/ipv6/mcast.c */
export function mldGroupWork(group: Ifmcaddr6): void {
  const { idev } = group
  if (mldInV1Mode(idev)) mldSendV1(idev, Icmpv6Type.MGM_REPORT, group.addr, group.addr)
  else mldSend(idev, [{ type: Mld2Record.MODE_IS_EXCLUDE, group: group.addr }])
  group.flags = (group.flags & ~Maf.TIMER_RUNNING) | Maf.LAST_REPORTER
}

/**
 * A router asks which groups there are. The ICMP header is at `at`, the message has `len` bytes.
 *
 * @kernel igmp6_event_query() net/ipv6/mcast.c
 */
export function igmp6EventQuery(
  idev: Inet6Dev,
  mem: Uint8Array,
  at: number,
  len: number,
  src: Uint8Array,
  hopLimit: number,
): void {
  if ((ipv6AddrType(src) & Ipv6AddrType.LINKLOCAL) === 0 || hopLimit !== 1) return
  if (len !== V1_LENGTH && len < V2_LENGTH) return
  const group = ipv6AddrAt(mem, at + GROUP)
  const type = ipv6AddrType(group)
  if (type !== Ipv6AddrType.ANY && (type & Ipv6AddrType.MULTICAST) === 0) return
  const most = len === V1_LENGTH ? processV1(idev, mem, at) : processV2(idev, mem, at)
  if (most === 0) return
  if (type !== Ipv6AddrType.ANY) {
    const known = mcLookup(idev, group)
    if (known !== null) igmp6GroupQueried(known, most)
  } else if (len === V1_LENGTH || mldInV1Mode(idev)) {
    for (const known of idev.mcList) igmp6GroupQueried(known, most)
  } else mldGqStart(idev, most)
}

/** A router of version 1 is here: its way for a while. @returns the ticks to answer in @kernel mld_process_v1() net/ipv6/mcast.c */
function processV1(idev: Inet6Dev, mem: Uint8Array, at: number): number {
  if (idev.ipv6.devconfAll.forceMldVersion === 2 || idev.cnf.forceMldVersion === 2) return 0
  const { kernel } = idev.ipv6
  const most = Math.max(msecsToJiffies(kernel, getUnalignedBe16(mem, at + MAX_DELAY)), 1)
  idev.mcV1Seen = kernel.clock.jiffies + idev.mcQrv * idev.mcQi + most
  cancelWork(idev.mcGqWork)
  cancelWork(idev.mcIfcWork)
  idev.mcIfcCount = 0
  return most
}

/** @returns the ticks to answer in @kernel mld_process_v2() net/ipv6/mcast.c */
function processV2(idev: Inet6Dev, mem: Uint8Array, at: number): number {
  const { kernel } = idev.ipv6
  const most = Math.max(msecsToJiffies(kernel, mldv2Time(getUnalignedBe16(mem, at + MAX_DELAY), 12)), 1)
  idev.mcMaxdelay = most
  const qrv = mem[at + QRV]! & 7
  idev.mcQrv = qrv === 0 ? 2 : qrv
  const qqi = mldv2Time(mem[at + QQIC]!, 4)
  if (qqi !== 0) idev.mcQi = qqi * kernel.clock.hz
  idev.mcQri = most
  return most
}

/** A number above the top bit is a mantissa of `bits` bits and an exponent of 3. @kernel mldv2_mrc() net/ipv6/mcast.c */
function mldv2Time(code: number, bits: number): number {
  const top = 1 << (bits + 3)
  if (code < top) return code
  const mantissa = code & ((1 << bits) - 1)
  const exponent = (code >> bits) & 7
  return (mantissa | (1 << bits)) << (exponent + 3)
}

/** Version 1: somebody else reported the group, so we need not. @kernel igmp6_event_report() net/ipv6/mcast.c */
export function igmp6EventReport(idev: Inet6Dev, mem: Uint8Array, at: number, len: number): void {
  if (len < V1_LENGTH) return
  const group = mcLookup(idev, mem, at + GROUP)
  if (group === null) return
  cancelWork(group.work)
  group.flags &= ~(Maf.LAST_REPORTER | Maf.TIMER_RUNNING)
}
