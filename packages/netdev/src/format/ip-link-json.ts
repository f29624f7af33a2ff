import { linkFlagNames } from './ip-link-flags.ts'
import { groupName, type IpLinkOptions } from './ip-link-options.ts'
import type { LinkInfo } from './link-info.ts'

/** A value iproute2's JSON writer prints. @kernel none */
export type JsonValue = number | bigint | string | boolean | null | readonly JsonValue[] | JsonRecord

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
    ...(link.master === undefined ? {} : { master: link.master }),
    operstate: link.operstate,
    ...((options.view ?? 'link') === 'link' ? { linkmode: link.linkmode } : {}),
    group: groupName(link.group),
    ...(link.txqlen === 0 || options.view === 'monitor' ? {} : { txqlen: link.txqlen }),
    ...(link.event === undefined ? {} : { event: link.event }),
    ...(options.noAddress === true && options.details !== true ? {} : addresses(link)),
    ...(options.details === true ? details(link) : {}),
    ...(link.altnames === undefined ? {} : { altnames: link.altnames }),
    ...(link.ifalias === '' || (options.details !== true && (options.view ?? 'link') !== 'link')
      ? {}
      : { ifalias: link.ifalias }),
    ...((options.stats ?? 0) > 0 ? { stats64: statsJson(link, options.stats === 2) } : {}),
  }
}

function addresses(link: LinkInfo): JsonRecord {
  return {
    link_type: link.linkType,
    address: link.address,
    broadcast: link.broadcast,
    ...(link.permaddr === null || link.permaddr === link.address ? {} : { permaddr: link.permaddr }),
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

/** The counters of `ip -j -s link`; with the error details of `-s -s`. @kernel none */
export function statsJson(
  { stats: s, carrierChanges }: Pick<LinkInfo, 'stats' | 'carrierChanges'>,
  errors: boolean,
): JsonRecord {
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

/** Records the way iproute2 writes JSON: in one line, or with `-p` indented in its own manner. @kernel none */
export function jsonText(records: readonly JsonValue[], pretty: boolean): string {
  return `${pretty ? indented(records, 0) : compact(records)}\n`
}

function compact(value: JsonValue): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map(compact).join(',')}]`
  const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}:${compact(field)}`)
  return `{${fields.join(',')}}`
}

/** @param depth - how many lists and records it is inside */
function indented(value: JsonValue, depth: number): string {
  if (typeof value !== 'object' || value === null) return compact(value)
  if (isList(value)) {
    return `[ ${value.map((item) => indented(item, depth + 1)).join(',')}${value.length > 0 ? ' ' : ''}]`
  }
  const inner = '    '.repeat(depth + 1)
  const fields = Object.entries(value).map(
    ([key, field]) => `${inner}${JSON.stringify(key)}: ${indented(field, depth + 1)}`,
  )
  return fields.length === 0 ? '{}' : `{\n${fields.join(',\n')}\n${'    '.repeat(depth)}}`
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
