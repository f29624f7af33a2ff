import { IpError, statsJson, statsText } from '@vnet/netdev'
import type { JsonRecord } from '@vnet/netdev'
import { Rtm } from '@vnet/netlink'
import type { AttrMap } from '../nl/attrs.ts'
import type { NlReply } from '../nl/message.ts'
import type { Syscalls } from '../proc/process.ts'
import type { IpContext } from './context.ts'
import { parseStats64 } from './link-parse.ts'
import { usage } from './usage.ts'
import { matches } from './words.ts'
import type { Words } from './words.ts'

/** Bytes of `struct if_stats_msg`. */
const IF_STATS_MSG = 12
/** @kernel IFLA_STATS_LINK_64 include/uapi/linux/if_link.h */
const IflaStats = {
  LINK_64: 1,
  LINK_XSTATS: 2,
  LINK_XSTATS_SLAVE: 3,
  LINK_OFFLOAD_XSTATS: 4,
  AF_SPEC: 5,
} as const
const OFFLOAD_XSTATS_HW_S_INFO = 2
const HW_S_INFO = { REQUEST: 1, USED: 2 } as const
const L3_STATS = 3

/** The head of one group, and what stands below it. */
interface Group {
  readonly head: string
  readonly mask: number
  readonly body?: (tb: AttrMap, nl: string) => string
}

/** The groups in the order they are printed; none of the kinds of links with statistics of their own is here. */
const GROUPS: readonly Group[] = [
  { head: 'group afstats subgroup mpls', mask: IflaStats.AF_SPEC },
  { head: 'group link', mask: IflaStats.LINK_64, body: linkBody },
  { head: 'group offload subgroup l3_stats', mask: IflaStats.LINK_OFFLOAD_XSTATS, body: hwState },
  {
    head: 'group offload subgroup hw_stats_info',
    mask: IflaStats.LINK_OFFLOAD_XSTATS,
    body: (tb, nl) => `${nl}    l3_stats${hwState(tb)}`,
  },
  { head: 'group offload subgroup cpu_hit', mask: IflaStats.LINK_OFFLOAD_XSTATS, body: (_tb, nl) => nl },
  { head: 'group xstats_slave subgroup bond suite 802.3ad', mask: IflaStats.LINK_XSTATS_SLAVE },
  { head: 'group xstats subgroup bond suite 802.3ad', mask: IflaStats.LINK_XSTATS },
  { head: 'group xstats_slave subgroup bridge suite mcast', mask: IflaStats.LINK_XSTATS_SLAVE },
  { head: 'group xstats_slave subgroup bridge suite stp', mask: IflaStats.LINK_XSTATS_SLAVE },
  { head: 'group xstats subgroup bridge suite mcast', mask: IflaStats.LINK_XSTATS },
  { head: 'group xstats subgroup bridge suite stp', mask: IflaStats.LINK_XSTATS },
]

function linkBody(tb: AttrMap, nl: string): string {
  return nl + statsText(parseStats64(tb, IflaStats.LINK_64), 0, false, nl)
}

/** Whether counting in hardware was asked for and is done; a kernel that says nothing does neither. */
function hwState(tb: AttrMap): string {
  const info = tb.nest(IflaStats.LINK_OFFLOAD_XSTATS).nest(OFFLOAD_XSTATS_HW_S_INFO).nest(L3_STATS)
  const asked = (info.u8(HW_S_INFO.REQUEST) ?? 0) !== 0
  const used = (info.u8(HW_S_INFO.USED) ?? 0) !== 0
  return ` ${asked ? 'on' : 'off'} used ${used ? 'on' : 'off'}`
}

/** `ip stats [show] [dev X] [group G]`. @throws IpError, NlFailure @kernel do_ipstats() none */
export function* ipStats(ip: IpContext, words: Words): Syscalls<number> {
  const command = words.done ? 'show' : words.take()
  if (matches(command, 'help')) throw usage('stats')
  if (!matches(command, 'show'))
    throw new IpError(255, `Command "${command}" is unknown, try "ip stats help".`)
  const { dev, group } = parse(words)
  const groups = GROUPS.filter(({ head }) => group === null || head.split(' ')[1] === group)
  if (groups.length === 0) throw new IpError(255, `Error: unknown group "${group}".`)
  const mask = groups.reduce((bits, one) => bits | (1 << (one.mask - 1)), 0)
  const ifindex = dev === null ? 0 : yield* ip.indexOf(dev)
  const replies = yield* ask(ip, ifindex, mask)
  const records: JsonRecord[] = []
  for (const reply of replies) {
    const name = yield* ip.nameOf(reply.s32(4))
    if (ip.options.json) records.push(...groupRecords(reply, name, groups))
    else ip.out(groupTexts(reply, name, groups, ip.nl))
  }
  if (ip.options.json) ip.json(records)
  return 0
}

function parse(words: Words): { dev: string | null; group: string | null } {
  let dev: string | null = null
  let group: string | null = null
  while (!words.done) {
    const word = words.take()
    if (word === 'dev') dev = words.take()
    else if (word === 'group') group = words.take()
    else throw new IpError(255, `Error: unknown argument "${word}".`)
  }
  return { dev, group }
}

function* ask(ip: IpContext, ifindex: number, mask: number): Syscalls<readonly NlReply[]> {
  const fill = (w: { u32(value: number): void }) => {
    w.u32(0)
    w.u32(ifindex)
    w.u32(mask)
  }
  if (ifindex === 0) return yield* ip.rtnl.dump(Rtm.GETSTATS, fill)
  return [yield* ip.rtnl.get(Rtm.GETSTATS, 0, fill)]
}

function groupTexts(reply: NlReply, name: string, groups: readonly Group[], nl: string): string {
  const tb = reply.attrs(IF_STATS_MSG)
  return groups.map(({ head, body }) => `${reply.s32(4)}: ${name}: ${head}${body?.(tb, nl) ?? ''}\n`).join('')
}

function groupRecords(reply: NlReply, name: string, groups: readonly Group[]): JsonRecord[] {
  const tb = reply.attrs(IF_STATS_MSG)
  return groups.map(({ head, mask }) => {
    const words = head.split(' ')
    const fields: Record<string, JsonRecord[string]> = { ifindex: reply.s32(4), ifname: name }
    for (let i = 0; i + 1 < words.length; i += 2) fields[words[i]!] = words[i + 1]!
    if (mask !== IflaStats.LINK_64) return fields
    const stats = parseStats64(tb, IflaStats.LINK_64)
    return { ...fields, stats64: statsJson({ stats, carrierChanges: 0 }, false) }
  })
}
