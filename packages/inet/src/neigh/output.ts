import { msecsToJiffies } from '@vnet/kernel'
import {
  devQueueXmit,
  ethHeader,
  kfreeSkb,
  type NetDevice,
  type SkBuff,
  SkbDropReason,
  skbCow,
  skbDequeue,
  skbQueueTail,
} from '@vnet/netdev'
import { Nud, NUD_CONNECTED } from '../types/constants.ts'
import type { Neighbour } from './neighbour.ts'
import { neighRetrans } from './parms.ts'
import { neighAddTimer, neighDelTimer, neighProbe } from './timer.ts'

/** What `neighOutput` says of a packet that waits or was dropped for want of an address. @kernel none */
export const NEIGH_QUEUED = 0
const ENOBUFS = -105

/**
 * Sends a packet to a neighbour: at once when its link address is known, else it waits for it. The packet is gone.
 *
 * Data stands at the network header, and `skb.protocol` is set. Any context but an interrupt handler.
 *
 * @returns what `devQueueXmit` says, 0 when the packet waits, a negative errno when it was dropped here
 * @kernel neigh_output() include/net/neighbour.h
 */
export function neighOutput(neigh: Neighbour, skb: SkBuff): number {
  skb.dev = neigh.dev
  if ((neigh.nudState & NUD_CONNECTED) === 0 && neighEventSend(neigh, skb)) return NEIGH_QUEUED
  return neighXmit(neigh.dev, skb, neigh.ha)
}

/** The same under the kernel's name for neighbours that need resolution. @kernel neigh_resolve_output() net/core/neighbour.c */
export function neighResolveOutput(neigh: Neighbour, skb: SkBuff): number {
  return neighOutput(neigh, skb)
}

/** Puts the link header in front and sends. The packet is gone. @kernel dev_hard_header() include/linux/netdevice.h */
export function neighXmit(dev: NetDevice<any>, skb: SkBuff, dst: Uint8Array): number {
  skb.dev = dev
  if (dev.hardHeaderLen !== 0) {
    if (!skbCow(skb, dev.hardHeaderLen)) {
      kfreeSkb(skb, SkbDropReason.NOMEM)
      return ENOBUFS
    }
    skb.networkHeader = skb.data
    ethHeader(skb, dev, skb.protocol, dst)
  }
  return devQueueXmit(skb)
}

/**
 * A packet wants to go to a neighbour of which we are not sure: starts asking, or the delay before asking.
 *
 * @param skb - null only starts
 * @returns true when the packet was kept (or dropped); false: send it now
 * @kernel neigh_event_send() include/net/neighbour.h
 */
export function neighEventSend(neigh: Neighbour, skb: SkBuff | null): boolean {
  const { clock } = neigh.table.kernel
  const now = clock.jiffies
  neigh.used = now
  if ((neigh.nudState & (NUD_CONNECTED | Nud.DELAY | Nud.PROBE)) !== 0) return false
  if (neigh.dead) return drop(skb)
  let probe = false
  if (neigh.nudState === Nud.STALE) {
    neighDelTimer(neigh)
    neigh.nudState = Nud.DELAY
    neigh.updated = now
    neighAddTimer(neigh, now + msecsToJiffies(neigh.table.kernel, neigh.parms.delayProbeTime))
    return false
  }
  if (neigh.nudState !== Nud.INCOMPLETE) {
    if (neigh.parms.mcastProbes + neigh.parms.appProbes === 0) return giveUp(neigh, skb, now)
    neigh.probes = neigh.parms.ucastProbes
    neighDelTimer(neigh)
    neigh.nudState = Nud.INCOMPLETE
    neigh.updated = now
    neighAddTimer(neigh, now + neighRetrans(neigh.parms))
    probe = true
  }
  if (skb !== null) keep(neigh, skb)
  if (probe) neighProbe(neigh)
  return true
}

function giveUp(neigh: Neighbour, skb: SkBuff | null, now: number): boolean {
  neigh.nudState = Nud.FAILED
  neigh.updated = now
  return drop(skb)
}

function drop(skb: SkBuff | null): boolean {
  if (skb !== null) kfreeSkb(skb, SkbDropReason.NEIGH_FAILED)
  return true
}

/** Queues a packet; the oldest give way. */
function keep(neigh: Neighbour, skb: SkBuff): void {
  while (neigh.arpQueueLenBytes + skb.truesize > neigh.parms.queueLenBytes) {
    const oldest = skbDequeue(neigh.arpQueue)
    if (oldest === null) break
    neigh.arpQueueLenBytes -= oldest.truesize
    neigh.table.stats.unresDiscards++
    kfreeSkb(oldest, SkbDropReason.NEIGH_QUEUEFULL)
  }
  skbQueueTail(neigh.arpQueue, skb)
  neigh.arpQueueLenBytes += skb.truesize
}
