import { timerDelete } from '@vnet/kernel'
import { type NetDevice, SkbDropReason, skbQueuePurge } from '@vnet/netdev'
import { Nud } from '../types/constants.ts'
import type { Neighbour } from './neighbour.ts'
import type { NeighTable } from './table.ts'

/** Takes a neighbour out of its table, drops what waits for it, and tells. @kernel neigh_remove_one() net/core/neighbour.c */
export function neighRemove(neigh: Neighbour): boolean {
  if (neigh.dead || !unlink(neigh)) return false
  neigh.dead = true
  timerDelete(neigh.timer)
  neighPurge(neigh)
  const { table } = neigh
  table.stats.destroys++
  table.events.emit('neigh', 'del', neigh)
  return true
}

/** Drops the packets that wait. @kernel neigh_purge_queue net/core/neighbour.c */
export function neighPurge(neigh: Neighbour): void {
  skbQueuePurge(neigh.arpQueue, SkbDropReason.NEIGH_FAILED)
  neigh.arpQueueLenBytes = 0
}

/** Forgets all of a device that goes down. @kernel neigh_ifdown() net/core/neighbour.c */
export function neighIfdown(table: NeighTable, dev: NetDevice<any>): void {
  table.forEach((n) => void neighRemove(n), dev)
}

/** Forgets all of a device whose address changed. @kernel neigh_changeaddr() net/core/neighbour.c */
export function neighChangeaddr(table: NeighTable, dev: NetDevice<any>): void {
  neighIfdown(table, dev)
}

/** Forgets what was learned on a device that lost its carrier. @kernel neigh_carrier_down() net/core/neighbour.c */
export function neighCarrierDown(table: NeighTable, dev: NetDevice<any>): void {
  table.forEach((n) => {
    if ((n.nudState & Nud.PERMANENT) === 0) neighRemove(n)
  }, dev)
}

function unlink(neigh: Neighbour): boolean {
  const { table } = neigh
  const slot = neigh.hash & (table.buckets.length - 1)
  let before: Neighbour | null = null
  for (let n: Neighbour | null = table.buckets[slot]!; n !== null; n = n.next) {
    if (n === neigh) {
      if (before === null) table.buckets[slot] = n.next
      else before.next = n.next
      n.next = null
      table.entries--
      if (!n.exemptFromGc) table.gcEntries--
      if (table.entries === 0) timerDelete(table.gcTimer)
      return true
    }
    before = n
  }
  return false
}
