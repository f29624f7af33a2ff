import { type Hrtimer, hrtimerSetup, type Kernel, type Kthread } from '@vnet/kernel'
import { NapiNode } from './list.ts'
import {
  NAPIF_STATE_DISABLE,
  NAPIF_STATE_LISTED,
  NAPIF_STATE_NPSVC,
  NAPIF_STATE_PREFER_BUSY_POLL,
  NAPIF_STATE_SCHED,
} from './state.ts'
import type { SoftnetData } from './softnet-data.ts'

/** What an owner keeps of its instances, to delete those left over. @rule NAPI-19 */
export interface NapiHandle {
  readonly napiId: number
  readonly enabled: boolean
  /** Its poll function is running. */
  readonly polling?: boolean
  del(): void
}

/** Whoever has NAPI instances: a network device, or anything else that interrupts and is then polled. */
export interface NapiOwner {
  readonly kernel: Kernel
  /** Used in messages, traces and thread names. */
  readonly name: string
  readonly ifindex: number
  napiAttach?(napi: NapiHandle): void
  napiDetach?(napi: NapiHandle): void
}

/**
 * Handles up to `budget` received items and returns how many it handled; work that is not receiving does not count.
 *
 * Runs in softirq context, or in its thread with softirqs off. Less than `budget` means that nothing is left: then it
 * has called `napiCompleteDone`, and unmasked its interrupt if that returned true. Exactly `budget` means that more may
 * be left: then it has not. With budget 0 it receives nothing and does not complete.
 *
 * @rule CTX-04 NAPI-02 NAPI-03 NAPI-04 NAPI-05 NAPI-06 NAPI-07 NAPI-08 NAPI-11
 */
export type NapiPoll = (napi: NapiStruct, budget: number) => number

/** Someone who holds received items back to join them, and gives them on when polling ends: GRO. */
export interface NapiFlushHook {
  /** Items held back. */
  readonly count: number
  /** Gives on those held since an earlier tick (`flushOld`), or all. Called also when `count` is 0. */
  flush(flushOld: boolean): void
}

/** What happened to an instance since it was added. @kernel none */
export class NapiStats {
  /** Calls of its poll function, whoever made them. */
  declare polls: number
  /** Work they reported. */
  declare work: number
  /** Times it was put up for polling. */
  declare scheduled: number
  /** Times it was scheduled while owned. @rule NAPI-10 */
  declare missed: number
  /** Completions after which the interrupt was to be unmasked. */
  declare completed: number
  /** Completions that left interrupts masked, and a timer running instead. @rule COAL-03 */
  declare deferred: number
  /** Times the timer put it up for polling. */
  declare timerFired: number
  /** Polls made by a busy loop; part of `polls`. */
  declare busyPolls: number

  constructor() {
    this.polls = 0
    this.work = 0
    this.scheduled = 0
    this.missed = 0
    this.completed = 0
    this.deferred = 0
    this.timerFired = 0
    this.busyPolls = 0
  }
}

/** What an instance is made from; `netifNapiAdd` fills it in. */
export interface NapiInit {
  readonly owner: NapiOwner
  readonly softnet: SoftnetData
  readonly poll: NapiPoll
  readonly weight: number
  readonly napiId: number
  readonly index: number
  /** The deferral timer's work, in hardirq context. */
  readonly watchdog: (n: NapiStruct) => void
  readonly remove: (n: NapiStruct) => void
}

/**
 * One NAPI instance: a source of work that interrupts once and is then polled until it is empty.
 *
 * Made by `netifNapiAdd`, never by hand. The settings, `flushHook` and `data` may be written; the rest is to be read.
 *
 * @kernel struct napi_struct include/linux/netdevice.h
 */
