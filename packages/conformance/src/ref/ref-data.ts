import { Errno, IRQ_HANDLED, IRQ_NONE, type IrqReturn, type Kernel } from '@vnet/kernel'
import * as napi from '@vnet/napi'
import * as nd from '@vnet/netdev'
import { CAUSE, type RefCard } from './ref-card.ts'

/** Bytes in front of a received frame. */
const HEADROOM = nd.NET_SKB_PAD + nd.NET_IP_ALIGN

/** A slot of a ring: the skb whose buffer the card reads or fills. */
type Slot = nd.SkBuff | null

/**
 * The path of frames through the reference driver: its rings, transmit, interrupt and poll.
 *
 * The driver itself is {@link RefDriver}; mutants override methods of both.
 *
 * @kernel none
 */
export abstract class RefData {
  abstract readonly kernel: Kernel
  abstract readonly card: RefCard
  abstract readonly dev: nd.NetDevice<any>
  abstract napi: napi.NapiStruct
  abstract gro: nd.GroNode
  abstract txSize: number
  abstract rxSize: number
  txSkb: Slot[] = []
  rxSkb: Slot[] = []
  /** Next slot to fill, next slot to reclaim. */
  txNext = 0
  txClean = 0
  rxNext = 0
  counters = {
    txPackets: 0n,
    txBytes: 0n,
    txDropped: 0n,
    txErrors: 0n,
    rxPackets: 0n,
    rxBytes: 0n,
    rxDropped: 0n,
  }
  failAlloc: (() => boolean) | null = null
  /** Buffers taken before the old ring is given up. */
  spare: nd.SkBuff[] = []

  // ── rings ──

  /** @throws Errno ENOMEM, with nothing left behind */
  allocRings(): void {
    this.txSkb = new Array<Slot>(this.txSize).fill(null)
    this.rxSkb = new Array<Slot>(this.rxSize).fill(null)
    this.txNext = this.txClean = this.rxNext = 0
    this.card.tx = this.txSkb.map(() => ({ mem: new Uint8Array(0), offset: 0, length: 0, done: false }))
    this.card.rx = this.rxSkb.map(() => ({ mem: new Uint8Array(0), offset: 0, room: 0, length: -1 }))
    for (let i = 0; i < this.rxSize - 1; i++) {
      if (!this.refill(i)) {
        this.freeRx()
        throw new Errno('ENOMEM')
      }
    }
    // One slot stays empty: equal indexes mean an empty ring (RING-02).
    this.card.rxTail = this.rxSize - 1
  }

  /**
   * Gets the buffers of a new receive ring, so that nothing can fail once the old one is gone.
   *
   * @throws Errno ENOMEM, with nothing changed
   */
  reserve(rxSize: number, mtu: number): void {
    while (this.spare.length < rxSize - 1) {
      const skb = this.newBuffer(this.bufferSize(mtu))
      if (skb === null) {
        for (const one of this.spare.splice(0)) nd.consumeSkb(one)
        throw new Errno('ENOMEM')
      }
      this.spare.push(skb)
    }
  }

  freeTx(lost: () => void): void {
    this.reclaim()
    for (let i = this.txClean; i !== this.txNext; i = (i + 1) % this.txSize) {
      this.freeUnsent(this.txSkb[i]!)
      this.txSkb[i] = null
      lost()
    }
    this.txClean = this.txNext
    this.resetLimit()
  }

  freeUnsent(skb: nd.SkBuff): void {
    nd.kfreeSkb(skb, nd.SkbDropReason.QUEUE_PURGE)
  }

  resetLimit(): void {
    nd.netdevTxResetQueue(this.dev.txq[0]!)
  }

  freeRx(): void {
    this.rxSkb.forEach((skb, i) => {
      // An empty buffer is no dropped frame.
      if (skb !== null) nd.consumeSkb(skb)
      this.rxSkb[i] = null
    })
  }

  // ── transmit ──

  /** Free transmit descriptors; one always stays empty. */
  avail(): number {
    return (this.txClean - this.txNext - 1 + this.txSize) % this.txSize
  }

  /** True only after a wake the driver did not ask for (TXQ-11). */
  isFull(): boolean {
    return this.avail() === 0
  }

  xmit(skb: nd.SkBuff): nd.NetdevTx {
    const txq = this.dev.txq[0]!
    if (this.isFull()) {
      nd.netifTxStopQueue(txq)
      return nd.NETDEV_TX_BUSY
    }
    if (skb.len > this.longest()) {
      this.counters.txErrors++
      nd.devKfreeSkbAny(skb, nd.SkbDropReason.PKT_TOO_BIG)
      this.endBurst()
      return nd.NETDEV_TX_OK
    }
    if (!this.pad(skb)) {
      this.counters.txDropped++
      this.endBurst()
      return nd.NETDEV_TX_OK
    }
    this.queue(skb)
    this.maybeStop()
    if (!nd.netdevXmitMore(this.dev) || nd.netifXmitStopped(txq)) this.card.doorbell()
    return nd.NETDEV_TX_OK
  }

  /** The frame that was not sent may have been the last of a burst: those before it wait for the doorbell (TXQ-18). */
  endBurst(): void {
    if (!nd.netdevXmitMore(this.dev) && this.card.txHead !== this.card.txTail) this.card.doorbell()
  }

  /** The longest frame it sends. */
  longest(): number {
    return this.dev.mtu + nd.ETH_HLEN + nd.VLAN_HLEN
  }

  pad(skb: nd.SkBuff): boolean {
    return nd.skbPutPadto(skb, nd.ETH_ZLEN)
  }

