import { spinLock, spinUnlock } from '@vnet/core-ring'
import { localBhDisable, localBhEnable } from '@vnet/kernel'
import * as nd from '@vnet/netdev'
import type { VnetQueue } from './queue.ts'
import * as reg from './regs.ts'
import * as stat from './stats.ts'

/** Frees and counts what the card completed; returns the bytes. */
export function reclaimTx(q: VnetQueue, budget: number): number {
  const { tx, txSkb } = q
  const n = tx.completed()
  let bytes = 0
  let errors = 0
  let errorBytes = 0
  spinLock(q.txLock)
  for (let k = 0; k < n; k++) {
    const index = tx.clean + k
    const d = tx.at(index)
    const length = tx.words[d + reg.DESC_LENGTH]!
    bytes += length
    if ((tx.words[d + reg.DESC_STATUS]! & reg.STATUS_ERROR) !== 0) {
      errors++
      errorBytes += length
    }
    nd.napiConsumeSkb(txSkb[index & tx.mask]!, budget)
    txSkb[index & tx.mask] = null
  }
  tx.reclaim(n)
  spinUnlock(q.txLock)
  q.stats.add(stat.TX_PACKETS, n - errors)
  q.stats.add(stat.TX_BYTES, bytes - errorBytes)
  if (errors > 0) q.stats.add(stat.TX_ERRORS, errors)
  return bytes
}

/**
 * Empties the transmit ring; frames the card never sent are counted under `lost`. Process context.
 *
 * @rule STOP-04 BQL-03
 */
export function drainTx(q: VnetQueue, lost: number): void {
  const { kernel } = q.dev
  localBhDisable(kernel)
  reclaimTx(q, 0)
  const { tx, txSkb } = q
  const left = tx.used()
  spinLock(q.txLock)
  for (let k = 0; k < left; k++) {
    nd.devKfreeSkbAny(txSkb[(tx.clean + k) & tx.mask]!, nd.SkbDropReason.QUEUE_PURGE)
    txSkb[(tx.clean + k) & tx.mask] = null
  }
  tx.reset()
  spinUnlock(q.txLock)
  q.stats.add(lost, left)
  nd.netdevTxResetQueue(q.txq)
  localBhEnable(kernel)
}
