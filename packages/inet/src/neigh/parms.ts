import { msecsToJiffies } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import type { NeighTable } from './table.ts'

/** How often the random reachable time is drawn again. @kernel neigh_periodic_work() net/core/neighbour.c */
const RAND_INTERVAL_S = 300

/**
 * The settings of neighbour resolution: one set for the table, one for each device. Times are in milliseconds.
 *
 * Assigning is setting the sysctl; `baseReachableTime` takes effect at once.
 *
 * @kernel struct neigh_parms include/net/neighbour.h
 */
export class NeighParms {
  readonly table: NeighTable
  /** Null: the table's own, copied for each new device. */
  readonly dev: NetDevice<any> | null
  retransTime = 1000
  delayProbeTime = 5000
  gcStaletime = 60_000
  queueLenBytes = 212_992
  appProbes = 0
  ucastProbes = 3
  mcastProbes = 3
  mcastReprobes = 0
  anycastDelay = 1000
  proxyDelay = 800
  proxyQlen = 64
  locktime: number
  #base = 30_000
  #reachable = 0
  #drawn = 0

  constructor(table: NeighTable, dev: NetDevice<any> | null) {
    this.table = table
    this.dev = dev
    this.locktime = table.ops.locktime
    const from = dev === null ? null : table.parms
    if (from !== null) this.#copy(from)
    this.#draw()
  }

  get baseReachableTime(): number {
    return this.#base
  }

  set baseReachableTime(ms: number) {
    this.#base = ms
    this.#draw()
  }

  /** The present random time, half to one and a half of the base, in milliseconds. @kernel neigh_rand_reach_time() net/core/neighbour.c */
  get reachableTime(): number {
    const { clock } = this.table.kernel
    if (clock.jiffies - this.#drawn > RAND_INTERVAL_S * clock.hz) this.#draw()
    return this.#reachable
  }

  /** Sets it, as a router's advertisement does: base and random time. @kernel ndisc_router_discovery() net/ipv6/ndisc.c */
  setReachableTime(ms: number): void {
    this.baseReachableTime = ms
  }

  #draw(): void {
    const { kernel } = this.table
    this.#drawn = kernel.clock.jiffies
    this.#reachable = this.#base === 0 ? 0 : kernel.rng.below(this.#base) + Math.floor(this.#base / 2)
  }

  #copy(from: NeighParms): void {
    this.retransTime = from.retransTime
    this.delayProbeTime = from.delayProbeTime
    this.gcStaletime = from.gcStaletime
    this.queueLenBytes = from.queueLenBytes
    this.appProbes = from.appProbes
    this.ucastProbes = from.ucastProbes
    this.mcastProbes = from.mcastProbes
    this.mcastReprobes = from.mcastReprobes
    this.anycastDelay = from.anycastDelay
    this.proxyDelay = from.proxyDelay
    this.proxyQlen = from.proxyQlen
    this.locktime = from.locktime
    this.#base = from.baseReachableTime
  }
}

/** Most probes before a neighbour in its present state counts as failed. @kernel neigh_max_probes() net/core/neighbour.c */
export function neighMaxProbes(parms: NeighParms, probing: boolean): number {
  return parms.ucastProbes + parms.appProbes + (probing ? parms.mcastReprobes : parms.mcastProbes)
}

/** Ticks until the next probe. @kernel neigh_timer_handler() net/core/neighbour.c */
export function neighRetrans(parms: NeighParms): number {
  const { kernel } = parms.table
  return Math.max(msecsToJiffies(kernel, parms.retransTime), Math.ceil(kernel.clock.hz / 100))
}
