import { msecsToJiffies } from '@vnet/kernel'
import { type NetDevice, skbDequeue } from '@vnet/netdev'
import { NeighUpdateFlag as F, Ntf, Nud, NUD_CONNECTED, NUD_IN_TIMER, NUD_VALID } from '../types/constants.ts'
import { neighLookup, neighLookupCreate } from './lookup.ts'
import type { Neighbour } from './neighbour.ts'
import { neighOutput } from './output.ts'
import { neighPurge } from './remove.ts'
import type { NeighTable } from './table.ts'
import { neighAddTimer, neighDelTimer, neighInvalidate } from './timer.ts'

const EPERM = -1
const EINVAL = -22

/**
 * News of a neighbour: its state becomes `state`, its link address `lladdr` (null: unchanged).
 *
 * @param flags - `NeighUpdateFlag` bits: what the news may overwrite
 * @returns 0, -1 (EPERM: the entry is permanent, or dead) or -22 (EINVAL: no link address)
 * @kernel neigh_update() net/core/neighbour.c
 */
export function neighUpdate(
  neigh: Neighbour,
  lladdr: Uint8Array | null,
  state: number,
  flags: number,
): number {
  const old = neigh.nudState
  if (neigh.dead) return EPERM
  if ((flags & F.ADMIN) === 0 && (old & (Nud.NOARP | Nud.PERMANENT)) !== 0) return EPERM
  let notify = false
  let err = 0
  let isRouter = (flags & F.OVERRIDE_ISROUTER) !== 0
  if ((state & NUD_VALID) === 0) notify = invalid(neigh, old, state)
  else if (lladdr === null && neigh.dev.addrLen !== 0 && (old & NUD_VALID) === 0) err = EINVAL
  else {
    const news = weigh(neigh, lladdr, state, flags)
    if (news === null) isRouter = false
    else notify = valid(neigh, old, news.state, news.ha)
  }
  if (err !== 0) return err
  if (isRouter && setRouter(neigh, (flags & F.ISROUTER) !== 0)) notify = true
  if (notify && !neigh.dead) neigh.table.events.emit('neigh', 'new', neigh)
  return 0
}

/** Somebody asked for us: his address is good, but he may be unreachable. @kernel neigh_event_ns() net/core/neighbour.c */
export function neighEventNs(
  table: NeighTable,
  lladdr: Uint8Array | null,
  key: Uint8Array,
  dev: NetDevice<any>,
  off = 0,
): Neighbour | null {
  const make = lladdr !== null || dev.addrLen === 0
  const neigh = make ? neighLookupCreate(table, key, dev, off) : neighLookup(table, key, dev, off)
  if (neigh !== null) neighUpdate(neigh, lladdr, Nud.STALE, F.OVERRIDE)
  return neigh
}

/** A higher layer heard from the neighbour: its link address is right. @kernel neigh_confirm() include/net/neighbour.h */
export function neighConfirm(neigh: Neighbour): void {
  neigh.confirmed = neigh.table.kernel.clock.jiffies
}

/** The address goes: INCOMPLETE, FAILED or NONE. */
function invalid(neigh: Neighbour, old: number, state: number): boolean {
  neighDelTimer(neigh)
  neigh.nudState = state
  if ((old & (Nud.INCOMPLETE | Nud.PROBE)) !== 0 && (state & Nud.FAILED) !== 0) {
    neighInvalidate(neigh)
    return true
  }
  return (old & NUD_VALID) !== 0
}

/** Whether the news is believed, and in what form: null for no. */
function weigh(
  neigh: Neighbour,
  lladdr: Uint8Array | null,
  state: number,
  flags: number,
): { state: number; ha: Uint8Array | null } | null {
  const { kernel } = neigh.table
  const known = (neigh.nudState & NUD_VALID) !== 0
  const same = lladdr === null || neigh.dev.addrLen === 0 || (known && sameHa(lladdr, neigh.ha))
  if ((state & NUD_CONNECTED) !== 0) neigh.confirmed = kernel.clock.jiffies
  if (!known) return { state, ha: same ? null : lladdr }
  if (!same && (flags & F.OVERRIDE) === 0) {
    if ((flags & F.WEAK_OVERRIDE) === 0 || (neigh.nudState & NUD_CONNECTED) === 0) return null
    return { state: Nud.STALE, ha: null }
  }
  if (same && state === Nud.STALE && (flags & F.ADMIN) === 0) return { state: neigh.nudState, ha: null }
  return { state, ha: same ? null : lladdr }
}

/** The address is good. @returns whether anything changed */
function valid(neigh: Neighbour, old: number, state: number, ha: Uint8Array | null): boolean {
  const { kernel } = neigh.table
  const now = kernel.clock.jiffies
  if (state === old && ha === null) return false
  neigh.updated = now
  if (state !== old) {
    neighDelTimer(neigh)
    if (state === Nud.PROBE) neigh.probes = 0
    if ((state & NUD_IN_TIMER) !== 0) neighAddTimer(neigh, now + delayOf(neigh, state))
    neigh.nudState = state
  }
  if (ha !== null) {
    neigh.ha.set(ha.subarray(0, neigh.ha.length))
    if ((state & NUD_CONNECTED) === 0) {
      neigh.confirmed = now - msecsToJiffies(kernel, neigh.parms.baseReachableTime) * 2
    }
  }
  if ((old & NUD_VALID) === 0) sendWaiting(neigh)
  return true
}

function delayOf(neigh: Neighbour, state: number): number {
  return state === Nud.REACHABLE ? msecsToJiffies(neigh.table.kernel, neigh.parms.reachableTime) : 0
}

function sendWaiting(neigh: Neighbour): void {
  while ((neigh.nudState & NUD_VALID) !== 0) {
    const skb = skbDequeue(neigh.arpQueue)
    if (skb === null) break
    neigh.arpQueueLenBytes -= skb.truesize
    neighOutput(neigh, skb)
  }
  neighPurge(neigh)
}

function setRouter(neigh: Neighbour, router: boolean): boolean {
  if (((neigh.flags & Ntf.ROUTER) !== 0) === router) return false
  neigh.flags ^= Ntf.ROUTER
  return true
}

function sameHa(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false
  return true
}
