import type { Kernel, Tracepoint } from '@vnet/kernel'
import { NapiNode } from './list.ts'
import type { NapiStruct } from './napi-struct.ts'
import type { OwnerConfig } from './config.ts'

/** First napi id: smaller numbers mean a CPU. As on a kernel built for 8,192 of them. @kernel MIN_NAPI_ID include/net/busy_poll.h */
export const MIN_NAPI_ID = 8193

/**
 * What one kernel keeps for its NAPI instances: who waits to be polled, the budget of a softirq run, and counters.
 *
 * Get it with `softnet(kernel)`. The budgets may be set at any time; the rest is to be read.
 *
 * @kernel struct softnet_data include/linux/netdevice.h
 */
export class SoftnetData {
  declare readonly kernel: Kernel
  /** What the polls reported as work, all together. */
  declare processed: number
  /** How often a softirq run ended because its budget or its time was used up. @rule NAPI-17 */
  declare timeSqueeze: number
  /** Most work of one softirq run. @kernel net.core.netdev_budget net/core/hotdata.c */
  declare netdevBudget: number
  /** Longest softirq run, in ticks. @kernel net.core.netdev_budget_usecs net/core/hotdata.c */
  declare netdevBudgetJiffies: number
  /** Every instance that was added and not deleted. */
  declare readonly napis: NapiStruct[]
  /** True while the NET_RX softirq polls: what is scheduled meanwhile need not raise it. */
  declare inNetRxAction: boolean
  /** Instances waiting for the softirq. */
  declare readonly pollList: NapiNode
  /** Those the running softirq took over, and those that used their whole weight in it. */
  declare readonly batch: NapiNode
  declare readonly repoll: NapiNode
  /** Settings that outlive an instance. */
  declare readonly configs: WeakMap<object, OwnerConfig>
  /** 'napi:napi_poll': work, budget. */
  declare readonly tracePoll: Tracepoint
  declare nextId: number

  constructor(kernel: Kernel) {
    this.kernel = kernel
    this.processed = 0
    this.timeSqueeze = 0
    this.netdevBudget = 300
    this.netdevBudgetJiffies = 2
    this.napis = []
    this.inNetRxAction = false
    this.pollList = new NapiNode(null)
    this.batch = new NapiNode(null)
    this.repoll = new NapiNode(null)
    this.configs = new WeakMap()
    this.tracePoll = kernel.trace.point('napi:napi_poll', ['work', 'budget'])
    this.nextId = MIN_NAPI_ID
  }
}
