import type { Kernel, TimerList } from '@vnet/kernel'
import type { Net } from './net.ts'
import type { NetDeviceOps } from './ops.ts'
import type { Qdisc } from './qdisc/qdisc.ts'
import { Arphrd, DEFAULT_TX_QUEUE_LEN, Iff, IfLinkMode, IfOper, NetAddr } from './constants.ts'
import { type NetdevFeatures, mergesUdp, pktFeatures } from './features.ts'
import { NetdevQueue } from './queue.ts'
import type { RxHandler } from './rx-handler.ts'
import type { SkbCache } from './skb-cache.ts'
import { NetDeviceCoreStats } from './stats.ts'

/** Where a device is in its life. It only moves forward (LIFE-06). @kernel enum netreg_state include/linux/netdevice.h */
export type RegState = 'uninitialized' | 'registered' | 'unregistering' | 'unregistered' | 'released'

/** State bits of a device. @kernel enum netdev_state_t include/linux/netdevice.h */
export const LinkState = {
  START: 1,
  PRESENT: 2,
  NOCARRIER: 4,
  LINKWATCH_PENDING: 8,
  DORMANT: 16,
  TESTING: 32,
} as const

/** What netdev needs to know of a NAPI instance; netdev does not import napi. @kernel struct napi_struct include/linux/netdevice.h */
export interface NapiHandle {
  readonly napiId: number
  readonly enabled: boolean
  del(): void
  /** Its poll function is running. */
  readonly polling?: boolean
}

/** An address in a filter list, with the number of its users. @kernel struct netdev_hw_addr include/linux/netdevice.h */
export interface HwAddr {
  readonly addr: Uint8Array
  refcount: number
}

/** What the constructor of {@link NetDevice} needs; drivers call `allocEtherdevMqs`. @kernel none */
export interface NetDeviceInit<P> {
  name: string
  ops: NetDeviceOps<P>
  txqs: number
  rxqs: number
  noop: (dev: NetDevice<P>) => Qdisc
}

/**
 * A network device: the object between the stack and a driver.
 *
 * A driver fills in what its card is between `allocEtherdevMqs` and `registerNetdev`. After that `flags`, `features`,
 * `operstate`, `regState` and the counters are the core's: read them, change them through the functions.
 *
 * @kernel struct net_device include/linux/netdevice.h
 */
export class NetDevice<P> {
  // `declare`: a field that is defined first and set after costs V8 more at each use.
  // ── hot: read for each packet
  declare readonly kernel: Kernel
  declare readonly net: Net
  /** The packet memory of the kernel, `net.rx.cache`. */
  declare readonly skbs: SkbCache
  declare readonly ops: NetDeviceOps<P>
  /** The driver's own part. */
  declare priv: P
  /** {@link LinkState} bits. */
  declare state: number
  declare flags: number
  /** The packet part of `features`, as a number: see `PktFeature`. */
  declare pktFeatures: number
  /** Received UDP is merged, as `features` say; apart, because comparing bigints costs more than all the rest of it. */
  declare groUdp: boolean
  declare realNumTxQueues: number
  declare readonly txq: NetdevQueue[]
  declare mtu: number
  declare hardHeaderLen: number
  declare readonly coreStats: NetDeviceCoreStats
  /** Takes received packets before the protocols. `netdevRxHandlerRegister` sets it. */
  declare rxHandler: RxHandler | null
  declare gsoMaxSize: number
  declare gsoMaxSegs: number

  // ── identity
  declare name: string
  declare ifindex: number
  /** The module that made it, for tags. */
  declare readonly module: string | null
  declare driverName: string
  declare driverVersion: string
  declare firmwareVersion: string
  declare busInfo: string
  /** Shown by `ip -d link` for a device on a bus. */
  declare parentBus: string | null
  declare parentDev: string | null
  /** The kind of a virtual device ('dummy', 'veth'), or null. */
  declare linkKind: string | null
  /** The ifindex of the device below or of the other end; 0: none. */
  declare iflink: number
  declare ifalias: string
  /** How an IPv6 stack makes this device's addresses; null without one. It sets this. */
  declare addrGenMode: string | null
  declare group: number
  declare regState: RegState

  // ── link layer
  declare type: number
  declare addrLen: number
  declare devAddr: Uint8Array
  declare permAddr: Uint8Array
  declare broadcast: Uint8Array
  declare addrAssignType: number
  declare minMtu: number
  declare maxMtu: number
  declare privFlags: number
  /** Flags a user asked for and that are counted: PROMISC, ALLMULTI. */
  declare gflags: number
  declare promiscuity: number
  declare allmulti: number
  declare ucPromisc: boolean
  declare readonly uc: Map<string, HwAddr>
  declare readonly mc: Map<string, HwAddr>

  // ── operational state
  declare operstate: IfOper
  declare linkmode: number
  declare carrierUpCount: number
  declare carrierDownCount: number

