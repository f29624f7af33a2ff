import { IpError } from '@vnet/netdev'
import type { JsonRecord, JsonValue } from '@vnet/netdev'
import { Ndta, Rtm } from '@vnet/netlink'
import type { AttrMap } from '../nl/attrs.ts'
import type { NlReply } from '../nl/message.ts'
import type { Syscalls } from '../proc/process.ts'
import type { IpContext } from './context.ts'
import { familyName } from './inet.ts'
import { usage } from './usage.ts'
import { matches } from './words.ts'
import type { Words } from './words.ts'

const NDTPA_IFINDEX = 1
/** Numbers of a table, a line each; `wide` are milliseconds in 64 bits. @kernel NDTPA_REFCNT include/uapi/linux/neighbour.h */
const LINES: readonly (readonly (readonly [type: number, name: string, wide?: true])[])[] = [
  [
    [2, 'refcnt'],
    [3, 'reachable', true],
    [4, 'base_reachable', true],
    [5, 'retrans', true],
  ],
  [
    [6, 'gc_stale', true],
    [7, 'delay_probe', true],
    [8, 'queue'],
  ],
  [
    [9, 'app_probes'],
    [10, 'ucast_probes'],
    [11, 'mcast_probes'],
  ],
  [
    [12, 'anycast_delay', true],
    [13, 'proxy_delay', true],
    [14, 'proxy_queue'],
    [15, 'locktime', true],
  ],
]
const GETNEIGHTBL_TYPE = Rtm.GETNEIGHTBL

/** `ip ntable [show] [dev X] [name N]`. @throws IpError, NlFailure @kernel do_ipntable() none */
export function* ipNtable(ip: IpContext, words: Words): Syscalls<number> {
  const command = words.done ? 'show' : words.take()
  if (matches(command, 'help')) throw usage('ntable')
  if (!matches(command, 'show', 'lst', 'list')) {
    throw new IpError(255, `Command "${command}" is unknown, try "ip ntable help".`)
  }
  let dev: number | null = null
  let name: string | null = null
  while (!words.done) {
    if (words.accept('dev')) dev = yield* ip.indexOf(words.take())
    else if (words.accept('name')) name = words.take()
    else throw new IpError(255, `Error: either "dev" is duplicate, or "${words.take()}" is a garbage.`)
  }
  const replies = yield* ip.rtnl.dump(GETNEIGHTBL_TYPE, (w) => w.u32(ip.options.family))
  const records: JsonRecord[] = []
  for (const reply of replies) {
    const tb = reply.attrs(4)
    const ifindex = tb.nest(Ndta.PARMS).u32(NDTPA_IFINDEX)
    if ((dev !== null && ifindex !== dev) || (name !== null && tb.text(Ndta.NAME) !== name)) continue
    const owner = ifindex === undefined || ifindex === 0 ? null : yield* ip.nameOf(ifindex)
    if (ip.options.json) records.push(tableJson(reply, tb, owner))
    else ip.out(tableText(reply, tb, owner, ip.nl))
  }
  if (ip.options.json) ip.json(records)
  return 0
}

function valueOf(parms: AttrMap, type: number, wide: true | undefined): number | undefined {
  if (wide !== true) return parms.u32(type)
  const value = parms.u64(type)
  return value === undefined ? undefined : Number(value)
}

function tableText(reply: NlReply, tb: AttrMap, dev: string | null, nl: string): string {
  let text = `${familyName(reply.u8(0))} ${tb.text(Ndta.NAME) ?? ''} ${nl}`
  if (dev !== null) text += `    dev ${dev} ${nl}`
  text += thresholds(tb, nl)
  const parms = tb.nest(Ndta.PARMS)
  for (const line of LINES) {
    const words = line.flatMap(([type, name, wide]) => {
      const value = valueOf(parms, type, wide)
      return value === undefined ? [] : [`${name} ${value} `]
    })
    if (words.length > 0) text += `    ${words.join('')}${nl}`
  }
  return `${text}\n`
}

function thresholds(tb: AttrMap, nl: string): string {
  const numbers: readonly (readonly [string, number | undefined])[] = [
    ['thresh1', tb.u32(Ndta.THRESH1)],
    ['thresh2', tb.u32(Ndta.THRESH2)],
    ['thresh3', tb.u32(Ndta.THRESH3)],
    ['gc_int', tb.has(Ndta.GC_INTERVAL) ? Number(tb.u64(Ndta.GC_INTERVAL) ?? 0n) : undefined],
  ]
  const words = numbers.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value} `]))
  return words.length === 0 ? '' : `    ${words.join('')}${nl}`
}

function tableJson(reply: NlReply, tb: AttrMap, dev: string | null): JsonRecord {
  const fields: Record<string, JsonValue> = {
    family: familyName(reply.u8(0)),
    name: tb.text(Ndta.NAME) ?? '',
  }
  if (dev !== null) fields.dev = dev
  const parms = tb.nest(Ndta.PARMS)
  for (const [type, name, wide] of LINES.flat()) {
    const value = valueOf(parms, type, wide)
    if (value !== undefined) fields[name] = value
  }
  return fields
}
