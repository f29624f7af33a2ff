import type { NetDevice } from '@vnet/netdev'
import { putUnalignedBe32 } from '@vnet/wire'
import type { FibRoute } from '../types/objects.ts'

const NO_METRICS: ReadonlyMap<number, number> = new Map()

/** What an IPv4 route is made of, checked. @kernel struct fib_config include/net/ip_fib.h */
export interface Fib4Init {
  readonly dst: number
  readonly dstLen: number
  readonly tos: number
  readonly table: number
  readonly protocol: number
  readonly scope: number
  readonly type: number
  readonly flags: number
  readonly priority: number
  /** 0: none. */
  readonly gateway: number
  readonly oif: NetDevice<any> | null
  readonly prefsrc: number
  readonly metrics: ReadonlyMap<number, number>
  readonly nhScope: number
}

/** An IPv4 route, with its numbers in host order. @kernel struct fib_alias net/ipv4/fib_lookup.h */
export class Fib4Route implements FibRoute {
  readonly family = 2
  readonly dstNr: number
  readonly dstLen: number
  readonly tos: number
  readonly table: number
  readonly protocol: number
  readonly scope: number
  readonly type: number
  flags: number
  readonly priority: number
  readonly gatewayNr: number
  readonly oif: NetDevice<any> | null
  readonly prefsrcNr: number
  readonly metrics: ReadonlyMap<number, number>
  readonly pref = 0
  expires = 0
  /** How far the next hop is: `RtScope`. */
  readonly nhScope: number

  constructor(init: Fib4Init) {
    this.dstNr = init.dst
    this.dstLen = init.dstLen
    this.tos = init.tos
    this.table = init.table
    this.protocol = init.protocol
    this.scope = init.scope
    this.type = init.type
    this.flags = init.flags
    this.priority = init.priority
    this.gatewayNr = init.gateway
    this.oif = init.oif
    this.prefsrcNr = init.prefsrc
    this.metrics = init.metrics.size === 0 ? NO_METRICS : init.metrics
    this.nhScope = init.nhScope
  }

  get dst(): Uint8Array {
    return ipv4Bytes(this.dstNr)
  }

  get gateway(): Uint8Array | null {
    return this.gatewayNr === 0 ? null : ipv4Bytes(this.gatewayNr)
  }

  get prefsrc(): Uint8Array | null {
    return this.prefsrcNr === 0 ? null : ipv4Bytes(this.prefsrcNr)
  }
}

/** The four bytes of an address. @kernel none */
export function ipv4Bytes(address: number): Uint8Array {
  const bytes = new Uint8Array(4)
  putUnalignedBe32(address, bytes, 0)
  return bytes
}

/** True when two routes differ in nothing but the time they were made. @kernel fib_find_info() net/ipv4/fib_semantics.c */
export function sameInfo(a: Fib4Route, b: Fib4Route): boolean {
  return (
    a.type === b.type &&
    a.scope === b.scope &&
    a.protocol === b.protocol &&
    a.priority === b.priority &&
    a.prefsrcNr === b.prefsrcNr &&
    a.gatewayNr === b.gatewayNr &&
    a.oif === b.oif &&
    sameMetrics(a.metrics, b.metrics)
  )
}

function sameMetrics(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) if (b.get(key) !== value) return false
  return true
}
