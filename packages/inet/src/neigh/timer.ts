import { modTimer, msecsToJiffies, timerDelete } from '@vnet/kernel'
import { skbClone, skbDequeue, consumeSkb } from '@vnet/netdev'
import { Nud, NUD_IN_TIMER } from '../types/constants.ts'
import type { Neighbour } from './neighbour.ts'
import { neighMaxProbes, neighRetrans } from './parms.ts'
import { neighPurge } from './remove.ts'

/** Arms the timer of a neighbour. @kernel neigh_add_timer() net/core/neighbour.c */
export function neighAddTimer(neigh: Neighbour, when: number): void {
  modTimer(neigh.timer, when)
}

/** Disarms it. @kernel neigh_del_timer() net/core/neighbour.c */
export function neighDelTimer(neigh: Neighbour): void {
  timerDelete(neigh.timer)
}

/** Asks the link once, showing the youngest packet that waits. @kernel neigh_probe() net/core/neighbour.c */
export function neighProbe(neigh: Neighbour): void {
  const youngest = neigh.arpQueue.last
  // A clone: asking sends packets, and what that leads to may free the one that waits.
  const shown = youngest === null ? null : skbClone(youngest)
  neigh.table.ops.solicit(neigh, shown)
  neigh.probes++
  if (shown !== null) consumeSkb(shown)
}

/** The neighbour does not answer: everything that waits is reported. @kernel neigh_invalidate() net/core/neighbour.c */
export function neighInvalidate(neigh: Neighbour): void {
  const { table } = neigh
  table.stats.resFailed++
  neigh.updated = table.kernel.clock.jiffies
  // A report may lead to new packets for the same neighbour: then the rest waits with them.
  while (neigh.nudState === Nud.FAILED) {
    const skb = skbDequeue(neigh.arpQueue)
    if (skb === null) break
    table.ops.errorReport(neigh, skb)
  }
  neighPurge(neigh)
}

/** The timer of a neighbour is due. @kernel neigh_timer_handler() net/core/neighbour.c */
export function neighTimerHandler(neigh: Neighbour): void {
  if ((neigh.nudState & NUD_IN_TIMER) === 0 || neigh.dead) return
  const { table } = neigh
  const { clock } = table.kernel
  const before = neigh.nudState
  const next = advance(neigh, clock.jiffies)
  let changed = neigh.nudState !== before && neigh.nudState !== Nud.DELAY
  if (isProbing(neigh) && neigh.probes >= maxProbes(neigh)) {
    neigh.nudState = Nud.FAILED
    neighInvalidate(neigh)
    changed = true
  } else {
    if ((neigh.nudState & NUD_IN_TIMER) !== 0) {
      neighAddTimer(neigh, Math.max(next, clock.jiffies + Math.ceil(clock.hz / 100)))
    }
    if (isProbing(neigh)) neighProbe(neigh)
  }
  if (changed && !neigh.dead) table.events.emit('neigh', 'new', neigh)
}

/** Goes to the next state if it is time; gives the tick of the next look. */
function advance(neigh: Neighbour, now: number): number {
  const { kernel } = neigh.table
  const delay = msecsToJiffies(kernel, neigh.parms.delayProbeTime)
  const reachable = msecsToJiffies(kernel, neigh.parms.reachableTime)
  switch (neigh.nudState) {
    case Nud.REACHABLE:
      if (now <= neigh.confirmed + reachable) return neigh.confirmed + reachable
      if (now <= neigh.used + delay) {
        become(neigh, Nud.DELAY, now)
        return now + delay
      }
      become(neigh, Nud.STALE, now)
      return now
    case Nud.DELAY:
      if (now <= neigh.confirmed + delay) {
        become(neigh, Nud.REACHABLE, now)
        return neigh.confirmed + reachable
      }
      become(neigh, Nud.PROBE, now)
      neigh.probes = 0
      return now + neighRetrans(neigh.parms)
    default:
      return now + neighRetrans(neigh.parms)
  }
}

function become(neigh: Neighbour, state: number, now: number): void {
  neigh.nudState = state
  neigh.updated = now
}

function isProbing(neigh: Neighbour): boolean {
  return (neigh.nudState & (Nud.INCOMPLETE | Nud.PROBE)) !== 0
}

function maxProbes(neigh: Neighbour): number {
  return neighMaxProbes(neigh.parms, neigh.nudState === Nud.PROBE)
}
