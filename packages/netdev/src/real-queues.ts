import { Errno } from '@vnet/kernel'
import { assertRtnl } from './control.ts'
import type { NetDevice } from './netdevice.ts'
import { qdiscResetAllTxGt } from './qdisc/activate.ts'

/**
 * Sets how many transmit queues are in use. What waits in those taken away is dropped and counted. Once the device is
 * registered rtnl is held.
 *
 * @throws Errno EINVAL outside 1 … the number allocated
 * @kernel netif_set_real_num_tx_queues() net/core/dev.c
 * @rule MQ-01
 */
export function netifSetRealNumTxQueues(dev: NetDevice<any>, count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > dev.numTxQueues) throw new Errno('EINVAL')
  if (dev.regState === 'registered' || dev.regState === 'unregistering')
    assertRtnl(dev.kernel, 'netifSetRealNumTxQueues')
  const fewer = count < dev.realNumTxQueues
  dev.qdisc.changeRealNumTx(count)
  dev.realNumTxQueues = count
  if (fewer) qdiscResetAllTxGt(dev, count)
}

/** Sets how many receive queues are in use. @throws Errno EINVAL @kernel netif_set_real_num_rx_queues() net/core/dev.c @rule MQ-01 */
export function netifSetRealNumRxQueues(dev: NetDevice<any>, count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > dev.numRxQueues) throw new Errno('EINVAL')
  if (dev.regState === 'registered') assertRtnl(dev.kernel, 'netifSetRealNumRxQueues')
  dev.realNumRxQueues = count
}

/** Sets both counts; when the second is refused the first is put back. @throws Errno EINVAL @kernel netif_set_real_num_queues() net/core/dev.c @rule MQ-01 */
export function netifSetRealNumQueues(dev: NetDevice<any>, tx: number, rx: number): void {
  const before = dev.realNumRxQueues
  netifSetRealNumRxQueues(dev, rx)
  try {
    netifSetRealNumTxQueues(dev, tx)
  } catch (error) {
    dev.realNumRxQueues = before
    throw error
  }
}
