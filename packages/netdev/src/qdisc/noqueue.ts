import { NET_XMIT_DROP } from '../constants.ts'
import type { NetDevice } from '../netdevice.ts'
import type { NetdevQueue } from '../queue.ts'
import type { SkBuff } from '../skbuff.ts'
import { Qdisc, type QdiscOps } from './qdisc.ts'

/**
 * No queue at all, for devices that take every packet at once, such as `lo` and `veth`.
 *
 * @kernel noqueue_qdisc_ops net/sched/sch_generic.c
 */
export class NoqueueQdisc extends Qdisc {
  constructor(dev: NetDevice<any>, txq: NetdevQueue | null) {
    super('noqueue', dev, txq, { hasQueue: false })
  }

  override enqueue(skb: SkBuff): number {
    this.drop(skb)
    return NET_XMIT_DROP
  }

  override dequeue(): null {
    return null
  }

  protected override resetQueue(): void {}
}

/** The `noqueue` discipline. @kernel noqueue_qdisc_ops net/sched/sch_generic.c */
export const noqueueQdiscOps: QdiscOps = { id: 'noqueue', create: (dev, txq) => new NoqueueQdisc(dev, txq) }
