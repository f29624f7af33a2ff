import { NET_XMIT_CN, NET_XMIT_SUCCESS } from '../constants.ts'
import { skbGetHash } from '../flow.ts'
import type { NetDevice } from '../netdevice.ts'
import type { NetdevQueue } from '../queue.ts'
import type { SkBuff } from '../skbuff.ts'
import { CODEL_DEFAULTS, codelDequeue, CodelVars, codelTime, type CodelQueue } from './codel.ts'
import { inetEcnSetCe } from './ecn.ts'
import { Qdisc, type QdiscOps } from './qdisc.ts'

/** As the kernel has it by default. @kernel fq_codel_init() net/sched/sch_fq_codel.c */
const FLOWS = 1024
const LIMIT_PACKETS = 10 * 1024
const MEMORY_LIMIT = 32 * 1024 * 1024
const DROP_BATCH = 64

/** Packets of one flow, and its turn among the others. @kernel struct fq_codel_flow net/sched/sch_fq_codel.c */
class FqFlow {
  readonly vars = new CodelVars()
  head: SkBuff | null = null
  tail: SkBuff | null = null
  backlog = 0
  /** Bytes it may still send in its turn. */
  deficit = 0
  /** It is in a list: its turn will come. */
  listed = false
  next: FqFlow | null = null
}

/** Flows in the order of their turns. */
class FlowList {
  head: FqFlow | null = null
  tail: FqFlow | null = null

  push(flow: FqFlow): void {
    flow.next = null
    if (this.tail === null) this.head = flow
    else this.tail.next = flow
    this.tail = flow
  }

  shift(): void {
    const flow = this.head!
    this.head = flow.next
    if (this.head === null) this.tail = null
    flow.next = null
  }

  get length(): number {
    let count = 0
    for (let flow = this.head; flow !== null; flow = flow.next) count++
    return count
  }
}

/** What `tc -s qdisc` shows beyond the common counters. @kernel struct tc_fq_codel_qd_stats include/uapi/linux/pkt_sched.h */
export interface FqCodelStats {
  readonly maxPacket: number
  readonly dropOverlimit: number
  readonly ecnMark: number
  readonly newFlowCount: number
  readonly newFlowsLen: number
  readonly oldFlowsLen: number
  readonly memoryUsage: number
  readonly dropOvermemory: number
}

/**
 * Fair queueing with CoDel: flows take turns, new ones first, and a flow whose packets wait too long loses some. What
 * distributions set as the default.
 *
 * @kernel fq_codel_qdisc_ops net/sched/sch_fq_codel.c
 */
export class FqCodelQdisc extends Qdisc implements CodelQueue {
  readonly params = CODEL_DEFAULTS
  readonly flowsCount = FLOWS
  readonly limit = LIMIT_PACKETS
  readonly memoryLimit = MEMORY_LIMIT
  readonly dropBatch = DROP_BATCH
  readonly quantum: number
  maxPacket = 0
  /** A slot is filled when its first packet comes. */
  readonly #flows: (FqFlow | null)[] = new Array<FqFlow | null>(FLOWS).fill(null)
  readonly #new = new FlowList()
  readonly #old = new FlowList()
  /** The flow whose turn it is. */
  #current: FqFlow | null = null
  #memory = 0
  #newFlowCount = 0
  #dropOverlimit = 0
  #dropOvermemory = 0
  #ecnMark = 0

  constructor(dev: NetDevice<any>, txq: NetdevQueue) {
    super('fq_codel', dev, txq, { canBypass: true })
    this.quantum = dev.mtu + dev.hardHeaderLen
  }

  get mtu(): number {
    return this.dev.mtu + this.dev.hardHeaderLen
  }

  /** @kernel fq_codel_dump_stats() net/sched/sch_fq_codel.c */
  get flowStats(): FqCodelStats {
    return {
      maxPacket: this.maxPacket,
      dropOverlimit: this.#dropOverlimit,
      ecnMark: this.#ecnMark,
      newFlowCount: this.#newFlowCount,
      newFlowsLen: this.#new.length,
      oldFlowsLen: this.#old.length,
      memoryUsage: this.#memory,
      dropOvermemory: this.#dropOvermemory,
    }
  }

