import { raiseSoftirq, Softirq } from '@vnet/kernel'
import { addTail, isLinked, spliceTail, unlink } from './list.ts'
import { napiPollOwned } from './poll.ts'
import type { SoftnetData } from './softnet-data.ts'

/**
 * The NET_RX softirq: polls those on the list in turn, until all are done, or the budget or the time is used up.
 *
 * One that used its whole weight goes behind all others. What is left is polled in the next run.
 *
 * @kernel net_rx_action() net/core/dev.c
 * @rule NAPI-17 NAPI-18
 */
export function netRxAction(softnet: SoftnetData): void {
  if (!isLinked(softnet.pollList)) return
  softnet.inNetRxAction = true
  try {
    pollAll(softnet)
  } finally {
    softnet.inNetRxAction = false
    // In this order: not polled in this run, scheduled during it, used their weight in it.
    spliceTail(softnet.pollList, softnet.batch)
    spliceTail(softnet.repoll, softnet.batch)
    spliceTail(softnet.batch, softnet.pollList)
    if (isLinked(softnet.pollList)) raiseSoftirq(softnet.kernel, Softirq.NET_RX)
  }
}

function pollAll(softnet: SoftnetData): void {
  const { batch, repoll } = softnet
  const { clock } = softnet.kernel
  // The start of that tick: the same as comparing ticks, without a division for each poll.
  const timeLimit = (clock.jiffies + softnet.netdevBudgetJiffies) * clock.tickNs
  let budget = softnet.netdevBudget
  spliceTail(softnet.pollList, batch)
  for (;;) {
    if (!isLinked(batch)) {
      if (isLinked(repoll) || !isLinked(softnet.pollList)) return
      spliceTail(softnet.pollList, batch)
    }
    const node = batch.next
    const n = node.napi!
    unlink(node)
    budget -= napiPollOwned(n)
    if (n.repoll) addTail(repoll, node)
    const more = isLinked(batch) || isLinked(repoll) || isLinked(softnet.pollList)
    const now = more ? clock.ktimeGet() : clock.ktimeGetCoarse()
    if (budget <= 0 || now >= timeLimit) {
      softnet.timeSqueeze++
      return
    }
  }
}
