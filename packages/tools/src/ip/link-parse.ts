import { IfLinkMode, IfOper, linkTypeName, RtnlLinkStats64 } from '@vnet/netdev'
import type { LinkInfo } from '@vnet/netdev'
import { Af, Ifla, IFLA_INET6_ADDR_GEN_MODE, IflaInfo, RTNL_LINK_STATS64_ORDER } from '@vnet/netlink'
import type { AttrMap } from '../nl/attrs.ts'
import type { NlReply } from '../nl/message.ts'
import { IFINFOMSG } from './context.ts'

const OPERSTATES: readonly string[] = Object.keys(IfOper)
const LINKMODES: readonly string[] = Object.keys(IfLinkMode)
const ADDR_GEN_MODES: readonly string[] = ['eui64', 'none', 'stable_secret', 'random']
const EVENTS: readonly string[] = [
  'NONE',
  'REBOOT',
  'FEATURE CHANGE',
  'BONDING FAILOVER',
  'NOTIFY PEERS',
  'RESEND IGMP',
  'BONDING OPTION',
]

/** A link as a message tells it, or null for one without a name. @param name - gives the name of another device by its number @kernel print_linkinfo() none */
export function parseLink(reply: NlReply, name: (ifindex: number) => string): LinkInfo | null {
  const tb = reply.attrs(IFINFOMSG)
  const ifname = tb.text(Ifla.IFNAME)
  if (ifname === undefined) return null
  const kind = tb.nest(Ifla.LINKINFO).text(IflaInfo.KIND)
  const type = reply.u16(2)
  return {
    ifindex: reply.s32(4),
    ifname,
    flags: reply.u32(8),
    linkType: linkTypeName(type),
    ...below(tb, name),
    ...state(tb),
    ...addresses(tb),
    ...limits(tb),
    kind: kind ?? null,
    addrGenMode: addrGenMode(tb),
    parentBus: tb.text(Ifla.PARENT_DEV_BUS_NAME) ?? null,
    parentDev: tb.text(Ifla.PARENT_DEV_NAME) ?? null,
    stats: parseStats64(tb, Ifla.STATS64),
    carrierChanges: tb.u32(Ifla.CARRIER_CHANGES) ?? 0,
    ...extras(tb, name),
  }
}

function below(tb: AttrMap, name: (ifindex: number) => string) {
  const link = tb.u32(Ifla.LINK)
  if (link === undefined) return { link: null, linkDown: false }
  return { link: link === 0 ? 'NONE' : name(link), linkDown: false }
}

function state(tb: AttrMap) {
  const oper = tb.u8(Ifla.OPERSTATE) ?? 0
  const mode = tb.u8(Ifla.LINKMODE) ?? 0
  return {
    mtu: tb.s32(Ifla.MTU) ?? 0,
    qdisc: tb.text(Ifla.QDISC) ?? '',
    operstate: OPERSTATES[oper] ?? `${oper}`,
    linkmode: LINKMODES[mode] ?? `${mode}`,
    group: tb.u32(Ifla.GROUP) ?? 0,
    txqlen: tb.u32(Ifla.TXQLEN) ?? 0,
    ifalias: tb.text(Ifla.IFALIAS) ?? '',
  }
}

function addresses(tb: AttrMap) {
  const permaddr = tb.binary(Ifla.PERM_ADDRESS)
  return {
    address: lladdrText(tb.binary(Ifla.ADDRESS)),
    broadcast: lladdrText(tb.binary(Ifla.BROADCAST)),
    permaddr: permaddr === undefined ? null : lladdrText(permaddr),
  }
}

function limits(tb: AttrMap) {
  return {
    promiscuity: tb.u32(Ifla.PROMISCUITY) ?? 0,
    allmulti: tb.u32(Ifla.ALLMULTI) ?? 0,
    minMtu: tb.u32(Ifla.MIN_MTU) ?? 0,
    maxMtu: tb.u32(Ifla.MAX_MTU) ?? 0,
    numTxQueues: tb.u32(Ifla.NUM_TX_QUEUES) ?? 0,
    numRxQueues: tb.u32(Ifla.NUM_RX_QUEUES) ?? 0,
    gsoMaxSize: tb.u32(Ifla.GSO_MAX_SIZE) ?? 0,
    gsoMaxSegs: tb.u32(Ifla.GSO_MAX_SEGS) ?? 0,
    tsoMaxSize: tb.u32(Ifla.TSO_MAX_SIZE) ?? 0,
    tsoMaxSegs: tb.u32(Ifla.TSO_MAX_SEGS) ?? 0,
    groMaxSize: tb.u32(Ifla.GRO_MAX_SIZE) ?? 0,
  }
}

function addrGenMode(tb: AttrMap): string | null {
  const mode = tb.nest(Ifla.AF_SPEC).nest(Af.INET6).u8(IFLA_INET6_ADDR_GEN_MODE)
  return mode === undefined ? null : (ADDR_GEN_MODES[mode] ?? `${mode}`)
}

function extras(tb: AttrMap, name: (ifindex: number) => string) {
  const master = tb.u32(Ifla.MASTER)
  const event = tb.u32(Ifla.EVENT) ?? 0
  const altnames = tb.texts(Ifla.PROP_LIST)
  return {
    ...(master === undefined ? {} : { master: name(master) }),
    ...(event === 0 ? {} : { event: EVENTS[event] ?? `${event}` }),
    ...(altnames.length === 0 ? {} : { altnames }),
  }
}

/** An address of the link layer as hexadecimal bytes. @kernel ll_addr_n2a() none */
export function lladdrText(bytes: Uint8Array | undefined): string {
  return Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, '0')).join(':')
}

/** Counters out of `struct rtnl_link_stats64`; an older, shorter one leaves the last at 0. @kernel struct rtnl_link_stats64 include/uapi/linux/if_link.h */
export function parseStats64(tb: AttrMap, type: number): RtnlLinkStats64 {
  const stats = new RtnlLinkStats64()
  const bytes = tb.binary(type) ?? new Uint8Array(0)
  const view = new DataView(bytes.buffer)
  for (const [i, name] of RTNL_LINK_STATS64_ORDER.entries()) {
    if (8 * i + 8 <= bytes.length) stats[name] = view.getBigUint64(8 * i, true)
  }
  return stats
}
