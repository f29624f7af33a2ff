import type { JsonRecord, JsonValue } from '@vnet/netdev'
import type { AttrMap } from '../nl/attrs.ts'
import type { NlReply } from '../nl/message.ts'

/** Bytes of `struct tcmsg`. */
const TCMSG = 20
const TC_H_ROOT = 0xffffffff
const Tca = { KIND: 1, OPTIONS: 2, STATS2: 7 } as const
const TcaStats = { BASIC: 1, QUEUE: 3, APP: 4 } as const

/** A qdisc and the device it is on; null: everyone who asked knows it. */
export interface QdiscPlace {
  readonly reply: NlReply
  readonly dev: string | null
}

/** A word of the options: its key, value and text. */
type Option = readonly [key: string, value: JsonValue, text: string]

function handleText(handle: number): string {
  const minor = handle & 0xffff
  return `${(handle >>> 16).toString(16)}:${minor === 0 ? '' : minor.toString(16)}`
}

/** A class: without a qdisc's number, as below mq, only the colon and its own. */
function classText(id: number): string {
  return id !== 0 && id >>> 16 === 0 ? `:${id.toString(16)}` : handleText(id)
}

function parentText(parent: number): string {
  return parent === TC_H_ROOT ? 'root' : `parent ${classText(parent)}`
}

function options(tb: AttrMap): readonly Option[] {
  const kind = tb.text(Tca.KIND)
  if (kind === 'fq_codel') return fqCodel(tb.nest(Tca.OPTIONS))
  return kind === 'pfifo_fast' || kind === 'prio' ? prio(tb.binary(Tca.OPTIONS)) : []
}

/** @kernel struct tc_prio_qopt include/uapi/linux/pkt_sched.h */
function prio(bytes: Uint8Array | undefined): Option[] {
  if (bytes === undefined || bytes.length < 20) return []
  const bands = new DataView(bytes.buffer).getInt32(0, true)
  const map = [...bytes.slice(4, 20)]
  return [
    ['bands', bands, `bands ${bands}`],
    [
      'priomap',
      map,
      `priomap ${map
        .map((band) => ` ${band}`)
        .join('')
        .trimStart()}`,
    ],
  ]
}

/** Numbers of fq_codel by attribute, in the order they are printed. @kernel TCA_FQ_CODEL_TARGET include/uapi/linux/pkt_sched.h */
const FQ_CODEL: readonly (readonly [
  type: number,
  name: string,
  unit: 'packets' | 'plain' | 'time' | 'size' | 'flag',
])[] = [
  [2, 'limit', 'packets'],
  [5, 'flows', 'plain'],
  [6, 'quantum', 'plain'],
  [1, 'target', 'time'],
  [7, 'ce_threshold', 'time'],
  [3, 'interval', 'time'],
  [9, 'memory_limit', 'size'],
  [4, 'ecn', 'flag'],
  [8, 'drop_batch', 'plain'],
]

function fqCodel(tb: AttrMap): Option[] {
  return FQ_CODEL.flatMap(([type, name, unit]): Option[] => {
    const value = tb.u32(type)
    if (value === undefined) return []
    if (unit === 'flag') return value === 0 ? [] : [[name, true, name]]
    if (unit === 'packets') return [[name, value, `${name} ${value}p`]]
    if (unit === 'time') return [[name, value, `${name} ${timeText(value)}`]]
    return [[name, value, `${name} ${unit === 'size' ? sizeText(value) : value}`]]
  })
}

/** Microseconds in the unit that fits. @kernel sprint_time() none */
function timeText(usec: number): string {
  if (usec >= 1_000_000) return `${three(usec / 1_000_000)}s`
  return usec >= 1000 ? `${three(usec / 1000)}ms` : `${usec}us`
}

/** As C prints `%.3g`. */
function three(value: number): string {
  return String(Number(value.toPrecision(3)))
}

/** @kernel sprint_size() none */
function sizeText(bytes: number): string {
  if (bytes >= 1 << 20 && Math.abs((bytes >> 20) * (1 << 20) - bytes) < 1024)
    return `${Math.round(bytes / (1 << 20))}Mb`
  if (bytes >= 1024 && Math.abs((bytes >> 10) * 1024 - bytes) < 16) return `${Math.round(bytes / 1024)}Kb`
  return `${bytes}b`
}