export class NapiStruct implements NapiHandle {
  declare readonly owner: NapiOwner
  declare readonly kernel: Kernel
  declare readonly softnet: SoftnetData
  /** Unique in its kernel. With an `index`, the same after deleting and adding again. */
  declare readonly napiId: number
  /** The stable number given to `netifNapiAdd`, or -1. */
  declare readonly index: number
  /** The module that added it. */
  declare readonly module: string | null
  declare readonly poll: NapiPoll
  /** Most work of one poll. */
  declare readonly weight: number
  /** The NAPIF_STATE_* bits. */
  declare state: number
  /** Empty polls on a timer before interrupts come back; needs `groFlushTimeout`. @rule COAL-03 */
  declare deferHardIrqs: number
  /** That timer, in ns; alone, it only bounds how long the flush hook holds items. @rule COAL-04 */
  declare groFlushTimeout: number
  /** Safety net, in ns, while an application busy polls with interrupts suspended; 0 is off. @rule COAL-06 */
  declare irqSuspendTimeout: number
  /** Empty polls still to wait for. */
  declare deferHardIrqsCount: number
  declare flushHook: NapiFlushHook | null
  /** The driver's. */
  declare data: unknown
  declare readonly stats: NapiStats
  /** Polled by a thread; set by `devSetThreaded`. */
  declare threaded: boolean
  declare thread: Kthread | null
  declare readonly node: NapiNode
  /** Polls again while interrupts are deferred, and limits their suspension. */
  declare readonly timer: Hrtimer
  /** Polls of this instance on the stack, and the budget of the innermost. */
  declare depth: number
  declare budget: number
  /** The poll that runs has called napiCompleteDone; the poll that ended had. */
  declare completing: boolean
  declare didComplete: boolean
  /** The poll that ended used its whole weight: poll again. */
  declare repoll: boolean
  /** Owned, but the one who should go on failed: reported already. */
  declare stuck: boolean
  declare private readonly remove: (n: NapiStruct) => void

  constructor(init: NapiInit) {
    this.owner = init.owner
    this.kernel = init.owner.kernel
    this.softnet = init.softnet
    this.napiId = init.napiId
    this.index = init.index
    this.module = init.owner.kernel.currentModule
    this.poll = init.poll
    this.weight = init.weight
    this.state = NAPIF_STATE_LISTED | NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC
    this.deferHardIrqs = 0
    this.groFlushTimeout = 0
    this.irqSuspendTimeout = 0
    this.deferHardIrqsCount = 0
    this.flushHook = null
    this.data = undefined
    this.stats = new NapiStats()
    this.threaded = false
    this.thread = null
    this.node = new NapiNode(this)
    this.timer = hrtimerSetup(this.kernel, () => init.watchdog(this), napiName(this))
    this.depth = 0
    this.budget = 0
    this.completing = false
    this.didComplete = false
    this.repoll = false
    this.stuck = false
    this.remove = init.remove
  }

  /** May be scheduled: added, and enabled since. */
  get enabled(): boolean {
    return (this.state & NAPIF_STATE_LISTED) !== 0 && !isDisabled(this)
  }

  /** Its poll function is running. */
  get polling(): boolean {
    return this.depth > 0
  }

  /** Deletes it, as `netifNapiDel` does. For the owner that finds it left over. */
  del(): void {
    this.remove(this)
  }
}

/** True between napiDisable (or adding) and napiEnable. During a poll with budget 0 the bits look the same. */
export function isDisabled(n: NapiStruct): boolean {
  const both = NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC
  return (n.state & both) === both && n.depth === 0
}

/** How messages call an instance: `'vnet0 napi 8193'`. */
export function napiName(n: NapiStruct): string {
  return `${n.owner.name} napi ${n.napiId}`
}

/**
 * True while someone owns the instance: it waits to be polled, or is being polled.
 *
 * @kernel napi_is_scheduled() include/linux/netdevice.h
 */
export function napiIsScheduled(n: NapiStruct): boolean {
  return (n.state & NAPIF_STATE_SCHED) !== 0
}

/**
 * True while napiDisable waits for the owner.
 *
 * @kernel napi_disable_pending() include/linux/netdevice.h
 */
export function napiDisablePending(n: NapiStruct): boolean {
  return (n.state & NAPIF_STATE_DISABLE) !== 0
}

/**
 * True when a busy loop asked for the instance.
 *
 * @kernel napi_prefer_busy_poll() include/linux/netdevice.h
 */
export function napiPreferBusyPoll(n: NapiStruct): boolean {
  return (n.state & NAPIF_STATE_PREFER_BUSY_POLL) !== 0
}
