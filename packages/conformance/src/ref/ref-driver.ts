import { setEthtoolOps, type EthtoolOps } from '@vnet/ethtool'
import {
  Errno,
  IRQ_HANDLED,
  IRQ_NONE,
  cancelWorkSync,
  freeIrq,
  requestIrq,
  scheduleWork,
  workSetup,
  type IrqReturn,
  type Kernel,
  type WorkStruct,
} from '@vnet/kernel'
import * as napi from '@vnet/napi'
import * as nd from '@vnet/netdev'
import type { TestCable } from '../cable.ts'
import type { CreateOptions, DriverSpec, DriverUnderTest } from '../spec.ts'
import { CAUSE, RefCard } from './ref-card.ts'

/** The device of a reference driver. */
export type RefDev = nd.NetDevice<RefDriver>

/** Bytes in front of a received frame. */
const HEADROOM = nd.NET_SKB_PAD + nd.NET_IP_ALIGN

/** A slot of the receive ring: the skb whose buffer the card fills. */
type Slot = nd.SkBuff | null

/**
 * The reference driver: it keeps every rule, in the plainest way, in small methods.
 *
 * It is what mutants are made from: a mutant extends it and gets one method wrong.
 */
export class RefDriver {
  readonly kernel: Kernel
  readonly card: RefCard
  readonly dev: RefDev
  napi: napi.NapiStruct
  gro: nd.GroNode
  resetWork: WorkStruct
  txSize: number
  rxSize: number
  txSkb: Slot[] = []
  rxSkb: Slot[] = []
  /** Next slot to fill, next slot to reclaim. */
  txNext = 0
  txClean = 0
  rxNext = 0
  counters = { txPackets: 0n, txBytes: 0n, txDropped: 0n, txErrors: 0n, rxPackets: 0n, rxBytes: 0n, rxDropped: 0n }
  failAlloc: (() => boolean) | null = null

  constructor(kernel: Kernel, cable: TestCable, options: CreateOptions) {
    this.kernel = kernel
    this.txSize = options.txRing ?? 64
    this.rxSize = options.rxRing ?? 64
    this.card = new RefCard(kernel, cable)
    this.dev = nd.allocEtherdevMqs<RefDriver>(kernel, { name: 'ref%d', ops: this.ops(), priv: () => this })
    this.gro = nd.groInit(this.dev)
    this.napi = this.addNapi()
    this.resetWork = workSetup(kernel, () => this.reset(), this.dev.name)
    this.setupDev()
    this.register()
  }

  // ── life ──

  ops(): nd.NetDeviceOps<RefDriver> {
    return {
      ndoOpen: () => this.open(),
      ndoStop: () => this.stop(),
      ndoStartXmit: (skb) => this.xmit(skb),
      ndoTxTimeout: () => this.txTimeout(),
      ndoGetStats64: (_dev, s) => this.getStats(s),
      ndoSetRxMode: () => this.setRxMode(),
      ndoSetMacAddress: (_dev, addr) => this.setMac(addr),
      ndoValidateAddr: nd.ethValidateAddr,
      ndoChangeMtu: (_dev, mtu) => this.changeMtu(mtu),
    }
  }

  ethtoolOps(): EthtoolOps<RefDriver> {
    return {
      supportedCoalesceParams: new Set(['rxCoalesceUsecs', 'rxMaxCoalescedFrames']),
      getStrings: () => ['doorbells', 'interrupts'],
      getEthtoolStats: () => [BigInt(this.card.doorbells), BigInt(this.card.interrupts)],
      getRingparam: () => ({ rxPending: this.rxSize, txPending: this.txSize, rxMaxPending: 4096, txMaxPending: 4096 }),
      setRingparam: (_dev, r) => this.setRings(r.txPending, r.rxPending),
      getCoalesce: () => ({ rxCoalesceUsecs: this.card.coalesce.ns / 1000, rxMaxCoalescedFrames: this.card.coalesce.frames }),
      setCoalesce: (_dev, c) => this.setCoalesce(c.rxCoalesceUsecs, c.rxMaxCoalescedFrames),
    }
  }

