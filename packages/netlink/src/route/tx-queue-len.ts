import { Errno } from '@vnet/kernel'
import { devChangeTxQueueLen } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'

/** A queueing discipline makes its rings at once, so a program must not ask for all the memory there is. */
const MOST = 1 << 20

/** Changes the length of the transmit queue. @throws Errno ENOMEM for a queue nobody can hold @kernel dev_change_tx_queue_len() net/core/dev.c */
export function changeTxQueueLen(dev: NetDevice<any>, length: number): void {
  if (length > MOST) throw new Errno('ENOMEM')
  devChangeTxQueueLen(dev, length)
}
