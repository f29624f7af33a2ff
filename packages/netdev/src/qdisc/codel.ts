import type { SkBuff } from '../skbuff.ts'

/** CoDel counts time in units of 1,024 ns, in 32 bits that wrap. @kernel CODEL_SHIFT include/net/codel.h */
const CODEL_SHIFT = 1024
const NS_PER_MS = 1_000_000

/** Nanoseconds in CoDel's units. @kernel MS2TIME include/net/codel.h */
export const codelTime = (ns: number): number => Math.floor(ns / CODEL_SHIFT) >>> 0

/** True when `a` is later than `b`, on a clock that wraps. @kernel codel_time_after() include/net/codel.h */
const after = (a: number, b: number): boolean => ((b - a) | 0) < 0

/** What CoDel aims at; times in its own units. @kernel struct codel_params include/net/codel.h */
export interface CodelParams {
  /** Waiting that is all right: 5 ms. */
  readonly target: number
  /** How long waiting may be worse before packets are dropped: 100 ms. */
  readonly interval: number
  /** Mark packets that can be marked instead of dropping them. */
  readonly ecn: boolean
}

/** As the kernel has it by default. @kernel codel_params_init() include/net/codel_impl.h */
export const CODEL_DEFAULTS: CodelParams = {
  target: codelTime(5 * NS_PER_MS),
  interval: codelTime(100 * NS_PER_MS),
  ecn: true,
}

/** CoDel's memory of one flow. @kernel struct codel_vars include/net/codel.h */
export class CodelVars {
  /** Drops since it began to drop. */
  count = 0
  lastCount = 0
  dropping = false
  /** When waiting will have been too long for an interval; 0 while it is all right. */
  firstAboveTime = 0
  dropNext = 0
  /** How long the last packet waited. */
  ldelay = 0
}

/** Where CoDel takes its packets from, and what it does with those it gives up. */
export interface CodelQueue {
  readonly params: CodelParams
  readonly mtu: number
  /** Bytes that wait in the whole qdisc. */
  readonly backlog: number
  /** Largest packet seen. */
  maxPacket: number
  /** The next packet of the flow, out of the qdisc's accounts. */
  codelNext(): SkBuff | null
  codelDrop(skb: SkBuff): void
  /** Marks a packet as having met congestion. @returns false when it cannot be marked */
  codelMark(skb: SkBuff): boolean
}

/** True when waiting was above the target for a whole interval. @kernel codel_should_drop() include/net/codel_impl.h */
function shouldDrop(skb: SkBuff | null, vars: CodelVars, queue: CodelQueue, now: number): boolean {
  if (skb === null) {
    vars.firstAboveTime = 0
    return false
  }
  vars.ldelay = (now - skb.cb) >>> 0
  if (skb.len > queue.maxPacket) queue.maxPacket = skb.len
  if (!after(vars.ldelay, queue.params.target) || queue.backlog <= queue.mtu) {
    vars.firstAboveTime = 0
    return false
  }
  if (vars.firstAboveTime === 0) {
    vars.firstAboveTime = (now + queue.params.interval) >>> 0
    return false
  }
  return after(now, vars.firstAboveTime)
}

/** The next drop comes sooner the more there were. @kernel codel_control_law() include/net/codel_impl.h */
const controlLaw = (from: number, params: CodelParams, count: number): number =>
  (from + Math.floor(params.interval / Math.sqrt(count))) >>> 0

/**
 * Takes the next packet of a flow that may be sent: packets that waited too long, too long a time, are marked or
 * dropped first. A packet's `cb` holds when it was queued.
 *
 * @param now - in CoDel's units
 * @kernel codel_dequeue() include/net/codel_impl.h
 */
export function codelDequeue(vars: CodelVars, queue: CodelQueue, now: number): SkBuff | null {
  const skb = queue.codelNext()
  if (skb === null) {
    vars.dropping = false
    return null
  }
  const drop = shouldDrop(skb, vars, queue, now)
  if (vars.dropping) return drop ? whileDropping(skb, vars, queue, now) : stopDropping(skb, vars)
  return drop ? startDropping(skb, vars, queue, now) : skb
}

function stopDropping(skb: SkBuff, vars: CodelVars): SkBuff {
  vars.dropping = false
  return skb
}

function whileDropping(first: SkBuff, vars: CodelVars, queue: CodelQueue, now: number): SkBuff | null {
  let skb: SkBuff | null = first
  while (skb !== null && vars.dropping && !after(vars.dropNext, now)) {
    vars.count++
    if (queue.params.ecn && queue.codelMark(skb)) {
      vars.dropNext = controlLaw(vars.dropNext, queue.params, vars.count)
      return skb
    }
    queue.codelDrop(skb)
    skb = queue.codelNext()
    if (!shouldDrop(skb, vars, queue, now)) vars.dropping = false
    else vars.dropNext = controlLaw(vars.dropNext, queue.params, vars.count)
  }
  return skb
}

function startDropping(first: SkBuff, vars: CodelVars, queue: CodelQueue, now: number): SkBuff | null {
  let skb: SkBuff | null = first
  if (!queue.params.ecn || !queue.codelMark(first)) {
    queue.codelDrop(first)
    skb = queue.codelNext()
    shouldDrop(skb, vars, queue, now)
  }
  vars.dropping = true
  // When it stopped dropping only a moment ago, it goes on about where it was.
  const delta = vars.count - vars.lastCount
  const recent = after((queue.params.interval * 16) >>> 0, (now - vars.dropNext) >>> 0)
  vars.count = delta > 1 && recent ? delta : 1
  vars.lastCount = vars.count
  vars.dropNext = controlLaw(now, queue.params, vars.count)
  return skb
}
