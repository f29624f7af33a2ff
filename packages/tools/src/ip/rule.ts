import { IpError } from '@vnet/netdev'
import type { JsonRecord, JsonValue } from '@vnet/netdev'
import { Af, Fra, Rtm } from '@vnet/netlink'
import type { NlReply } from '../nl/message.ts'
import type { Syscalls } from '../proc/process.ts'
import type { IpContext } from './context.ts'
import { addressText, bitsOf, tableName } from './inet.ts'
import { usage } from './usage.ts'
import { matches } from './words.ts'
import type { Words } from './words.ts'

/** Bytes of `struct fib_rule_hdr`. */
const RULE_HDR = 12
const FR_ACT_TO_TBL = 1
const ACTIONS: Readonly<Record<number, string>> = { 6: 'blackhole', 7: 'unreachable', 8: 'prohibit' }

/** `ip rule [show]`. @throws IpError, NlFailure @kernel do_iprule() none */
export function* ipRule(ip: IpContext, words: Words): Syscalls<number> {
  const command = words.done ? 'show' : words.take()
  if (matches(command, 'help')) throw usage('rule')
  if (!matches(command, 'list', 'lst', 'show')) {
    throw new IpError(255, `Command "${command}" is unknown, try "ip rule help".`)
  }
  const family = ip.options.family === Af.UNSPEC ? Af.INET : ip.options.family
  const replies = yield* ip.rtnl.dump(Rtm.GETRULE, (w) => {
    w.u32(family)
    w.u32(0)
    w.u32(0)
  })
  const rules = replies.filter((reply) => reply.type === Rtm.NEWRULE).map(ruleOf)
  if (ip.options.json) ip.json(rules.map(ruleJson))
  else for (const rule of rules) ip.out(ruleText(rule))
  return 0
}

interface Rule {
  readonly priority: number
  readonly from: string
  readonly to: string | null
  readonly iif: string | null
  readonly oif: string | null
  readonly action: string | null
  readonly table: string | null
}

function ruleOf(reply: NlReply): Rule {
  const tb = reply.attrs(RULE_HDR)
  const action = reply.u8(7)
  const table = tb.u32(Fra.TABLE) ?? reply.u8(4)
  const dst = tb.binary(Fra.DST)
  return {
    priority: tb.u32(Fra.PRIORITY) ?? 0,
    from: network(reply, tb.binary(Fra.SRC), reply.u8(2)) ?? 'all',
    to: dst === undefined ? null : network(reply, dst, reply.u8(1)),
    iif: tb.text(Fra.IIFNAME) ?? null,
    oif: tb.text(Fra.OIFNAME) ?? null,
    action: action === FR_ACT_TO_TBL ? null : (ACTIONS[action] ?? `${action}`),
    table: action === FR_ACT_TO_TBL && table !== 0 ? tableName(table) : null,
  }
}

function network(reply: NlReply, bytes: Uint8Array | undefined, length: number): string | null {
  if (bytes === undefined) return null
  const text = addressText(reply.u8(0), bytes)
  return length === bitsOf(reply.u8(0)) ? text : `${text}/${length}`
}

function ruleText(rule: Rule): string {
  const words = [`from ${rule.from}`]
  if (rule.to !== null) words.push(`to ${rule.to}`)
  if (rule.iif !== null) words.push(`iif ${rule.iif}`)
  if (rule.oif !== null) words.push(`oif ${rule.oif}`)
  if (rule.table !== null) words.push(`lookup ${rule.table}`)
  if (rule.action !== null) words.push(rule.action)
  return `${rule.priority}:\t${words.join(' ')}\n`
}

function ruleJson(rule: Rule): JsonRecord {
  const fields: Record<string, JsonValue> = { priority: rule.priority, src: rule.from }
  if (rule.to !== null) fields.dst = rule.to
  if (rule.iif !== null) fields.iif = rule.iif
  if (rule.oif !== null) fields.oif = rule.oif
  if (rule.table !== null) fields.table = rule.table
  if (rule.action !== null) fields.action = rule.action
  return fields
}
