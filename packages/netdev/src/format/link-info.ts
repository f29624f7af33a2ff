import type { Kernel } from '@vnet/kernel'
import { Arphrd, IfLinkMode, IfOper, Iff } from '../constants.ts'
import { formatMac } from '../eth-addr.ts'
import { devGetFlags } from '../flags.ts'
import { devGetStats } from '../get-stats.ts'
import { forEachNetdev } from '../lookup.ts'
import type { NetDevice } from '../netdevice.ts'
import { netifRunning } from '../running.ts'
import type { RtnlLinkStats64 } from '../stats.ts'

/**
 * What the kernel tells of a link, as a plain record: everything `ip link` prints.
 *
 * @kernel rtnl_fill_ifinfo() net/core/rtnetlink.c
 */
export interface LinkInfo {
  ifindex: number
  ifname: string
  /** The device below or at the other end, and whether it is down. */
  link: string | null
  linkDown: boolean
  /** As user space sees them, see `devGetFlags`. */
  flags: number
  mtu: number
  qdisc: string
  operstate: string
  linkmode: string
  group: number
  txqlen: number
  linkType: string
  address: string
  broadcast: string
  /** Null when the device has none of its own. */
  permaddr: string | null
  ifalias: string
  promiscuity: number
  allmulti: number
  minMtu: number
  maxMtu: number
  kind: string | null
  /** How IPv6 makes its addresses; null without IPv6. */
  addrGenMode: string | null
  numTxQueues: number
  numRxQueues: number
  gsoMaxSize: number
  gsoMaxSegs: number
  tsoMaxSize: number
  tsoMaxSegs: number
  groMaxSize: number
  parentBus: string | null
  parentDev: string | null
  stats: RtnlLinkStats64
  carrierChanges: number
  /** The device it is a part of. */
  master?: string
  /** What a notification is about: `FEATURE CHANGE`. */
  event?: string
  altnames?: readonly string[]
}

const OPERSTATES: readonly string[] = Object.keys(IfOper)
const LINKMODES: readonly string[] = Object.keys(IfLinkMode)

/** The record of one device. @kernel rtnl_fill_ifinfo() net/core/rtnetlink.c */
export function linkInfo(dev: NetDevice<any>): LinkInfo {
  const lower = dev.iflink === 0 ? undefined : dev.net.devByIndex.get(dev.iflink)
  return {
    ifindex: dev.ifindex,
    ifname: dev.name,
    link: dev.iflink === 0 ? null : (lower?.name ?? `if${dev.iflink}`),
    linkDown: dev.iflink !== 0 && ((lower?.flags ?? 0) & Iff.UP) === 0,
    flags: devGetFlags(dev),
    mtu: dev.mtu,
    qdisc: dev.qdisc.id,
    operstate: OPERSTATES[netifRunning(dev) ? dev.operstate : IfOper.DOWN]!,
    linkmode: LINKMODES[dev.linkmode] ?? String(dev.linkmode),
    group: dev.group,
    txqlen: dev.txQueueLen,
    linkType: linkTypeName(dev.type),
    address: formatMac(dev.devAddr),
    broadcast: formatMac(dev.broadcast),
    permaddr: dev.permAddr.every((byte) => byte === 0) ? null : formatMac(dev.permAddr),
    ifalias: dev.ifalias,
    promiscuity: dev.promiscuity,
    allmulti: dev.allmulti,
    minMtu: dev.minMtu,
    maxMtu: dev.maxMtu,
    kind: dev.linkKind,
    addrGenMode: dev.addrGenMode,
    numTxQueues: dev.numTxQueues,
    numRxQueues: dev.numRxQueues,
    gsoMaxSize: dev.gsoMaxSize,
    gsoMaxSegs: dev.gsoMaxSegs,
    tsoMaxSize: dev.tsoMaxSize,
    tsoMaxSegs: dev.tsoMaxSegs,
    groMaxSize: dev.groMaxSize,
    parentBus: dev.parentBus,
    parentDev: dev.parentDev,
    stats: devGetStats(dev),
    carrierChanges: dev.carrierUpCount + dev.carrierDownCount,
  }
}

/** The records of all devices, by interface index. @kernel rtnl_dump_ifinfo() net/core/rtnetlink.c */
export function linkInfos(kernel: Kernel): LinkInfo[] {
  return forEachNetdev(kernel).map(linkInfo)
}

/** The word for a hardware type. @kernel none */
export function linkTypeName(type: number): string {
  if (type === Arphrd.ETHER) return 'ether'
  if (type === Arphrd.LOOPBACK) return 'loopback'
  if (type === Arphrd.NONE) return 'none'
  return `[${type}]`
}
