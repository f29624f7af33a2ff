import { NET_XMIT_CN } from '../constants.ts'
import type { NetDevice } from '../netdevice.ts'
import type { SkBuff } from '../skbuff.ts'
import { Qdisc } from './qdisc.ts'

/**
 * Drops everything: in use while the device is down or has no carrier.
 *
 * @kernel noop_qdisc net/sched/sch_generic.c
 * @rule LINK-01
 */
export class NoopQdisc extends Qdisc {
  constructor(dev: NetDevice<any>) {
    super('noop', dev, null)
  }

  override enqueue(skb: SkBuff): number {
    this.dev.coreStats.txDropped++
    this.drop(skb)
    return NET_XMIT_CN
  }

  override dequeue(): null {
    return null
  }

  protected override resetQueue(): void {}
}