  addNapi(): napi.NapiStruct {
    return napi.netifNapiAdd(this.dev, (_n, budget) => this.poll(budget), { index: 0 })
  }

  setupDev(): void {
    this.dev.driverName = 'ref'
    this.dev.maxMtu = 9000
    this.napi.flushHook = this.gro
    nd.ethHwAddrSet(this.dev, this.card.macAddress)
    setEthtoolOps(this.dev, this.ethtoolOps())
    nd.netifCarrierOff(this.dev)
  }

  register(): void {
    nd.registerNetdev(this.dev)
  }

  destroy(): void {
    nd.unregisterNetdev(this.dev)
    cancelWorkSync(this.resetWork)
    nd.freeNetdev(this.dev)
    this.card.destroy()
  }

  // ── open and stop ──

  open(): void {
    this.allocRings()
    try {
      this.requestIrq()
    } catch (error) {
      this.freeRx()
      throw error
    }
    this.start()
  }

  /** Buffers, then NAPI, then the card, then the queues. */
  start(): void {
    napi.napiEnable(this.napi)
    this.setRxMode()
    this.card.txOn = true
    this.card.maxFrame = this.dev.mtu + nd.ETH_HLEN
    this.card.rxOn = true
    this.card.setMask(false)
    nd.netifTxWakeAllQueues(this.dev)
    this.linkChanged()
  }

  stop(): void {
    this.quiesce(() => this.counters.txDropped++)
    freeIrq(this.kernel, this.card.irq, this)
  }

  /** Stops all traffic and empties both rings; each frame not sent is told to `lost`. */
  quiesce(lost: () => void): void {
    this.card.rxOn = false
    nd.netifTxDisable(this.dev)
    this.card.txOn = false
    nd.netifCarrierOff(this.dev)
    napi.napiDisable(this.napi)
    this.card.setMask(true)
    this.freeTx(lost)
    this.freeRx()
    this.card.reset()
  }

  requestIrq(): void {
    requestIrq(this.kernel, this.card.irq, () => this.interrupt(), {}, this.dev.name, this)
  }

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

  freeTx(lost: () => void): void {
    this.reclaim()
    for (let i = this.txClean; i !== this.txNext; i = (i + 1) % this.txSize) {
      nd.kfreeSkb(this.txSkb[i]!)
      this.txSkb[i] = null
      lost()
    }
    this.txClean = this.txNext
    nd.netdevTxResetQueue(this.dev.txq[0]!)
  }

  freeRx(): void {
    this.rxSkb.forEach((skb, i) => {
      if (skb !== null) nd.kfreeSkb(skb)
      this.rxSkb[i] = null
    })
  }

  // ── transmit ──

  /** Free transmit descriptors; one always stays empty. */
  avail(): number {
    return (this.txClean - this.txNext - 1 + this.txSize) % this.txSize
  }

