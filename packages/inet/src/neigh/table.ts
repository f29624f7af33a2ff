import {
  type Kernel,
  LogLevel,
  printk,
  type RateLimit,
  ratelimit,
  type TimerList,
  timerSetup,
} from '@vnet/kernel'
import type { NetDevice, SkBuff } from '@vnet/netdev'
import type { InetEvents } from '../events.ts'
import type { InetFamilyNr } from '../types/constants.ts'
import type { Neighbour } from './neighbour.ts'
import { NeighParms } from './parms.ts'
import { neighPeriodicWork } from './gc.ts'
import { neighTimerHandler } from './timer.ts'

/**
 * What a family brings to its neighbour table.
 *
 * @kernel struct neigh_ops include/net/neighbour.h
 */
export interface NeighOps {
  readonly family: InetFamilyNr
  /** 'arp_cache' or 'ndisc_cache'. */
  readonly id: string
  readonly keyLen: number
  /** Milliseconds a link address stays as it is against unasked-for news. */
  readonly locktime: number
  /** Sets `type`, and for those who need no resolution `nudState` and `ha`; false refuses the entry. */
  setup(neigh: Neighbour): boolean
  /** Asks for the link address; `skb` is the packet that waits, or null. It is not the callee's to free. */
  solicit(neigh: Neighbour, skb: SkBuff | null): void
  /** The packet cannot be delivered; it is the callee's. Data stands at the network header. */
  errorReport(neigh: Neighbour, skb: SkBuff): void
  isMulticast(key: Uint8Array): boolean
}

/** Counters of a table. @kernel struct neigh_statistics include/net/neighbour.h */
export class NeighStats {
  allocs = 0
  destroys = 0
  hashGrows = 0
  lookups = 0
  hits = 0
  resFailed = 0
  rcvProbesMcast = 0
  rcvProbesUcast = 0
  periodicGcRuns = 0
  forcedGcRuns = 0
  unresDiscards = 0
  tableFulls = 0
}

/**
 * The neighbours of one family.
 *
 * @kernel struct neigh_table include/net/neighbour.h
 */
export class NeighTable {
  readonly kernel: Kernel
  readonly ops: NeighOps
  readonly family: InetFamilyNr
  readonly events: InetEvents
  /** The defaults new devices get. */
  readonly parms: NeighParms
  readonly devParms = new Map<NetDevice<any>, NeighParms>()
  readonly stats = new NeighStats()
  gcThresh1 = 128
  gcThresh2 = 512
  gcThresh3 = 1024
  entries = 0
  /** Entries that are not permanent: only those count against the thresholds. */
  gcEntries = 0
  lastFlush: number
  buckets: (Neighbour | null)[] = new Array<Neighbour | null>(8).fill(null)
  readonly gcTimer: TimerList
  readonly fullLimit: RateLimit

  constructor(kernel: Kernel, events: InetEvents, ops: NeighOps) {
    this.kernel = kernel
    this.events = events
    this.ops = ops
    this.family = ops.family
    this.lastFlush = kernel.clock.jiffies
    this.parms = new NeighParms(this, null)
    this.fullLimit = ratelimit(kernel)
    this.gcTimer = timerSetup(kernel, () => neighPeriodicWork(this), ops.id)
  }

  /** The settings for a device, or the defaults when it has none of its own. */
  parmsOf(dev: NetDevice<any>): NeighParms {
    return this.devParms.get(dev) ?? this.parms
  }

  /** Runs when the timer of a neighbour is due. */
  timerHandler(neigh: Neighbour): void {
    neighTimerHandler(neigh)
  }

  /** Says that there is no room. */
  reportFull(): void {
    printk(this.kernel, LogLevel.INFO, `neighbour: ${this.ops.id}: neighbor table overflow!`)
  }

  /** Calls `fn` for each neighbour, of all devices or one. @kernel neigh_for_each() net/core/neighbour.c */
  forEach(fn: (neigh: Neighbour) => void, dev?: NetDevice<any>): void {
    for (const first of this.buckets.slice()) {
      for (let n = first; n !== null;) {
        // It may be removed by `fn`.
        const { next } = n
        if (dev === undefined || n.dev === dev) fn(n)
        n = next
      }
    }
  }

  /** All neighbours, in the order they lie. */
  list(dev?: NetDevice<any>): Neighbour[] {
    const out: Neighbour[] = []
    this.forEach((n) => out.push(n), dev)
    return out
  }
}

/** Gives a device its own settings. @kernel neigh_parms_alloc() net/core/neighbour.c */
export function neighParmsAlloc(table: NeighTable, dev: NetDevice<any>): NeighParms {
  const parms = new NeighParms(table, dev)
  table.devParms.set(dev, parms)
  return parms
}

/** Takes them back. @kernel neigh_parms_release() net/core/neighbour.c */
export function neighParmsRelease(table: NeighTable, dev: NetDevice<any>): void {
  table.devParms.delete(dev)
}
