import { scheduleDelayedWork, scheduleWork, type WorkStruct, workPending, workSetup } from '@vnet/kernel'
import { IfLinkMode, IfOper, Iff } from './constants.ts'
import type { Net } from './net.ts'
import { LinkState, type NetDevice } from './netdevice.ts'
import { netdevStateChange } from './notifier.ts'
import { devActivate, devDeactivate } from './qdisc/activate.ts'

/**
 * Notes that carrier or dormant state changed. Any context.
 *
 * Changes are acted on at most once a second, but for a link that comes up while the queues wait for it: that one
 * goes first.
 *
 * @kernel linkwatch_fire_event() net/core/link_watch.c
 * @rule LINK-03
 */
export function linkwatchFireEvent(dev: NetDevice<any>): void {
  const { linkwatch, kernel } = dev.net
  const work = linkwatchWork(dev.net)
  const urgent = isUrgent(dev)
  if ((dev.state & LinkState.LINKWATCH_PENDING) === 0) {
    dev.state |= LinkState.LINKWATCH_PENDING
    linkwatch.pending.add(dev)
  } else if (!urgent) {
    return
  }
  if (urgent) {
    // Already waiting for its time: run now instead.
    if (workPending(work)) kernel.events.cancel(work.event)
    scheduleWork(work)
    return
  }
  const delay = linkwatch.next - kernel.clock.jiffies
  if (delay <= 0 || delay > kernel.clock.hz) scheduleWork(work)
  else scheduleDelayedWork(work, delay)
}

function linkwatchWork(net: Net): WorkStruct {
  const { kernel, linkwatch } = net
  if (linkwatch.work !== null) return linkwatch.work
  // Whoever causes the first event, the work is the kernel's: a module's name must not stick to it.
  const module = kernel.currentModule
  kernel.currentModule = null
  linkwatch.work = workSetup(kernel, () => linkwatchEvent(net), 'linkwatch')
  kernel.currentModule = module
  return linkwatch.work
}

/** The link is up but the queues are not, or the other way round for a stacked device. @kernel linkwatch_urgent_event() net/core/link_watch.c */
function isUrgent(dev: NetDevice<any>): boolean {
  if ((dev.state & LinkState.START) === 0) return false
  if (dev.iflink !== 0 && dev.iflink !== dev.ifindex) return true
  if ((dev.state & LinkState.NOCARRIER) !== 0) return false
  return dev.txq.some((txq) => txq.qdisc !== txq.qdiscSleeping)
}

function linkwatchEvent(net: Net): void {
  const { rtnl, clock } = net.kernel
  const { linkwatch } = net
  if (!rtnl.trylock()) {
    // Whoever holds it is asleep: come back after the next tick.
    scheduleDelayedWork(linkwatchWork(net), 1)
    return
  }
  try {
    linkwatch.next = clock.jiffies + clock.hz
    const devices = [...linkwatch.pending]
    linkwatch.pending.clear()
    for (const dev of devices) linkwatchDoDev(dev)
  } finally {
    rtnl.unlock()
  }
}

/** Brings state, queues and listeners in line with the carrier. rtnl is held. @kernel linkwatch_do_dev() net/core/link_watch.c @rule LINK-01 LINK-03 */
function linkwatchDoDev(dev: NetDevice<any>): void {
  dev.state &= ~LinkState.LINKWATCH_PENDING
  rfc2863Policy(dev)
  if ((dev.flags & Iff.UP) === 0) return
  if ((dev.state & LinkState.NOCARRIER) === 0) devActivate(dev)
  else devDeactivate(dev)
  netdevStateChange(dev)
}

/** Acts on a device's event now, if one waits. rtnl is held. @kernel linkwatch_sync_dev() net/core/link_watch.c */
export function linkwatchSyncDev(dev: NetDevice<any>): void {
  if (dev.net.linkwatch.pending.delete(dev)) linkwatchDoDev(dev)
}

/** Sets the state of a device that is being registered. @kernel linkwatch_init_dev() net/core/link_watch.c */
export function linkwatchInitDev(dev: NetDevice<any>): void {
  if ((dev.state & (LinkState.NOCARRIER | LinkState.DORMANT | LinkState.TESTING)) !== 0) rfc2863Policy(dev)
}

/** What the state would be, before the link mode has its say. @kernel default_operstate() net/core/link_watch.c @rule LINK-02 */
export function defaultOperstate(dev: NetDevice<any>): IfOper {
  if ((dev.state & LinkState.TESTING) !== 0) return IfOper.TESTING
  if ((dev.state & LinkState.NOCARRIER) !== 0) return noCarrierState(dev)
  if ((dev.state & LinkState.DORMANT) !== 0) return IfOper.DORMANT
  return IfOper.UP
}

/** A device on top of another that is fine has itself to blame. */
function noCarrierState(dev: NetDevice<any>): IfOper {
  if (dev.iflink === 0 || dev.iflink === dev.ifindex) return IfOper.DOWN
  const lower = dev.net.devByIndex.get(dev.iflink)
  if (lower === undefined) return IfOper.DOWN
  return (lower.state & LinkState.NOCARRIER) === 0 ? IfOper.DOWN : IfOper.LOWERLAYERDOWN
}

/** Sets the operational state from carrier, dormant and the link mode. @kernel rfc2863_policy() net/core/link_watch.c @rule LINK-02 */
export function rfc2863Policy(dev: NetDevice<any>): void {
  let operstate = defaultOperstate(dev)
  if (operstate === IfOper.UP && dev.linkmode === IfLinkMode.DORMANT) operstate = IfOper.DORMANT
  else if (operstate === IfOper.UP && dev.linkmode === IfLinkMode.TESTING) operstate = IfOper.TESTING
  dev.operstate = operstate
}
