import { spinLock, spinUnlock } from '@vnet/core-ring'
import { localBhDisable, localBhEnable } from '@vnet/kernel'
import * as nd from '@vnet/netdev'
import type { VnetQueue } from './queue.ts'
import * as stat from './stats.ts'

/** Frees and counts what the card completed; returns the bytes. */
export function reclaimTx(q: VnetQueue, budget: number): number {
  const { tx, txSkb, stats } = q
  const { words, mask } = tx
  const n = tx.completed()
  const first = tx.clean | 0
  let bytes = 0
  let errors = 0
  let errorBytes = 0
  let kind = 0
  let counted = 0
  for (let k = 0; k < n; k++) {
    const slot = (first + k) & mask
    const d = slot << 2 // DESC_WORDS
    const length = words[d | 2]! // DESC_LENGTH
    bytes += length
    // DESC_STATUS, STATUS_ERROR
    if ((words[d | 3]! & 2) !== 0) {
      errors++
      errorBytes += length
    }
    const { protocol } = txSkb[slot]!
    // Neighbours are mostly of one kind: counted when another comes.
    if (protocol !== kind) {
      stats.add(stat.TX_PROTO + stat.protoSlot(kind), k - counted)
      counted = k
      kind = protocol
    }
  }
  spinLock(q.txLock)
  nd.napiConsumeSkbRing(txSkb, first, n, budget)
  tx.reclaim(n)
  spinUnlock(q.txLock)
  stats.add(stat.TX_PACKETS, n - errors)
  stats.add(stat.TX_BYTES, bytes - errorBytes)
  stats.add(stat.TX_PROTO + stat.protoSlot(kind), n - counted)
  if (errors > 0) stats.add(stat.TX_ERRORS, errors)
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