  /** Fills the descriptor, then publishes it. */
  queue(skb: nd.SkBuff): void {
    const i = this.txNext
    this.card.tx[i] = { mem: skb.mem, offset: skb.data, length: skb.len, done: false }
    this.txSkb[i] = skb
    this.sent(skb.len)
    this.txNext = (i + 1) % this.txSize
    this.card.txTail = this.txNext
  }

  sent(bytes: number): void {
    nd.netdevTxSentQueue(this.dev.txq[0]!, bytes)
  }

  maybeStop(): void {
    nd.netifTxqMaybeStop(this.dev.txq[0]!, this, 1, this.wakeAt())
  }

  wakeAt(): number {
    return Math.max(1, this.txSize >> 2)
  }

  // ── interrupt and poll ──

  interrupt(): IrqReturn {
    const cause = this.card.readCause()
    if (cause === 0) return IRQ_NONE
    if ((cause & CAUSE.LINK) !== 0) this.linkChanged()
    if ((cause & (CAUSE.RX | CAUSE.TX)) !== 0) this.schedule()
    return IRQ_HANDLED
  }

  schedule(): void {
    if (!napi.napiSchedulePrep(this.napi)) return
    this.card.setMask(true)
    if (this.kernel.preemptHook !== null) this.kernel.preemptHook('irq:before-schedule')
    napi.__napiSchedule(this.napi)
  }

  poll(budget: number): number {
    this.cleanTx(budget)
    const work = this.cleanRx(budget)
    if (work < budget) this.complete(work)
    return work
  }

  complete(work: number): void {
    if (!napi.napiCompleteDone(this.napi, work)) return
    if (this.kernel.preemptHook !== null) this.kernel.preemptHook('napi:before-unmask')
    this.card.setMask(false)
  }

  cleanTx(_budget: number): void {
    const { packets, bytes } = this.reclaim()
    if (packets > 0) this.completed(packets, bytes)
  }

  /** Frees and counts what was sent. */
  reclaim(): { packets: number; bytes: number } {
    let packets = 0
    let bytes = 0
    while (this.txClean !== this.txNext && this.isSent(this.txClean)) {
      const skb = this.txSkb[this.txClean]!
      packets++
      bytes += skb.len
      this.txSkb[this.txClean] = null
      this.txClean = (this.txClean + 1) % this.txSize
      this.freeSent(skb)
    }
    this.counters.txPackets += BigInt(packets)
    this.counters.txBytes += BigInt(bytes)
    return { packets, bytes }
  }

  isSent(i: number): boolean {
    return this.card.tx[i]?.done === true
  }

  freeSent(skb: nd.SkBuff): void {
    nd.devConsumeSkbAny(skb)
  }

  completed(packets: number, bytes: number): void {
    nd.netifTxqCompletedWake(this.dev.txq[0]!, packets, bytes, this, this.wakeAt())
  }

  cleanRx(budget: number): number {
    let work = 0
    while (work < budget && (this.card.rx[this.rxNext]?.length ?? -1) >= 0) {
      this.receiveOne()
      work++
    }
    return work
  }

  receiveOne(): void {
    const i = this.rxNext
    const d = this.card.rx[i]!
    const skb = this.rxSkb[i]!
    this.rxNext = (i + 1) % this.rxSize
    const { length } = d
    if (this.refill(this.card.rxTail)) {
      this.rxSkb[i] = null
      nd.skbPut(skb, length)
      this.counters.rxPackets++
      this.counters.rxBytes += BigInt(length)
      this.deliver(skb)
    } else {
      this.recycle(i)
      this.counters.rxDropped++
    }
  }

  /** No new buffer: the old one goes back into the ring, at its end. */
  recycle(i: number): void {
    const tail = this.card.rxTail
    const old = this.card.rx[i]!
    this.card.rx[tail] = { ...old, length: -1 }
    this.rxSkb[tail] = this.rxSkb[i]!
    if (tail !== i) {
      this.rxSkb[i] = null
      old.length = -1
    }
    this.card.rxTail = (tail + 1) % this.rxSize
  }

  deliver(skb: nd.SkBuff): void {
    skb.protocol = nd.ethTypeTrans(skb, this.dev)
    nd.groReceiveSkb(this.gro, skb)
  }

  /** Puts a new buffer into slot `i` and, once the ring is set up, gives it to the card. */
  refill(i: number): boolean {
    const skb = this.spare.pop() ?? this.newBuffer(this.bufferSize())
    if (skb === null) return false
    this.rxSkb[i] = skb
    this.card.rx[i] = { mem: skb.mem, offset: skb.data, room: this.bufferSize(), length: -1 }
    if (i === this.card.rxTail) this.card.rxTail = (i + 1) % this.rxSize
    return true
  }

  /** Null when there is no memory. */
  newBuffer(size: number): Slot {
    return this.failAlloc?.() === true ? null : nd.netdevAllocSkb(this.dev, size)
  }

  bufferSize(mtu = this.dev.mtu): number {
    return mtu + nd.ETH_HLEN + nd.VLAN_HLEN + HEADROOM
  }

  /** Lets the queues go on, with what waits in them. */
  enableQueues(): void {
    nd.netifTxWakeAllQueues(this.dev)
  }

  /** Queues wake with the carrier, never without it (TXQ-10). */
  linkChanged(): void {
    if (!this.card.linkUp) {
      nd.netifCarrierOff(this.dev)
      return
    }
    nd.netifCarrierOn(this.dev)
    if (this.avail() > 0) this.enableQueues()
  }
}
