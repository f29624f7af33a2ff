import { Errno } from '@vnet/kernel'
import { getUnalignedBe32 } from '@vnet/wire'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { RtScope, RtTable } from '../types/constants.ts'
import type { FibConfig } from '../types/objects.ts'
import { fibCreate } from './create.ts'
import type { Fib4Route } from './route.ts'
import { type FibTable, fibTableInsert } from './table.ts'

/** Adds a route and tells. @throws Errno with the kernel's sentence @kernel inet_rtm_newroute() net/ipv4/fib_frontend.c */
export function fib4Add(ipv4: Ipv4, config: FibConfig, nlmFlags: number): Fib4Route {
  const route = fibCreate(ipv4, config)
  const { events } = ipv4.inet
  const there = fibTableInsert(ipv4.fib.make(route.table), route, nlmFlags, () => {})
  if (there === route) events.emit('route', 'new', route)
  return there
}

/** Removes the first route that matches, and tells. @throws Errno ESRCH, EINVAL @kernel inet_rtm_delroute() net/ipv4/fib_frontend.c */
export function fib4Del(ipv4: Ipv4, config: FibConfig): void {
  const { dstLen } = config
  const dst = getUnalignedBe32(config.dst, 0)
  if (dstLen > 32) throw new Errno('EINVAL', 'Invalid prefix length')
  if (dstLen < 32 && (dst << dstLen) >>> 0 !== 0) {
    throw new Errno('EINVAL', 'Invalid prefix for given prefix length')
  }
  const table = ipv4.fib.get(config.table === undefined || config.table === 0 ? RtTable.MAIN : config.table)
  if (table === null) throw new Errno('ESRCH', 'ipv4: FIB table does not exist')
  const route = find(table, dst, config)
  if (route === undefined) throw new Errno('ESRCH')
  table.remove(route)
  ipv4.inet.events.emit('route', 'del', route)
}

/** All routes of one table, or of all. @kernel inet_dump_fib() net/ipv4/fib_frontend.c */
export function fib4Dump(ipv4: Ipv4, table?: number): Fib4Route[] {
  if (table !== undefined) return ipv4.fib.get(table === 0 ? RtTable.MAIN : table)?.list() ?? []
  return ipv4.fib.all().flatMap((one) => one.list())
}

function find(table: FibTable, dst: number, config: FibConfig): Fib4Route | undefined {
  return table.at(dst, config.dstLen).find((route) => matches(route, config))
}

/** What is absent matches all. @kernel fib_table_delete() net/ipv4/fib_trie.c */
function matches(route: Fib4Route, config: FibConfig): boolean {
  const { type = 0, scope = RtScope.NOWHERE, protocol = 0, priority = 0, oif = null } = config
  if (route.tos !== (config.tos ?? 0)) return false
  if (type !== 0 && route.type !== type) return false
  if (scope !== RtScope.NOWHERE && route.scope !== scope) return false
  if (protocol !== 0 && route.protocol !== protocol) return false
  if (priority !== 0 && route.priority !== priority) return false
  if (oif !== null && route.oif !== oif) return false
  if (config.prefsrc != null && getUnalignedBe32(config.prefsrc, 0) !== route.prefsrcNr) return false
  if (config.gateway != null && getUnalignedBe32(config.gateway, 0) !== route.gatewayNr) return false
  for (const [key, value] of config.metrics ?? []) if (route.metrics.get(key) !== value) return false
  return true
}
