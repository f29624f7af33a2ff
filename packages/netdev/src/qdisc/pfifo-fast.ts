import { PtrRing } from '@vnet/core-ring'
import { NET_XMIT_DROP, NET_XMIT_SUCCESS } from '../constants.ts'
import type { NetDevice } from '../netdevice.ts'
import type { NetdevQueue } from '../queue.ts'
import type { SkBuff } from '../skbuff.ts'
import { Qdisc, type QdiscOps } from './qdisc.ts'

/** Band of each of the 16 priorities; band 0 goes first. @kernel sch_default_prio2band[] net/sched/sch_generic.c */
export const PRIO2BAND: readonly number[] = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]

const BANDS = 3

/**
 * Three first-in-first-out bands by priority, each as long as `txQueueLen`. The default of every queue.
 *
 * @kernel pfifo_fast_ops net/sched/sch_generic.c
 */
export class PfifoFastQdisc extends Qdisc {
  readonly #bands: readonly PtrRing<SkBuff>[]
  /** Bit `i` is set while band `i` may hold something. */
  #filled: number

  constructor(dev: NetDevice<any>, txq: NetdevQueue) {
    super('pfifo_fast', dev, txq, { canBypass: true })
    const length = Math.max(1, dev.txQueueLen)
    this.#bands = Array.from({ length: BANDS }, () => new PtrRing<SkBuff>(length))
    this.#filled = 0
  }

  override enqueue(skb: SkBuff): number {
    const band = PRIO2BAND[skb.priority & 15]!
    const length = skb.len
    if (this.#bands[band]!.produce(skb) !== 0) {
      this.drop(skb)
      return NET_XMIT_DROP
    }
    this.#filled |= 1 << band
    this.qlen++
    this.backlog += length
    return NET_XMIT_SUCCESS
  }

  override dequeue(): SkBuff | null {
    while (this.#filled !== 0) {
      const band = 31 - Math.clz32(this.#filled & -this.#filled)
      const skb = this.#bands[band]!.consume()
      if (skb !== undefined) return this.#count(skb)
      this.#filled &= ~(1 << band)
    }
    return null
  }

  override changeTxQueueLen(length: number): void {
    for (const band of this.#bands) band.resize(Math.max(1, length), (skb) => this.#lose(skb))
  }

  protected override resetQueue(): void {
    for (const band of this.#bands) {
      for (let skb = band.consume(); skb !== undefined; skb = band.consume()) this.drop(skb)
    }
    this.#filled = 0
  }

  #count(skb: SkBuff): SkBuff {
    this.qlen--
    this.backlog -= skb.len
    this.packets++
    this.bytes += skb.len
    return skb
  }

  #lose(skb: SkBuff): void {
    this.qlen--
    this.backlog -= skb.len
    this.drop(skb)
  }
}

/** The `pfifo_fast` discipline. @kernel pfifo_fast_ops net/sched/sch_generic.c */
export const pfifoFastQdiscOps: QdiscOps = {
  id: 'pfifo_fast',
  create: (dev, txq) => new PfifoFastQdisc(dev, txq),
}
