import type { Clock } from '@vnet/kernel'

/** The highest limit there can be. @kernel DQL_MAX_LIMIT include/linux/dynamic_queue_limits.h */
export const DQL_MAX_LIMIT = 0x7fffffff - 0x0fffffff

const NO_SLACK = 0x7fffffff

/** How far `a` lies past `b`, counting round the 32-bit wrap; 0 when it does not. */
function past(a: number, b: number): number {
  const d = (a - b) | 0
  return d > 0 ? d : 0
}

/**
 * A limit on what stands in a hardware queue, found by watching the completions.
 *
 * It grows when the queue ran dry while more was held back, and shrinks by the least slack seen over a second. Counts
 * are bytes, run free and wrap at 2³².
 *
 * @kernel struct dql include/linux/dynamic_queue_limits.h
 * @rule BQL-05
 */
export class Dql {
  declare private readonly clock: Clock
  /** Queued since the start. */
  declare numQueued: number
  /** Completed since the start. */
  declare numCompleted: number
  /** The count up to which more may be queued: limit + numCompleted. */
  declare adjLimit: number
  /** Size of the last thing queued. */
  declare lastObjCnt: number
  declare limit: number
  declare minLimit: number
  declare maxLimit: number
  /** Jiffies the least slack is collected for before the limit shrinks. */
  declare slackHoldTime: number
  declare private prevNumQueued: number
  declare private prevOvlimit: number
  declare private prevLastObjCnt: number
  declare private lowestSlack: number
  declare private slackStartTime: number

  constructor(clock: Clock, hz = 250) {
    this.clock = clock
    this.numQueued = 0
    this.numCompleted = 0
    this.adjLimit = 0
    this.lastObjCnt = 0
    this.limit = 0
    this.minLimit = 0
    this.maxLimit = DQL_MAX_LIMIT
    this.slackHoldTime = hz
    this.prevNumQueued = 0
    this.prevOvlimit = 0
    this.prevLastObjCnt = 0
    this.lowestSlack = NO_SLACK
    this.slackStartTime = clock.jiffies
  }

  /** Bytes queued and not yet completed. */
  get inflight(): number {
    return (this.numQueued - this.numCompleted) | 0
  }

  /** Room under the limit; negative when over it. @kernel dql_avail() include/linux/dynamic_queue_limits.h */
  avail(): number {
    return (this.adjLimit - this.numQueued) | 0
  }

  /** Notes `count` bytes handed to the hardware. @kernel dql_queued() include/linux/dynamic_queue_limits.h */
  queued(count: number): void {
    this.lastObjCnt = count
    this.numQueued = (this.numQueued + count) | 0
  }

  /** Notes `count` finished bytes and moves the limit. @kernel dql_completed() lib/dynamic_queue_limits.c */
  completed(count: number): void {
    const queued = this.numQueued
    const before = this.numCompleted
    const completed = (before + count) | 0
    const left = (queued - completed) | 0
    const overLimit = past(queued - before, this.limit)
    const earlierAllDone = ((completed - this.prevNumQueued) | 0) >= 0
    let limit = this.limit
    let over = overLimit

    if ((overLimit > 0 && left === 0) || (this.prevOvlimit > 0 && earlierAllDone)) {
      // Starved: something was held back while the queue ran empty.
      limit += past(completed, this.prevNumQueued) + this.prevOvlimit
      this.restartSlack()
    } else if (left !== 0 && this.prevNumQueued !== before && !earlierAllDone) {
      limit = this.shrink(limit, (completed - before) | 0)
    }
    limit = limit < this.minLimit ? this.minLimit : limit > this.maxLimit ? this.maxLimit : limit
    if (limit !== this.limit) {
      this.limit = limit
      over = 0
    }
    this.adjLimit = (limit + completed) | 0
    this.prevOvlimit = over
    this.prevLastObjCnt = this.lastObjCnt
    this.numCompleted = completed
    this.prevNumQueued = queued
  }

  /** Forgets all that was queued and learned. @kernel dql_reset() lib/dynamic_queue_limits.c */
  reset(): void {
    this.limit = this.minLimit
    this.numQueued = 0
    this.numCompleted = 0
    this.adjLimit = this.minLimit
    this.lastObjCnt = 0
    this.prevNumQueued = 0
    this.prevOvlimit = 0
    this.prevLastObjCnt = 0
    this.restartSlack()
  }

  /** The queue was busy throughout: keep the least surplus seen, and take it off once a hold time. */
  private shrink(limit: number, done: number): number {
    const over = this.prevOvlimit
    const slack = past(limit + over, 2 * done)
    const lastObjects = over > 0 ? past(this.prevLastObjCnt, over) : 0
    const surplus = slack > lastObjects ? slack : lastObjects
    if (surplus < this.lowestSlack) this.lowestSlack = surplus
    if (this.clock.jiffies <= this.slackStartTime + this.slackHoldTime) return limit
    const smaller = past(limit, this.lowestSlack)
    this.restartSlack()
    return smaller
  }

  private restartSlack(): void {
    this.lowestSlack = NO_SLACK
    this.slackStartTime = this.clock.jiffies
  }
}
