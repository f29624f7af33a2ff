import type { NetDevice } from '../netdevice.ts'
import type { NetdevQueue } from '../queue.ts'
import type { SkBuff } from '../skbuff.ts'
import { kfreeSkb } from '../skb-free.ts'
import { SkBuffHead, skbDequeue } from '../skb-queue.ts'
import { SkbDropReason } from '../drop-reason.ts'

/**
 * A kind of queueing discipline, found by its name.
 *
 * @kernel struct Qdisc_ops include/net/sch_generic.h
 */
export interface QdiscOps {
  /** As `tc` and `ip link` show it, e.g. 'pfifo_fast'. */
  readonly id: string
  /** Makes one for a queue; for a classful root `txq` is the first queue. */
  create(dev: NetDevice<any>, txq: NetdevQueue): Qdisc
}

/**
 * What stands between the stack and a transmit queue.
 *
 * @kernel struct Qdisc include/net/sch_generic.h
 */
export abstract class Qdisc {
  declare readonly id: string
  declare readonly dev: NetDevice<any>
  /** The queue it feeds; null for a root that only has children. */
  declare readonly txq: NetdevQueue | null
  /** False for `noqueue`: packets go straight to the driver or are lost. */
  declare readonly hasQueue: boolean
  /** A packet may pass it by when it is empty. */
  declare readonly canBypass: boolean
  /** `major:minor`, set by tc; 0 for the default. */
  declare handle: number
  declare parent: number

  /** Packets and bytes waiting, those put back included. */
  declare qlen: number
  declare backlog: number
  /** Packets and bytes that left it. */
  declare packets: number
  declare bytes: number
  declare drops: number
  declare overlimits: number
  declare requeues: number

  /** Someone is sending from it. @kernel qdisc_run_begin() include/net/sch_generic.h */
  declare running: boolean
  /** It waits for the NET_TX softirq. */
  declare scheduled: boolean
  declare nextScheduled: Qdisc | null
  /** Its device is down or has no carrier: it neither takes nor gives. */
  declare deactivated: boolean
  /** Packets the driver did not take: they go first. @kernel gso_skb include/net/sch_generic.h */
  declare readonly requeued: SkBuffHead

  constructor(
    id: string,
    dev: NetDevice<any>,
    txq: NetdevQueue | null,
    init: { hasQueue?: boolean; canBypass?: boolean } = {},
  ) {
    this.id = id
    this.dev = dev
    this.txq = txq
    this.hasQueue = init.hasQueue ?? true
    this.canBypass = init.canBypass ?? false
    this.handle = 0
    this.parent = 0
    this.qlen = 0
    this.backlog = 0
    this.packets = 0
    // Outgrows 31 bits: NaN first gives V8 a double field from the start, written in place ever after.
    this.bytes = NaN
    this.bytes = 0
    this.drops = 0
    this.overlimits = 0
    this.requeues = 0
    this.running = false
    this.scheduled = false
    this.nextScheduled = null
    this.deactivated = false
    this.requeued = new SkBuffHead()
  }

  /** Takes a packet, or drops it with {@link drop}. @returns NET_XMIT_SUCCESS, NET_XMIT_DROP or NET_XMIT_CN */
  abstract enqueue(skb: SkBuff): number
  /** Gives the next packet, not counting those put back. */
  abstract dequeue(): SkBuff | null
  /** Frees every packet inside; the base class frees those put back. */
  protected abstract resetQueue(): void

  /** Learns of a new `txQueueLen`. @kernel change_tx_queue_len() include/net/sch_generic.h */
  changeTxQueueLen(_length: number): void {}

  /** Learns that queues came or went. @kernel change_real_num_tx() include/net/sch_generic.h */
  changeRealNumTx(_count: number): void {}

  /** Children of a classful root, one a queue. */
  get children(): readonly Qdisc[] {
    return []
  }

  /** Empties it: what waited is dropped and counted. @kernel qdisc_reset() net/sched/sch_generic.c */
  reset(): void {
    for (let skb = skbDequeue(this.requeued); skb !== null; skb = skbDequeue(this.requeued)) this.drop(skb)
    this.resetQueue()
    this.qlen = 0
    this.backlog = 0
  }

  /** Drops a packet and counts it. @kernel qdisc_drop() include/net/sch_generic.h */
  drop(skb: SkBuff): number {
    this.drops++
    kfreeSkb(skb, SkbDropReason.QDISC_DROP)
    return 1
  }
}