  override enqueue(skb: SkBuff): number {
    const slot = (skbGetHash(skb) >>> 0) % FLOWS
    const flow = (this.#flows[slot] ??= new FqFlow())
    skb.cb = codelTime(this.dev.kernel.clock.ktimeGetCoarse())
    this.#append(flow, skb)
    if (!flow.listed) this.#listNew(flow)
    const memoryLimited = this.#memory > this.memoryLimit
    if (this.qlen <= this.limit && !memoryLimited) return NET_XMIT_SUCCESS
    const dropsBefore = this.drops
    const fattest = this.#dropFattest()
    this.#dropOverlimit += this.drops - dropsBefore
    if (memoryLimited) this.#dropOvermemory += this.drops - dropsBefore
    // The sender of the flow that lost something is told to slow down.
    return fattest === flow ? NET_XMIT_CN : NET_XMIT_SUCCESS
  }

  #append(flow: FqFlow, skb: SkBuff): void {
    skb.next = null
    if (flow.tail === null) flow.head = skb
    else flow.tail.next = skb
    flow.tail = skb
    flow.backlog += skb.len
    this.backlog += skb.len
    this.#memory += skb.truesize
    this.qlen++
  }

  #listNew(flow: FqFlow): void {
    flow.listed = true
    flow.deficit = this.quantum
    this.#newFlowCount++
    this.#new.push(flow)
  }

  #shift(flow: FqFlow): SkBuff | null {
    const skb = flow.head
    if (skb === null) return null
    flow.head = skb.next
    if (flow.head === null) flow.tail = null
    skb.next = null
    flow.backlog -= skb.len
    this.backlog -= skb.len
    this.#memory -= skb.truesize
    this.qlen--
    return skb
  }

  /** Half of what the flow with most bytes has, but no more than a batch. @kernel fq_codel_drop() net/sched/sch_fq_codel.c */
  #dropFattest(): FqFlow | null {
    let fattest: FqFlow | null = null
    for (const flow of this.#flows) {
      if (flow !== null && (fattest === null || flow.backlog > fattest.backlog)) fattest = flow
    }
    if (fattest === null) return null
    const enough = fattest.backlog / 2
    let bytes = 0
    for (let i = 0; i < this.dropBatch && bytes < enough; i++) {
      const skb = this.#shift(fattest)
      if (skb === null) break
      bytes += skb.len
      this.drop(skb)
    }
    return fattest
  }

  override dequeue(): SkBuff | null {
    const now = codelTime(this.dev.kernel.clock.ktimeGetCoarse())
    for (;;) {
      const list = this.#new.head !== null ? this.#new : this.#old
      const flow = list.head
      if (flow === null) return null
      if (flow.deficit <= 0) {
        flow.deficit += this.quantum
        list.shift()
        this.#old.push(flow)
        continue
      }
      this.#current = flow
      const skb = codelDequeue(flow.vars, this, now)
      if (skb !== null) return this.#count(flow, skb)
      list.shift()
      // A new flow that ran dry waits behind the old ones once, so that it cannot stay new for ever.
      if (list === this.#new && this.#old.head !== null) this.#old.push(flow)
      else flow.listed = false
    }
  }

  #count(flow: FqFlow, skb: SkBuff): SkBuff {
    flow.deficit -= skb.len
    this.packets++
    this.bytes += skb.len
    return skb
  }

  codelNext(): SkBuff | null {
    return this.#shift(this.#current!)
  }

  codelDrop(skb: SkBuff): void {
    this.drop(skb)
  }

  codelMark(skb: SkBuff): boolean {
    const marked = inetEcnSetCe(skb)
    if (marked) this.#ecnMark++
    return marked
  }

  protected override resetQueue(): void {
    for (const [slot, flow] of this.#flows.entries()) {
      if (flow === null) continue
      for (let skb = this.#shift(flow); skb !== null; skb = this.#shift(flow)) this.drop(skb)
      this.#flows[slot] = null
    }
    while (this.#new.head !== null) this.#new.shift()
    while (this.#old.head !== null) this.#old.shift()
  }
}

/** The `fq_codel` discipline. @kernel fq_codel_qdisc_ops net/sched/sch_fq_codel.c */
export const fqCodelQdiscOps: QdiscOps = {
  id: 'fq_codel',
  create: (dev, txq) => new FqCodelQdisc(dev, txq),
}
