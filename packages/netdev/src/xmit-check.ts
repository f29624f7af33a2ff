import { NETDEV_TX_BUSY, NETDEV_TX_OK, type NetdevTx } from './constants.ts'
import { devGetStats } from './get-stats.ts'
import type { NetDevice } from './netdevice.ts'
import type { NetdevQueue } from './queue.ts'
import { QueueState } from './queue-state.ts'
import { RtnlLinkStats64 } from './stats.ts'
import type { SkBuff } from './skbuff.ts'

/** Reports a second `ndoStartXmit` on a queue where one is running. @kernel none @rule CTX-02 */
export function xmitOverlap(dev: NetDevice<any>, txq: NetdevQueue): void {
  dev.kernel.warnOn('CTX-02', `${dev.name} queue ${txq.index}: ndoStartXmit entered again while it runs`)
}

/**
 * `ndoStartXmit` with every rule about it checked. Used when `kernel.checks` is on.
 *
 * @kernel none
 * @rule CTX-02 CTX-05 TXQ-01 TXQ-02 TXQ-13
 */
export function startXmitChecked(skb: SkBuff, dev: NetDevice<any>, txq: NetdevQueue): NetdevTx {
  const kernel = dev.kernel
  const where = `${dev.name} queue ${txq.index}`
  if (kernel.ctx === 'hardirq') kernel.warnOn('CTX-02', `${where}: ndoStartXmit in an interrupt handler`)
  else if (kernel.ctx === 'process' && kernel.cpu.bhDepth === 0)
    kernel.warnOn('CTX-02', `${where}: ndoStartXmit with softirqs on`)
  if (!txq.xmitLocked) kernel.warnOn('CTX-02', `${where}: ndoStartXmit without the xmit lock`)
  if ((txq.state & QueueState.FROZEN) !== 0)
    kernel.warnOn('CTX-05', `${where}: ndoStartXmit on a frozen queue`)
  if ((txq.state & QueueState.DRV_XOFF) !== 0)
    kernel.warnOn('TXQ-13', `${where}: ndoStartXmit on a stopped queue`)
  const { users, len, id } = skb
  const { dataref } = skb.shinfo
  const counted = txq.busy > 0 && !txq.tookOne ? txCounted(dev) : null
  const rc = dev.ops.ndoStartXmit(skb, dev)
  if (rc === NETDEV_TX_OK) {
    txq.tookOne = true
    return rc
  }
  if (rc !== NETDEV_TX_BUSY) {
    kernel.warnOn(
      'TXQ-02',
      `${where}: ndoStartXmit returned ${String(rc)}, neither NETDEV_TX_OK nor NETDEV_TX_BUSY`,
    )
    return NETDEV_TX_OK
  }
  txq.busy++
  if (skb.id !== id || skb.users !== users || skb.shinfo.dataref !== dataref) {
    kernel.warnOn('TXQ-02', `${where}: NETDEV_TX_BUSY, but the driver freed the packet or kept it`)
    return NETDEV_TX_OK
  }
  if (skb.len !== len) kernel.warnOn('TXQ-02', `${where}: NETDEV_TX_BUSY, but the driver changed the packet`)
  if (counted !== null && txCounted(dev) !== counted)
    kernel.warnOn('TXQ-02', `${where}: NETDEV_TX_BUSY, but the driver counted the packet`)
  if ((txq.state & QueueState.DRV_XOFF) === 0)
    kernel.warnOn('TXQ-02', `${where}: NETDEV_TX_BUSY, but the queue is awake`)
  if (txq.tookOne) {
    txq.tookOne = false
    kernel.warnOn(
      'TXQ-01',
      `${where}: NETDEV_TX_BUSY after a packet it took: stop the queue before the ring is full`,
    )
  }
  return NETDEV_TX_BUSY
}

/** Everything the driver counts when a packet leaves or is lost. */
function txCounted(dev: NetDevice<any>): bigint {
  const s = devGetStats(dev, new RtnlLinkStats64())
  return s.txPackets + s.txDropped + s.txErrors
}
