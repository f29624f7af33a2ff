import { RtProt, RtTable } from '@vnet/inet'
import { Errno } from '@vnet/kernel'
import { Fra, Rtm, rtnlRegister, type NetlinkServer, type NlDump, type NlWriter } from '@vnet/netlink'
import type { FamilyContext } from './family.ts'

/** A rule of where to look for a route: only those every kernel starts with. */
interface FibRule {
  readonly pref: number
  readonly table: number
}

/** @kernel FR_ACT_TO_TBL include/uapi/linux/fib_rules.h */
const FR_ACT_TO_TBL = 1
const NOTHING_SUPPRESSED = 0xffffffff

/** @kernel fib_default_rules_init() net/ipv4/fib_rules.c, fib6_rules_net_init() net/ipv6/fib6_rules.c */
const DEFAULT_RULES: readonly FibRule[] = [
  { pref: 0, table: RtTable.LOCAL },
  { pref: 0x7ffe, table: RtTable.MAIN },
  { pref: 0x7fff, table: RtTable.DEFAULT },
]

/** Registers RTM_*RULE of a family: the rules can be seen and not changed. @returns what takes it back */
export function registerRule(server: NetlinkServer, { family }: FamilyContext): (() => void)[] {
  // IPv6 has no table of last resort.
  const rules = family === 2 ? DEFAULT_RULES : DEFAULT_RULES.slice(0, 2)
  return [
    rtnlRegister(server, family, Rtm.GETRULE, { dumpit: () => dump(family, rules) }),
    rtnlRegister(server, family, Rtm.NEWRULE, { doit: refuse }),
    rtnlRegister(server, family, Rtm.DELRULE, { doit: refuse }),
  ]
}

function refuse(): never {
  throw new Errno('EOPNOTSUPP')
}

/** @kernel fib_nl_dumprule() net/core/fib_rules.c */
function dump(family: number, rules: readonly FibRule[]): NlDump {
  return { type: Rtm.NEWRULE, entries: rules.map((rule) => (w: NlWriter) => fill(w, family, rule)) }
}

/** @kernel fib_nl_fill_rule() net/core/fib_rules.c */
function fill(w: NlWriter, family: number, rule: FibRule): void {
  w.u8(family)
  w.u8(0)
  w.u8(0)
  w.u8(0)
  w.u8(rule.table)
  w.u16(0)
  w.u8(FR_ACT_TO_TBL)
  w.u32(0)
  w.putU32(Fra.TABLE, rule.table)
  w.putU32(Fra.SUPPRESS_PREFIXLEN, NOTHING_SUPPRESSED)
  w.putU8(Fra.PROTOCOL, RtProt.KERNEL)
  if (rule.pref !== 0) w.putU32(Fra.PRIORITY, rule.pref)
}
