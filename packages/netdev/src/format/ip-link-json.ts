import { linkFlagNames } from './ip-link-flags.ts'
import { groupName, type IpLinkOptions } from './ip-link-options.ts'
import type { LinkInfo } from './link-info.ts'

/** A value iproute2's JSON writer prints. @kernel none */
export type JsonValue = number | bigint | string | readonly string[] | JsonRecord

/** Keys in the order they are printed. @kernel none */
export interface JsonRecord {
  readonly [key: string]: JsonValue
}

/** The record `ip -j link` prints for a link. @kernel none */
export function linkJson(link: LinkInfo, options: IpLinkOptions): JsonRecord {
  return {
    ifindex: link.ifindex,
    ...(link.link === null ? {} : { link: link.link }),
    ifname: link.ifname,
    flags: linkFlagNames(link.flags, link.linkDown),
    mtu: link.mtu,
    qdisc: link.qdisc,
    operstate: link.operstate,
    linkmode: link.linkmode,
    group: groupName(link.group),
    ...(link.txqlen === 0 ? {} : { txqlen: link.txqlen }),
    link_type: link.linkType,
    address: link.address,
    broadcast: link.broadcast,
    ...(link.permaddr === null || link.permaddr === link.address ? {} : { permaddr: link.permaddr }),
    ...(options.details === true ? details(link) : {}),
    ...(link.ifalias === '' ? {} : { ifalias: link.ifalias }),
    ...((options.stats ?? 0) > 0 ? { stats64: stats(link, options.stats === 2) } : {}),
  }
}

/** The record of `ip -br -j link`. @kernel none */
export function briefJson(link: LinkInfo): JsonRecord {
  return {
    ...(link.link === null ? {} : { link: link.link }),
    ifname: link.ifname,
    operstate: link.operstate,
    address: link.address,
    flags: linkFlagNames(link.flags, link.linkDown),
  }
}

function details(link: LinkInfo): JsonRecord {
  return {
    promiscuity: link.promiscuity,
    allmulti: link.allmulti,
    min_mtu: link.minMtu,
    max_mtu: link.maxMtu,
    ...(link.kind === null ? {} : { linkinfo: { info_kind: link.kind } }),
    ...(link.addrGenMode === null ? {} : { inet6_addr_gen_mode: link.addrGenMode }),
    num_tx_queues: link.numTxQueues,
    num_rx_queues: link.numRxQueues,
    gso_max_size: link.gsoMaxSize,
    gso_max_segs: link.gsoMaxSegs,
    tso_max_size: link.tsoMaxSize,
    tso_max_segs: link.tsoMaxSegs,
    gro_max_size: link.groMaxSize,
    ...(link.parentBus === null ? {} : { parentbus: link.parentBus }),
    ...(link.parentDev === null ? {} : { parentdev: link.parentDev }),
  }
}

function stats({ stats: s, carrierChanges }: LinkInfo, errors: boolean): JsonRecord {
  const rxErrors = {
    length_errors: s.rxLengthErrors,
    crc_errors: s.rxCrcErrors,
    frame_errors: s.rxFrameErrors,
    fifo_errors: s.rxFifoErrors,
    missed_errors: s.rxMissedErrors,
    ...(s.rxNohandler === 0n ? {} : { nohandler: s.rxNohandler }),
  }
  const txErrors = {
    aborted_errors: s.txAbortedErrors,
    fifo_errors: s.txFifoErrors,
    window_errors: s.txWindowErrors,
    heartbeat_errors: s.txHeartbeatErrors,
    carrier_changes: carrierChanges,
  }
  const rx = {
    bytes: s.rxBytes,
    packets: s.rxPackets,
    errors: s.rxErrors,
    dropped: s.rxDropped,
    over_errors: s.rxOverErrors,
    multicast: s.multicast,
    ...(s.rxCompressed === 0n ? {} : { compressed: s.rxCompressed }),
    ...(errors ? rxErrors : {}),
  }
  const tx = {
    bytes: s.txBytes,
    packets: s.txPackets,
    errors: s.txErrors,
    dropped: s.txDropped,
    carrier_errors: s.txCarrierErrors,
    collisions: s.collisions,
    ...(s.txCompressed === 0n ? {} : { compressed: s.txCompressed }),
    ...(errors ? txErrors : {}),
  }
  return { rx, tx }
}

/** A list of records the way iproute2 writes JSON: in one line, or with `-p` indented in its own manner. @kernel none */
export function jsonLinks(records: readonly JsonRecord[], pretty: boolean): string {
  if (!pretty) return `[${records.map((record) => compact(record)).join(',')}]\n`
  return `[ ${records.map((record) => indented(record, 1)).join(',')} ]\n`
}

function compact(value: JsonValue): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || Array.isArray(value)) return JSON.stringify(value)
  const fields = Object.entries(value as JsonRecord).map(
    ([key, field]) => `${JSON.stringify(key)}:${compact(field)}`,
  )
  return `{${fields.join(',')}}`
}

function indented(record: JsonRecord, depth: number): string {
  const inner = '    '.repeat(depth + 1)
  const fields = Object.entries(record).map(
    ([key, value]) => `${inner}${JSON.stringify(key)}: ${prettyValue(value, depth + 1)}`,
  )
  return `{\n${fields.join(',\n')}\n${'    '.repeat(depth)}}`
}

function prettyValue(value: JsonValue, depth: number): string {
  if (typeof value !== 'object') return compact(value)
  if (Array.isArray(value))
    return `[ ${(value as readonly string[]).map((item) => JSON.stringify(item)).join(',')} ]`
  return indented(value as JsonRecord, depth)
}