interface Counters {
  readonly bytes: bigint
  readonly packets: number
  readonly drops: number
  readonly overlimits: number
  readonly requeues: number
  readonly backlog: number
  readonly qlen: number
}

function countersOf(tb: AttrMap): Counters {
  const stats = tb.nest(Tca.STATS2)
  const basic = viewOf(stats.binary(TcaStats.BASIC), 16)
  const queue = viewOf(stats.binary(TcaStats.QUEUE), 20)
  return {
    bytes: basic.getBigUint64(0, true),
    packets: basic.getUint32(8, true),
    drops: queue.getUint32(8, true),
    overlimits: queue.getUint32(16, true),
    requeues: queue.getUint32(12, true),
    backlog: queue.getUint32(4, true),
    qlen: queue.getUint32(0, true),
  }
}

/** The bytes with zeros behind, when they are too few. */
function viewOf(bytes: Uint8Array | undefined, length: number): DataView {
  const full = new Uint8Array(length)
  full.set((bytes ?? full).slice(0, length))
  return new DataView(full.buffer)
}

function statsText(c: Counters): string {
  return (
    ` Sent ${c.bytes} bytes ${c.packets} pkt (dropped ${c.drops}, overlimits ${c.overlimits} requeues ${c.requeues}) \n` +
    ` backlog ${sizeText(c.backlog)} ${c.qlen}p requeues ${c.requeues}\n`
  )
}

/** What fq_codel counts beyond that. @kernel struct tc_fq_codel_qd_stats include/uapi/linux/pkt_sched.h */
function fqCodelStats(tb: AttrMap): string {
  const bytes = tb.nest(Tca.STATS2).binary(TcaStats.APP)
  if (bytes === undefined || bytes.length < 28) return ''
  const view = viewOf(bytes, 36)
  const at = (i: number) => view.getUint32(4 * i, true)
  if (at(0) !== 0) return ''
  const marks = bytes.length >= 32 && at(7) !== 0 ? ` ce_mark ${at(7)}` : ''
  return (
    `  maxpacket ${at(1)} drop_overlimit ${at(2)} new_flow_count ${at(4)} ecn_mark ${at(3)}${marks}\n` +
    `  new_flows_len ${at(5)} old_flows_len ${at(6)}\n`
  )
}

/** One qdisc. @kernel print_qdisc() none */
export function qdiscText({ reply, dev }: QdiscPlace, stats: boolean): string {
  const tb = reply.attrs(TCMSG)
  const kind = tb.text(Tca.KIND) ?? ''
  const refcnt = reply.u32(16)
  const parent = reply.u32(12)
  let head = `qdisc ${kind} ${handleText(reply.u32(8))} `
  if (dev !== null) head += `dev ${dev} `
  head += `${parentText(parent)} `
  if (refcnt !== 1) head += `refcnt ${refcnt} `
  const text =
    head +
    options(tb)
      .map(([, , word]) => `${word} `)
      .join('')
  // The band list ends without a blank.
  const line = `${kind === 'pfifo_fast' || kind === 'prio' ? text.trimEnd() : text}\n`
  if (!stats) return line
  return line + statsText(countersOf(tb)) + (kind === 'fq_codel' ? fqCodelStats(tb) : '')
}

/** @kernel print_qdisc() none */
export function qdiscJson({ reply, dev }: QdiscPlace, stats: boolean): JsonRecord {
  const tb = reply.attrs(TCMSG)
  const parent = reply.u32(12)
  const fields: Record<string, JsonValue> = {
    kind: tb.text(Tca.KIND) ?? '',
    handle: handleText(reply.u32(8)),
  }
  if (dev !== null) fields.dev = dev
  if (parent === TC_H_ROOT) fields.root = true
  else fields.parent = classText(parent)
  if (reply.u32(16) !== 1) fields.refcnt = reply.u32(16)
  fields.options = Object.fromEntries(options(tb).map(([key, value]) => [key, value]))
  if (stats) Object.assign(fields, countersOf(tb))
  return fields
}
