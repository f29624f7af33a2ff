import { Iff } from '@vnet/netdev'
import { ipv4IsZeronet } from '@vnet/wire'
import type { Ifaddr4 } from '../addr/ifaddr.ts'
import type { InDevice } from '../addr/in-device.ts'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { IfaFlag, NlmNew, RtnType, RtProt, RtScope, RtTable } from '../types/constants.ts'
import { addrTypeDev } from './addr-type.ts'
import { fibFlush, fibSyncDownAddr } from './sync.ts'
import { fibTableInsert } from './table.ts'
import { fibCreate } from './create.ts'
import { ipv4Bytes } from './route.ts'

/** A route that comes with an address. */
interface Magic {
  readonly type: number
  readonly dst: number
  readonly dstLen: number
  readonly prefsrc: number
  readonly priority: number
}

/** Adds the routes that come with an address. @kernel fib_add_ifaddr() net/ipv4/fib_frontend.c */
export function fibAddIfaddr(ipv4: Ipv4, inDev: InDevice, ifa: Ifaddr4): void {
  for (const magic of routesOf(inDev, ifa, (ifa.dev.flags & Iff.UP) !== 0)) add(ipv4, ifa, magic)
}

/**
 * Removes the routes of an address that no other address of the device needs. The address may be on the list still.
 *
 * @kernel fib_del_ifaddr() net/ipv4/fib_frontend.c
 */
export function fibDelIfaddr(ipv4: Ipv4, inDev: InDevice, ifa: Ifaddr4): void {
  const needed = new Set<string>()
  for (const other of inDev.ifaList) {
    if (other === ifa) continue
    for (const magic of routesOf(inDev, other, true)) needed.add(keyOf(magic))
  }
  for (const magic of routesOf(inDev, ifa, true)) {
    if (!needed.has(keyOf(magic))) del(ipv4, ifa, magic)
  }
  const gone = !inDev.ifaList.includes(ifa)
  if (gone && addrTypeDev(ipv4, ifa.dev, ifa.localNr) !== RtnType.LOCAL) {
    if (fibSyncDownAddr(ipv4, ifa.localNr)) fibFlush(ipv4)
  }
}

function keyOf(magic: Magic): string {
  return `${magic.type} ${magic.dst}/${magic.dstLen} ${magic.prefsrc}`
}

function routesOf(inDev: InDevice, ifa: Ifaddr4, up: boolean): Magic[] {
  const prim = ifa.secondary ? inDev.byPrefix(ifa.prefix, ifa.mask) : ifa
  if (prim === null) return []
  const prefsrc = prim.localNr
  const out: Magic[] = [{ type: RtnType.LOCAL, dst: ifa.localNr, dstLen: 32, prefsrc, priority: 0 }]
  if (!up) return out
  const broadcast = (dst: number): number =>
    out.push({ type: RtnType.BROADCAST, dst, dstLen: 32, prefsrc, priority: 0 })
  if (ifa.broadcastNr !== 0 && ifa.broadcastNr !== 0xffffffff) broadcast(ifa.broadcastNr)
  const { prefix, prefixlen } = ifa
  if (ipv4IsZeronet(prefix) || ifa.secondary || (prefix === ifa.localNr && prefixlen === 32)) return out
  if ((ifa.flags & IfaFlag.NOPREFIXROUTE) === 0) {
    const type = (ifa.dev.flags & Iff.LOOPBACK) !== 0 ? RtnType.LOCAL : RtnType.UNICAST
    out.push({ type, dst: prefix, dstLen: prefixlen, prefsrc, priority: ifa.rtPriority })
  }
  const last = (prefix | ~ifa.mask) >>> 0
  if (prefixlen < 31 && last !== ifa.broadcastNr) broadcast(last)
  return out
}

/** @kernel fib_magic() net/ipv4/fib_frontend.c */
function add(ipv4: Ipv4, ifa: Ifaddr4, magic: Magic): void {
  const route = fibCreate(ipv4, {
    family: 2,
    dst: ipv4Bytes(magic.dst),
    dstLen: magic.dstLen,
    table: tableOf(magic),
    protocol: RtProt.KERNEL,
    type: magic.type,
    scope: magic.type === RtnType.LOCAL ? RtScope.HOST : RtScope.LINK,
    oif: ifa.dev,
    prefsrc: ipv4Bytes(magic.prefsrc),
    priority: magic.priority,
  })
  const table = ipv4.fib.make(route.table)
  const known = table.at(route.dstNr, route.dstLen)
  const same = known.some(
    (other) => other.type === route.type && other.oif === route.oif && other.prefsrcNr === route.prefsrcNr,
  )
  if (same) return
  fibTableInsert(table, route, NlmNew.CREATE | NlmNew.APPEND, () => {})
  ipv4.inet.events.emit('route', 'new', route)
}

function del(ipv4: Ipv4, ifa: Ifaddr4, magic: Magic): void {
  const table = ipv4.fib.get(tableOf(magic))
  const route = table
    ?.at(magic.dst, magic.dstLen)
    .find((other) => other.type === magic.type && other.oif === ifa.dev && other.prefsrcNr === magic.prefsrc)
  if (table == null || route === undefined) return
  table.remove(route)
  ipv4.inet.events.emit('route', 'del', route)
}

function tableOf(magic: Magic): number {
  return magic.type === RtnType.UNICAST ? RtTable.MAIN : RtTable.LOCAL
}