  xmit(skb: nd.SkBuff): nd.NetdevTx {
    const txq = this.dev.txq[0]!
    if (this.avail() === 0) {
      nd.netifTxStopQueue(txq)
      return nd.NETDEV_TX_BUSY
    }
    if (skb.len > this.dev.mtu + nd.ETH_HLEN + nd.VLAN_HLEN) {
      this.counters.txErrors++
      nd.devKfreeSkbAny(skb)
      return nd.NETDEV_TX_OK
    }
    if (!this.pad(skb)) {
      this.counters.txDropped++
      return nd.NETDEV_TX_OK
    }
    this.queue(skb)
    this.maybeStop()
    if (!nd.netdevXmitMore(this.dev) || nd.netifXmitStopped(txq)) this.card.doorbell()
    return nd.NETDEV_TX_OK
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
    while (this.txClean !== this.txNext && this.card.tx[this.txClean]?.done === true) {
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
    const skb = this.failAlloc?.() === true ? null : nd.netdevAllocSkb(this.dev, this.bufferSize())
    if (skb === null) return false
    this.rxSkb[i] = skb
    this.card.rx[i] = { mem: skb.mem, offset: skb.data, room: this.bufferSize(), length: -1 }
    if (i === this.card.rxTail) this.card.rxTail = (i + 1) % this.rxSize
    return true
  }

  bufferSize(): number {
    return this.dev.mtu + nd.ETH_HLEN + nd.VLAN_HLEN + HEADROOM
  }

  linkChanged(): void {
    if (this.card.linkUp) nd.netifCarrierOn(this.dev)
    else nd.netifCarrierOff(this.dev)
  }

  // ── watchdog ──

  txTimeout(): void {
    scheduleWork(this.resetWork)
  }

  reset(): void {
    this.kernel.rtnl.run(() => {
      if (nd.netifRunning(this.dev)) this.restart(() => this.counters.txErrors++)
    })
  }

  restart(lost: () => void): void {
    this.quiesce(lost)
    this.allocRings()
    this.start()
  }

  // ── settings ──

  getStats(s: nd.RtnlLinkStats64): void {
    Object.assign(s, this.counters)
    s.rxMissedErrors = BigInt(this.card.missed)
    s.rxLengthErrors = BigInt(this.card.runts + this.card.oversize)
    s.rxErrors = s.rxLengthErrors
  }

  setRxMode(): void {
    this.card.promiscuous = (this.dev.flags & nd.Iff.PROMISC) !== 0
    this.card.own = this.dev.devAddr
    this.card.multicast = Array.from(this.dev.mc.values(), (a) => a.addr)
  }

  setMac(addr: Uint8Array): void {
    nd.ethMacAddr(this.dev, addr)
  }

  changeMtu(mtu: number): void {
    if (!nd.netifRunning(this.dev)) return
    this.quiesce(() => this.counters.txDropped++)
    // The buffers are made for the MTU that comes.
    this.dev.mtu = mtu
    this.allocRings()
    this.start()
  }

  setRings(tx: number, rx: number): void {
    if (tx < 2 || rx < 2) throw new Errno('EINVAL', 'a ring has at least two entries', tx < 2 ? 'tx' : 'rx')
    const old = [this.txSize, this.rxSize] as const
    if (!nd.netifRunning(this.dev)) {
      this.txSize = tx
      this.rxSize = rx
      return
    }
    this.quiesce(() => this.counters.txDropped++)
    ;[this.txSize, this.rxSize] = [tx, rx]
    try {
      this.allocRings()
    } catch (error) {
      ;[this.txSize, this.rxSize] = old
      this.allocRings()
      this.start()
      throw error
    }
    this.start()
  }

  setCoalesce(usecs: number, frames: number): void {
    if (usecs === 0 && frames === 0) throw new Errno('EINVAL', 'usecs and frames cannot both be 0', 'rx-usecs')
    this.card.coalesce = { frames, ns: usecs * 1000 }
  }
}

/** A spec for the reference driver, or for a mutant of it. @kernel none */
export function refSpec(name = 'reference', Driver: typeof RefDriver = RefDriver): DriverSpec {
  return {
    name,
    create(kernel, cable, options): DriverUnderTest {
      const driver = new Driver(kernel, cable, options)
      const { card } = driver
      return {
        dev: driver.dev,
        card: {
          slow: (ns) => {
            card.frameNs = ns
          },
          hang: () => {
            card.hung = true
          },
          recover: () => card.recover(),
          doorbells: () => card.doorbells,
          interrupts: () => card.interrupts,
          failAlloc: (fail) => {
            driver.failAlloc = fail
          },
        },
        destroy: () => driver.destroy(),
      }
    },
    supports: {
      txRing: true, rxRing: true, completion: true, napi: true, bql: true, watchdog: true, carrier: true, padding: true,
      rxFilter: true, ringparam: true, coalesce: true, ethtoolStats: true, xmitMore: true, maxMtu: 9000,
    }, // prettier-ignore
  }
}
