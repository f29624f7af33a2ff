import type { JsonRecord, JsonValue } from '@vnet/netdev'
import { IpError } from '@vnet/netdev'
import { Af, Rtm } from '@vnet/netlink'
import type { AttrMap } from '../nl/attrs.ts'
import type { NlReply } from '../nl/message.ts'
import type { Syscalls } from '../proc/process.ts'
import type { IpContext } from './context.ts'
import { familyName } from './inet.ts'
import { dumpLinks } from './link-show.ts'
import { usage } from './usage.ts'
import { matches } from './words.ts'
import type { Words } from './words.ts'

/** Bytes of `struct netconfmsg`, with its padding. */
const NETCONFMSG = 4
export const RTM_NEWNETCONF = 80
export const RTM_DELNETCONF = 81
const NETCONFA_IFINDEX = 1
const RP_FILTER = 3
/** Settings in the order they are printed. @kernel NETCONFA_FORWARDING include/uapi/linux/netconf.h */
const SETTINGS: readonly (readonly [type: number, name: string])[] = [
  [2, 'forwarding'],
  [RP_FILTER, 'rp_filter'],
  [4, 'mc_forwarding'],
  [5, 'proxy_neigh'],
  [6, 'ignore_routes_with_linkdown'],
  [7, 'input'],
]
const RP_NAMES: readonly string[] = ['off', 'strict', 'loose']

/** `ip netconf [show] [dev X]`. @throws IpError, NlFailure @kernel do_ipnetconf() none */
export function* ipNetconf(ip: IpContext, words: Words): Syscalls<number> {
  const command = words.done ? 'show' : words.take()
  if (matches(command, 'help')) throw usage('netconf')
  if (!matches(command, 'show', 'lst', 'list')) {
    throw new IpError(255, `Command "${command}" is unknown, try "ip netconf help".`)
  }
  let dev: string | null = null
  while (!words.done) {
    words.accept('dev')
    dev = words.take()
  }
  const ifindex = dev === null ? 0 : yield* ip.indexOf(dev)
  yield* dumpLinks(ip, 0)
  const replies = yield* ip.rtnl.dump(Rtm.GETNETCONF, (w) => w.u32(ip.options.family))
  const shown = replies.filter((reply) => {
    if (reply.type !== RTM_NEWNETCONF) return false
    return ifindex === 0 || attrsOf(reply).s32(NETCONFA_IFINDEX) === ifindex
  })
  const records: JsonRecord[] = []
  for (const reply of shown) {
    if (ip.options.json) records.push(yield* netconfJson(ip, reply))
    else ip.out(yield* netconfText(ip, reply))
  }
  if (ip.options.json) ip.json(records)
  return 0
}

function attrsOf(reply: NlReply): AttrMap {
  return reply.attrs(NETCONFMSG)
}

function* placeOf(ip: IpContext, tb: AttrMap): Syscalls<string> {
  const ifindex = tb.s32(NETCONFA_IFINDEX)
  if (ifindex === undefined) return ''
  if (ifindex === -1) return 'all'
  return ifindex === -2 ? 'default' : yield* ip.nameOf(ifindex)
}

function valueText(type: number, value: number): string {
  if (type === RP_FILTER) return RP_NAMES[value] ?? `unknown code ${value}`
  return value === 0 ? 'off' : 'on'
}

function familyText(family: number): string {
  if (family === Af.INET || family === Af.INET6) return familyName(family)
  return family === 28 ? 'mpls' : 'unknown'
}

/** One record, as `ip netconf` and `ip monitor` print it. @kernel print_netconf() none */
export function* netconfText(ip: IpContext, reply: NlReply): Syscalls<string> {
  const tb = attrsOf(reply)
  const settings = SETTINGS.flatMap(([type, name]) => {
    const value = tb.u32(type)
    return value === undefined ? [] : [`${name} ${valueText(type, value)}`]
  })
  return `${[familyText(reply.u8(0)), yield* placeOf(ip, tb), ...settings].join(' ')} \n`
}

function* netconfJson(ip: IpContext, reply: NlReply): Syscalls<JsonRecord> {
  const tb = attrsOf(reply)
  const fields: Record<string, JsonValue> = {
    family: familyText(reply.u8(0)),
    interface: yield* placeOf(ip, tb),
  }
  for (const [type, name] of SETTINGS) {
    const value = tb.u32(type)
    if (value !== undefined) fields[name] = type === RP_FILTER ? valueText(type, value) : value !== 0
  }
  return fields
}