  // ── queues
  declare readonly numTxQueues: number
  declare readonly numRxQueues: number
  declare realNumRxQueues: number
  declare txQueueLen: number
  /** Drops everything: the qdisc of a device that is down. */
  declare readonly noop: Qdisc
  /** The root qdisc, shown by `ip link`. */
  declare qdisc: Qdisc
  /** Watchdog time in jiffies; 0 takes 5 seconds. */
  declare watchdogTimeo: number
  declare watchdogTimer: TimerList | null

  // ── features
  declare hwFeatures: NetdevFeatures
  declare wantedFeatures: NetdevFeatures
  declare vlanFeatures: NetdevFeatures
  declare private activeFeatures: NetdevFeatures
  /** True inside `ndoSetFeatures`. */
  declare featuresOpen: boolean
  declare tsoMaxSize: number
  declare tsoMaxSegs: number
  declare groMaxSize: number

  // ── others
  /** Message classes, `NETIF_MSG_*`. */
  declare msgEnable: number
  /** NAPI instances of this device; those left at unregister are deleted (NAPI-19). */
  declare readonly napis: Set<NapiHandle>
  /** 1, and 1 more for each `netdevHold`. */
  declare refcount: number
  /** `freeNetdev` was called while it was still held. */
  declare freeWhenUnused: boolean
  /** For the ethtool package: netdev only keeps it. */
  declare ethtoolOps: unknown
  declare ethtool: unknown

  constructor(kernel: Kernel, net: Net, init: NetDeviceInit<P>) {
    this.kernel = kernel
    this.net = net
    this.skbs = net.rx.cache
    this.ops = init.ops
    this.priv = undefined as P
    this.state = LinkState.PRESENT
    this.flags = Iff.BROADCAST | Iff.MULTICAST
    this.pktFeatures = 0
    this.groUdp = false
    this.realNumTxQueues = init.txqs
    this.txq = []
    this.mtu = 1500
    this.hardHeaderLen = 14
    this.coreStats = new NetDeviceCoreStats()
    this.rxHandler = null
    this.gsoMaxSize = 65536
    this.gsoMaxSegs = 65535
    this.name = init.name
    this.ifindex = 0
    this.module = kernel.currentModule
    this.driverName = ''
    this.driverVersion = ''
    this.firmwareVersion = ''
    this.busInfo = ''
    this.parentBus = null
    this.parentDev = null
    this.linkKind = null
    this.iflink = 0
    this.ifalias = ''
    this.addrGenMode = null
    this.group = 0
    this.regState = 'uninitialized'
    this.type = Arphrd.ETHER
    this.addrLen = 6
    this.devAddr = new Uint8Array(6)
    this.permAddr = new Uint8Array(6)
    this.broadcast = new Uint8Array(6).fill(0xff)
    this.addrAssignType = NetAddr.PERM
    this.minMtu = 68
    this.maxMtu = 1500
    this.privFlags = 0
    this.gflags = 0
    this.promiscuity = 0
    this.allmulti = 0
    this.ucPromisc = false
    this.uc = new Map()
    this.mc = new Map()
    this.operstate = IfOper.UNKNOWN
    this.linkmode = IfLinkMode.DEFAULT
    this.carrierUpCount = 0
    this.carrierDownCount = 0
    this.numTxQueues = init.txqs
    this.numRxQueues = init.rxqs
    this.realNumRxQueues = init.rxqs
    this.txQueueLen = DEFAULT_TX_QUEUE_LEN
    this.watchdogTimeo = 0
    this.watchdogTimer = null
    this.hwFeatures = 0n
    this.wantedFeatures = 0n
    this.vlanFeatures = 0n
    this.activeFeatures = 0n
    this.featuresOpen = false
    this.tsoMaxSize = 65536
    this.tsoMaxSegs = 65535
    this.groMaxSize = 65536
    this.msgEnable = 0
    this.napis = new Set()
    this.refcount = 1
    this.freeWhenUnused = false
    this.ethtoolOps = null
    this.ethtool = null
    this.noop = init.noop(this)
    this.qdisc = this.noop
    for (let i = 0; i < init.txqs; i++) this.txq.push(new NetdevQueue(this, i, this.qdisc))
  }

  /**
   * The features on now. A driver sets them until it registers the device, and inside `ndoSetFeatures`; else only the
   * core does.
   *
   * @rule FEAT-01
   */
  get features(): NetdevFeatures {
    return this.activeFeatures
  }

  set features(features: NetdevFeatures) {
    if (this.regState !== 'uninitialized' && !this.featuresOpen) {
      this.kernel.warnOn('FEAT-01', `${this.name}: dev.features written from outside the core`)
    }
    this.setActiveFeatures(features)
  }

  /** Sets the features on now; the core's own way. */
  setActiveFeatures(features: NetdevFeatures): void {
    this.activeFeatures = features
    this.pktFeatures = pktFeatures(features)
    this.groUdp = mergesUdp(features)
  }

  /** Notes a NAPI instance of this device. Called by `netifNapiAdd`. */
  napiAttach(napi: NapiHandle): void {
    this.napis.add(napi)
  }

  /** Forgets a NAPI instance. Called by `netifNapiDel`. */
  napiDetach(napi: NapiHandle): void {
    this.napis.delete(napi)
  }
}
