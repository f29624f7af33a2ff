import {
  ethtoolOpGetLink,
  setEthtoolOps,
  type EthtoolOps,
  type EthtoolRxfh,
  type EthtoolRxfhChange,
} from '@vnet/ethtool'
import {
  Errno,
  cancelWorkSync,
  freeIrq,
  requestIrq,
  scheduleWork,
  workSetup,
  type Kernel,
  type WorkStruct,
} from '@vnet/kernel'
import * as napi from '@vnet/napi'
import * as nd from '@vnet/netdev'
import type { TestCable } from '../cable.ts'
import type { CreateOptions } from '../spec.ts'
import { RefCard } from './ref-card.ts'
import { RefData } from './ref-data.ts'

/** The key of the hash: Toeplitz wants 40 bytes. */
const RSS_KEY = Uint8Array.from({ length: 40 }, (_, i) => (i * 37 + 11) & 0xff)

/** The device of a reference driver. @kernel none */
export type RefDev = nd.NetDevice<RefDriver>

/**
 * The reference driver: it keeps every rule, in the plainest way, in small methods.
 *
 * It is what mutants are made from: a mutant extends it and gets one method wrong. The path of frames is in
 * {@link RefData}.
 *
 * @kernel none
 */
export class RefDriver extends RefData {
  readonly kernel: Kernel
  readonly card: RefCard
  readonly dev: RefDev
  napi: napi.NapiStruct
  gro: nd.GroNode
  resetWork: WorkStruct
  /** How received frames are spread; with one queue there is only one way. */
  rss: EthtoolRxfh = { indir: new Array<number>(128).fill(0), key: RSS_KEY, hfunc: 1 }
  txSize: number
  rxSize: number

  constructor(kernel: Kernel, cable: TestCable, options: CreateOptions) {
    super()
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
      getLink: ethtoolOpGetLink,
      getMsglevel: () => this.dev.msgEnable,
      setMsglevel: (_dev, level) => {
        this.dev.msgEnable = level
      },
      getRxRingCount: () => 1,
      getRxfh: () => this.rss,
      setRxfh: (_dev, change) => this.setRss(change),
      getStrings: () => ['doorbells', 'interrupts'],
      getEthtoolStats: () => [BigInt(this.card.doorbells), BigInt(this.card.interrupts)],
      getRingparam: () => ({
        rxPending: this.rxSize,
        txPending: this.txSize,
        rxMaxPending: 4096,
        txMaxPending: 4096,
      }),
      setRingparam: (_dev, r) => this.setRings(r.txPending, r.rxPending),
      getCoalesce: () => ({
        rxCoalesceUsecs: this.card.coalesce.ns / 1000,
        rxMaxCoalescedFrames: this.coalescedFrames(),
      }),
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

  /** @throws Errno the real cause, with nothing left behind */
  register(): void {
    try {
      nd.registerNetdev(this.dev)
    } catch (error) {
      nd.freeNetdev(this.dev)
      this.card.destroy()
      throw error
    }
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

  /** NAPI, then the card, then the carrier and with it the queues. */
  start(): void {
    this.napiOn()
    this.setRxMode()
    this.card.txOn = true
    this.card.maxFrame = this.dev.mtu + nd.ETH_HLEN
    this.card.rxOn = true
    this.card.setMask(false)
    this.linkChanged()
  }

  stop(): void {
    this.quiesce(() => this.counters.txDropped++)
    this.releaseIrq()
  }

  /** Stops all traffic and empties both rings; each frame not sent is told to `lost`. */
  quiesce(lost: () => void): void {
    this.card.rxOn = false
    this.disableQueues()
    this.card.txOn = false
    nd.netifCarrierOff(this.dev)
    this.napiOff()
    this.card.setMask(true)
    this.freeTx(lost)
    this.freeRx()
    this.card.reset()
  }

  /** Stops the queues and waits for whoever is sending. */
  disableQueues(): void {
    nd.netifTxDisable(this.dev)
  }

  napiOn(): void {
    napi.napiEnable(this.napi)
  }

  napiOff(): void {
    napi.napiDisable(this.napi)
  }

  releaseIrq(): void {
    freeIrq(this.kernel, this.card.irq, this)
  }

  requestIrq(): void {
    requestIrq(this.kernel, this.card.irq, () => this.interrupt(), {}, this.dev.name, this)
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

  /** Without memory for a new ring all stays as it is; the watchdog comes again. */
  restart(lost: () => void): void {
    try {
      this.reserve(this.rxSize, this.dev.mtu)
    } catch {
      return
    }
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
    this.reserve(this.rxSize, mtu)
    this.quiesce(() => this.counters.txDropped++)
    // The buffers are made for the MTU that comes.
    this.dev.mtu = mtu
    this.allocRings()
    this.start()
  }

  setRings(tx: number, rx: number): void {
    if (tx < 2 || rx < 2) throw new Errno('EINVAL', 'a ring has at least two entries', tx < 2 ? 'tx' : 'rx')
    const running = nd.netifRunning(this.dev)
    if (running) {
      this.reserve(rx, this.dev.mtu)
      this.quiesce(() => this.counters.txDropped++)
    }
    this.txSize = tx
    this.rxSize = rx
    if (!running) return
    this.allocRings()
    this.start()
  }

  setRss(change: EthtoolRxfhChange): void {
    this.rss = { ...this.rss, ...change }
  }

  coalescedFrames(): number {
    return this.card.coalesce.frames
  }

  setCoalesce(usecs: number, frames: number): void {
    if (usecs === 0 && frames === 0)
      throw new Errno('EINVAL', 'usecs and frames cannot both be 0', 'rx-usecs')
    this.card.coalesce = { frames, ns: usecs * 1000 }
  }
}
