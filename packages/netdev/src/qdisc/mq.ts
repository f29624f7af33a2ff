import { NET_XMIT_DROP } from '../constants.ts'
import type { NetDevice } from '../netdevice.ts'
import type { SkBuff } from '../skbuff.ts'
import { Qdisc, type QdiscOps } from './qdisc.ts'

/**
 * The root of a device with several queues: one child each; it only adds up.
 *
 * @kernel mq_qdisc_ops net/sched/sch_mq.c
 * @rule MQ-01
 */
export class MqQdisc extends Qdisc {
  constructor(dev: NetDevice<any>, child: QdiscOps) {
    super('mq', dev, null)
    for (const txq of dev.txq) txq.qdiscSleeping = child.create(dev, txq)
  }

  override get children(): readonly Qdisc[] {
    return this.dev.txq.map((txq) => txq.qdiscSleeping)
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
