import { skbGetHash } from './flow.ts'
import { netdevWarn } from './netdev-printk.ts'
import type { NetDevice } from './netdevice.ts'
import type { NetdevQueue } from './queue.ts'
import type { SkBuff } from './skbuff.ts'

/**
 * Chooses the transmit queue of a packet: the driver's choice, or by the flow's hash.
 *
 * @kernel netdev_core_pick_tx() net/core/dev.c
 * @rule MQ-03
 */
export function netdevCorePickTx(dev: NetDevice<any>, skb: SkBuff): NetdevQueue {
  const count = dev.realNumTxQueues
  if (count === 1) {
    skb.queueMapping = 0
    return dev.txq[0]!
  }
  const { ops } = dev
  let index = ops.ndoSelectQueue === undefined ? netdevPickTx(dev, skb) : ops.ndoSelectQueue(dev, skb)
  if (!(index >= 0 && index < count)) {
    netdevWarn(dev, `selects TX queue ${index}, but real number of TX queues is ${count}`)
    index = 0
  }
  skb.queueMapping = index
  return dev.txq[index]!
}

/**
 * The queue of a packet's flow: the hash scaled to the number of queues.
 *
 * @kernel netdev_pick_tx() net/core/dev.c
 * @rule MQ-03
 */
export function netdevPickTx(dev: NetDevice<any>, skb: SkBuff): number {
  return Math.floor(((skbGetHash(skb) >>> 0) * dev.realNumTxQueues) / 0x100000000)
}
