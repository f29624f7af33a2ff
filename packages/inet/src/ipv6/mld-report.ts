import { cancelWork, msecsToJiffies, scheduleDelayedWork, type WorkStruct } from '@vnet/kernel'
import { Icmpv6Type } from '@vnet/wire'
import { IfaFlag } from '../types/constants.ts'
import { ipv6GetLladdr } from './addr-select.ts'
import { IN6ADDR_ANY, IN6ADDR_LINKLOCAL_ALLROUTERS, MLD2_ALL_MCR } from './address.ts'
import type { Inet6Dev } from './inet6-dev.ts'
import { igmp6GroupAdded, igmp6GroupDropped, type Ifmcaddr6 } from './mcast-group.ts'
import { Maf } from './mcast-lookup.ts'
import { mldSendV1, mldSendV2 } from './mld-send.ts'

/** What a record of a report says of a group. @kernel MLD2_MODE_IS_EXCLUDE include/uapi/linux/icmpv6.h */
export const Mld2Record = {
  MODE_IS_INCLUDE: 1,
  MODE_IS_EXCLUDE: 2,
  CHANGE_TO_INCLUDE: 3,
  CHANGE_TO_EXCLUDE: 4,
} as const

/** One record of a report. @kernel struct mld2_grec include/net/mld.h */
export interface Mld2GroupRecord {
  readonly type: number
  readonly group: Uint8Array
}

const MLD_QRV_DEFAULT = 2
const MLD_QI_DEFAULT_MS = 125_000
const MLD_QRI_DEFAULT_MS = 10_000

/** True while a router of version 1 is around. @kernel mld_in_v1_mode() net/ipv6/mcast.c */
export function mldInV1Mode(idev: Inet6Dev): boolean {
  const forced = idev.ipv6.devconfAll.forceMldVersion || idev.cnf.forceMldVersion
  if (forced === 2) return false
  return forced === 1 || (idev.mcV1Seen !== 0 && idev.ipv6.kernel.clock.jiffies < idev.mcV1Seen)
}

/** Most ticks before an unasked-for report. @kernel unsolicited_report_interval() net/ipv6/mcast.c */
function unsolicitedReportInterval(idev: Inet6Dev): number {
  const { cnf } = idev
  const ms = mldInV1Mode(idev) ? cnf.mldv1UnsolicitedReportInterval : cnf.mldv2UnsolicitedReportInterval
  return Math.max(msecsToJiffies(idev.ipv6.kernel, ms), 1)
}

/** The defaults, as long as no router says otherwise. @kernel ipv6_mc_reset() net/ipv6/mcast.c */
export function ipv6McReset(idev: Inet6Dev): void {
  const { kernel } = idev.ipv6
  idev.mcQrv = MLD_QRV_DEFAULT
  idev.mcQi = msecsToJiffies(kernel, MLD_QI_DEFAULT_MS)
  idev.mcQri = msecsToJiffies(kernel, MLD_QRI_DEFAULT_MS)
  idev.mcV1Seen = 0
  idev.mcMaxdelay = unsolicitedReportInterval(idev)
}

/** The device is up: the groups are told to card and link. @kernel ipv6_mc_up() net/ipv6/mcast.c */
export function ipv6McUp(idev: Inet6Dev): void {
  ipv6McReset(idev)
  for (const group of idev.mcList.slice()) {
    mldDelDelrec(idev, group)
    igmp6GroupAdded(group)
  }
}

/** The device goes down: the card forgets the groups, and nothing is reported any more. @kernel ipv6_mc_down() net/ipv6/mcast.c */
export function ipv6McDown(idev: Inet6Dev): void {
  for (const group of idev.mcList) igmp6GroupDropped(group)
  mldStop(idev)
}

/** All reports that were to come are off. @kernel mld_ifc_stop_work() net/ipv6/mcast.c */
export function mldStop(idev: Inet6Dev): void {
  idev.mcIfcCount = 0
  idev.mcDadCount = 0
  cancelWork(idev.mcIfcWork)
  cancelWork(idev.mcDadWork)
  cancelWork(idev.mcGqWork)
}

/** Something changed: a report follows soon, and is repeated. @kernel mld_ifc_event() net/ipv6/mcast.c */
export function mldIfcEvent(idev: Inet6Dev): void {
  if (mldInV1Mode(idev)) return
  idev.mcIfcCount = idev.mcQrv
  startWork(idev, idev.mcIfcWork, idev.mcMaxdelay)
}

function startWork(idev: Inet6Dev, work: WorkStruct, most: number): void {
  const delay = idev.ipv6.kernel.rng.below(Math.max(most, 1))
  cancelWork(work)
  scheduleDelayedWork(work, delay + 2)
}

/** Reports the changes, once more or for the last time. @kernel mld_ifc_work() net/ipv6/mcast.c */
export function mldIfcWork(idev: Inet6Dev): void {
  sendChanges(idev)
  if (idev.mcIfcCount > 0 && --idev.mcIfcCount > 0) startWork(idev, idev.mcIfcWork, idev.mcMaxdelay)
}

