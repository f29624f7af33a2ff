import { modTimer, msecsToJiffies, timerPending } from '@vnet/kernel'
import { Nud } from '../types/constants.ts'
import type { Neighbour } from './neighbour.ts'
import { neighRemove } from './remove.ts'
import type { NeighTable } from './table.ts'

/** Has the table looked through when it holds enough to be worth it. @kernel neigh_table_init() net/core/neighbour.c */
export function neighArmGc(table: NeighTable): void {
  // The kernel's work runs for ever and does nothing below the first threshold; ours rests until then.
  if (table.entries < table.gcThresh1 || timerPending(table.gcTimer)) return
  const { kernel } = table
  modTimer(table.gcTimer, kernel.clock.jiffies + msecsToJiffies(kernel, table.parms.baseReachableTime) / 2)
}

/** Removes neighbours that failed or were not used for long. @kernel neigh_periodic_work() net/core/neighbour.c */
export function neighPeriodicWork(table: NeighTable): void {
  table.stats.periodicGcRuns++
  if (table.entries < table.gcThresh1) return
  table.forEach((n) => {
    if ((n.nudState & (Nud.PERMANENT | Nud.NOARP)) !== 0 || n.exemptFromGc) return
    if (n.used < n.confirmed) n.used = n.confirmed
    if (n.refcnt === 1 && (n.nudState === Nud.FAILED || isStale(n))) neighRemove(n)
  })
  neighArmGc(table)
}

/** Makes room at once: what is unused and failed or not changed for 5 s goes. @returns how many went @kernel neigh_forced_gc() net/core/neighbour.c */
export function neighForcedGc(table: NeighTable): number {
  const { kernel } = table
  const before = kernel.clock.jiffies - 5 * kernel.clock.hz
  let left = table.gcEntries - table.gcThresh2
  let gone = 0
  table.stats.forcedGcRuns++
  table.forEach((n) => {
    if (left <= 0 || n.exemptFromGc || n.refcnt !== 1) return
    const useless = (n.nudState & (Nud.FAILED | Nud.NOARP)) !== 0 || table.ops.isMulticast(n.primaryKey)
    if (!useless && n.updated >= before) return
    neighRemove(n)
    left--
    gone++
  })
  table.lastFlush = kernel.clock.jiffies
  return gone
}

function isStale(n: Neighbour): boolean {
  const { kernel } = n.table
  return kernel.clock.jiffies > n.used + msecsToJiffies(kernel, n.parms.gcStaletime)
}
