import { IfOper, devGetFlags, netifCarrierOk, netifRunning } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import type { NlWriter } from '../codec/writer.ts'
import type { NetlinkServer } from '../core/server.ts'
import { Af, IFLA_INET6_ADDR_GEN_MODE, IFLA_XDP_ATTACHED, Ifla, IflaInfo } from './constants.ts'
import { rtnetlinkOf } from './rtnl.ts'
import { putStats } from './stats.ts'

/** What of a link a message is about. */
export interface LinkFill {
  /** Flag bits that changed. */
  readonly change?: number
  /** Bits of `RtextFilter`. */
  readonly extMask?: number
  /** What happened, for those who want to tell events apart. @kernel enum rtnl_link_event include/uapi/linux/if_link.h */
  readonly event?: number
}

const ADDR_GEN_MODES: readonly string[] = ['eui64', 'none', 'stable_secret', 'random']

/**
 * Writes all that is known of a link, in the order of Linux 6.1.
 *
 * @kernel rtnl_fill_ifinfo() net/core/rtnetlink.c
 */
export function rtnlFillIfinfo(
  server: NetlinkServer,
  w: NlWriter,
  dev: NetDevice<any>,
  what: LinkFill = {},
): void {
  const extMask = what.extMask ?? 0
  w.u8(Af.UNSPEC)
  w.u8(0)
  w.u16(dev.type)
  w.u32(dev.ifindex)
  w.u32(devGetFlags(dev))
  w.u32(what.change ?? 0)
  putSettings(w, dev)
  putState(w, dev)
  if (what.event !== undefined) w.putU32(Ifla.EVENT, what.event)
  w.attr(Ifla.MAP, 32)
  if (dev.addrLen > 0) {
    w.putBinary(Ifla.ADDRESS, dev.devAddr.subarray(0, dev.addrLen))
    w.putBinary(Ifla.BROADCAST, dev.broadcast.subarray(0, dev.addrLen))
  }
  // Also with SKIP_STATS: in Linux 6.1 that is about the counters of the protocol stacks.
  putStats(w, dev, { stats64: Ifla.STATS64, stats: Ifla.STATS })
  const xdp = w.nestStartNoflag(Ifla.XDP)
  w.putU8(IFLA_XDP_ATTACHED, 0)
  w.nestEnd(xdp)
  putKind(w, dev)
  if (dev.permAddr.some((byte) => byte !== 0)) {
    w.putBinary(Ifla.PERM_ADDRESS, dev.permAddr.subarray(0, dev.addrLen))
  }
  putAfSpec(server, w, dev, extMask)
  if (dev.parentDev !== null) w.putString(Ifla.PARENT_DEV_NAME, dev.parentDev)
  if (dev.parentBus !== null) w.putString(Ifla.PARENT_DEV_BUS_NAME, dev.parentBus)
}

function putSettings(w: NlWriter, dev: NetDevice<any>): void {
  w.putString(Ifla.IFNAME, dev.name)
  w.putU32(Ifla.TXQLEN, dev.txQueueLen)
  w.putU8(Ifla.OPERSTATE, netifRunning(dev) ? dev.operstate : IfOper.DOWN)
  w.putU8(Ifla.LINKMODE, dev.linkmode)
  w.putU32(Ifla.MTU, dev.mtu)
  w.putU32(Ifla.MIN_MTU, dev.minMtu)
  w.putU32(Ifla.MAX_MTU, dev.maxMtu)
  w.putU32(Ifla.GROUP, dev.group)
  w.putU32(Ifla.PROMISCUITY, dev.promiscuity)
  w.putU32(Ifla.ALLMULTI, dev.allmulti)
  w.putU32(Ifla.NUM_TX_QUEUES, dev.numTxQueues)
  w.putU32(Ifla.GSO_MAX_SEGS, dev.gsoMaxSegs)
  w.putU32(Ifla.GSO_MAX_SIZE, dev.gsoMaxSize)
  w.putU32(Ifla.GRO_MAX_SIZE, dev.groMaxSize)
  w.putU32(Ifla.TSO_MAX_SIZE, dev.tsoMaxSize)
  w.putU32(Ifla.TSO_MAX_SEGS, dev.tsoMaxSegs)
  w.putU32(Ifla.NUM_RX_QUEUES, dev.numRxQueues)
}

function putState(w: NlWriter, dev: NetDevice<any>): void {
  w.putU8(Ifla.CARRIER, netifCarrierOk(dev) ? 1 : 0)
  w.putString(Ifla.QDISC, dev.qdisc.id)
  if (dev.ifalias !== '') w.putString(Ifla.IFALIAS, dev.ifalias)
  w.putU32(Ifla.CARRIER_CHANGES, dev.carrierUpCount + dev.carrierDownCount)
  w.putU32(Ifla.CARRIER_UP_COUNT, dev.carrierUpCount)
  w.putU32(Ifla.CARRIER_DOWN_COUNT, dev.carrierDownCount)
  w.putU8(Ifla.PROTO_DOWN, 0)
}

/** @kernel rtnl_link_fill(), rtnl_fill_link_netnsid() net/core/rtnetlink.c */
function putKind(w: NlWriter, dev: NetDevice<any>): void {
  if (dev.linkKind !== null) {
    const at = w.nestStartNoflag(Ifla.LINKINFO)
    w.putString(IflaInfo.KIND, dev.linkKind)
    w.nestEnd(at)
  }
  if (dev.iflink !== 0 && dev.iflink !== dev.ifindex) w.putU32(Ifla.LINK, dev.iflink)
}

/** What the protocol stacks add. Without IPv6's own part, what netdev knows of it. @kernel rtnl_fill_link_af() net/core/rtnetlink.c */
function putAfSpec(server: NetlinkServer, w: NlWriter, dev: NetDevice<any>, extMask: number): void {
  const { afOps } = rtnetlinkOf(server)
  const spec = w.nestStartNoflag(Ifla.AF_SPEC)
  for (const ops of afOps.values()) {
    const at = w.nestStartNoflag(ops.family)
    if (ops.fillLinkAf(w, dev, extMask)) w.nestEnd(at)
    else w.trim(at)
  }
  const mode = dev.addrGenMode === null ? -1 : ADDR_GEN_MODES.indexOf(dev.addrGenMode)
  if (!afOps.has(Af.INET6) && mode >= 0) {
    const at = w.nestStartNoflag(Af.INET6)
    w.putU8(IFLA_INET6_ADDR_GEN_MODE, mode)
    w.nestEnd(at)
  }
  w.nestEnd(spec)
}