/** What was joined and left since, as changes of mode. @kernel mld_send_cr() net/ipv6/mcast.c */
function sendChanges(idev: Inet6Dev): void {
  const records: Mld2GroupRecord[] = []
  for (const group of idev.mcTomb.slice()) {
    if (group.crcount > 0) {
      records.push({ type: Mld2Record.CHANGE_TO_INCLUDE, group: group.addr })
      group.crcount--
    }
    if (group.crcount === 0) idev.mcTomb.splice(idev.mcTomb.indexOf(group), 1)
  }
  for (const group of idev.mcList) {
    if (group.crcount === 0 || (group.flags & Maf.NOREPORT) !== 0) continue
    records.push({ type: Mld2Record.CHANGE_TO_EXCLUDE, group: group.addr })
    group.crcount--
  }
  mldSend(idev, records)
}

/** There is a good source address now: everything is reported again from it. @kernel ipv6_mc_dad_complete() net/ipv6/mcast.c */
export function ipv6McDadComplete(idev: Inet6Dev): void {
  idev.mcDadCount = idev.mcQrv
  mldDadWork(idev)
}

/** Reports all groups, once more or for the last time. @kernel mld_dad_work() net/ipv6/mcast.c */
export function mldDadWork(idev: Inet6Dev): void {
  if (idev.mcDadCount === 0) return
  if (!mldInV1Mode(idev)) mldSendAll(idev, Mld2Record.CHANGE_TO_EXCLUDE)
  if (--idev.mcDadCount > 0) startWork(idev, idev.mcDadWork, unsolicitedReportInterval(idev))
}

/** Answers a general query: the present state of all groups. @kernel mld_gq_work() net/ipv6/mcast.c */
export function mldGqWork(idev: Inet6Dev): void {
  mldSendAll(idev, Mld2Record.MODE_IS_EXCLUDE)
}

/** A general query came: an answer follows within `most` ticks. @kernel mld_gq_start_work() net/ipv6/mcast.c */
export function mldGqStart(idev: Inet6Dev, most: number): void {
  startWork(idev, idev.mcGqWork, most)
}

function mldSendAll(idev: Inet6Dev, type: number): void {
  const groups = idev.mcList.filter((group) => (group.flags & Maf.NOREPORT) === 0)
  mldSend(
    idev,
    groups.map((group) => ({ type, group: group.addr })),
  )
}

/** Sends a report from the link-local address, or from `::` while there is none. @kernel mld_sendpack() net/ipv6/mcast.c */
export function mldSend(idev: Inet6Dev, records: readonly Mld2GroupRecord[]): void {
  if (records.length === 0 || idev.dead) return
  const src = ipv6GetLladdr(idev.ipv6, idev.dev, IfaFlag.TENTATIVE) ?? IN6ADDR_ANY
  mldSendV2(idev, src, MLD2_ALL_MCR, records)
}

// ── leaving

/** The group was left: a report will say so. @kernel igmp6_leave_group() net/ipv6/mcast.c */
export function igmp6LeaveGroup(group: Ifmcaddr6): void {
  const { idev } = group
  if (mldInV1Mode(idev)) {
    if ((group.flags & Maf.LAST_REPORTER) !== 0)
      mldSendV1(idev, Icmpv6Type.MGM_REDUCTION, group.addr, IN6ADDR_LINKLOCAL_ALLROUTERS)
    return
  }
  group.crcount = idev.mcQrv
  idev.mcTomb.push(group)
  mldIfcEvent(idev)
}

/** It is joined again before that. @kernel mld_del_delrec() net/ipv6/mcast.c */
export function mldDelDelrec(idev: Inet6Dev, group: Ifmcaddr6): void {
  const at = idev.mcTomb.findIndex((other) => other.addr.every((byte, i) => byte === group.addr[i]))
  if (at >= 0) idev.mcTomb.splice(at, 1)
}

/** Version 1: reports a group that was joined, now and once more. @kernel igmp6_join_group() net/ipv6/mcast.c */
export function igmp6JoinGroup(group: Ifmcaddr6): void {
  const { idev } = group
  mldSendV1(idev, Icmpv6Type.MGM_REPORT, group.addr, group.addr)
  startWork(idev, group.work, unsolicitedReportInterval(idev))
  group.flags |= Maf.TIMER_RUNNING | Maf.LAST_REPORTER
}

/** Has a group answer a query within `most` ticks; a sooner answer stays. @kernel igmp6_group_queried() net/ipv6/mcast.c */
export function igmp6GroupQueried(group: Ifmcaddr6, most: number): void {
  if ((group.flags & Maf.NOREPORT) !== 0) return
  startWork(group.idev, group.work, most)
  group.flags |= Maf.TIMER_RUNNING
}
