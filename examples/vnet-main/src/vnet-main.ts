/**
 * The C module this project grew from, `vnet_main`, as its phases 6 and 7 stood: one file, no card of its own. Timers
 * play the hardware: one completes what was sent, one makes a frame each second.
 *
 * What it says, logs and refuses is the original's. Where the original broke a rule of driver-rules.md (section 18), this
 * one keeps it: the queue stops before the ring is full, completion frees what was sent, counters outlive `down`,
 * received bytes count the whole frame.
 */
import { PtrRing } from '@vnet/core-ring'
import { ethtoolOpGetLink, setEthtoolOps, type EthtoolOps } from '@vnet/ethtool'
import {
  Errno,
  modTimer,
  prInfo,
  timerDeleteSync,
  timerSetup,
  type DebugSite,
  type Kernel,
  type ModuleDefinition,
  type TimerList,
} from '@vnet/kernel'
import * as napi from '@vnet/napi'
import * as nd from '@vnet/netdev'

const RING = 256
const RX_RING = 64
/** Free places at which a stopped queue starts again. */
const WAKE = 64
const [TX_PACKETS, TX_BYTES, TX_DROPPED, RX_PACKETS, RX_BYTES, RX_DROPPED] = [0, 1, 2, 3, 4, 5]
const TX_PROTO = 6
const RX_PROTO = 10
const PROTOCOLS = ['arp', 'ipv4', 'ipv6', 'other'] as const

/** What the two phases do differently. */
interface Phase {
  readonly version: string
  readonly description: string
  /** The frame the receive timer makes. */
  frame(dev: Dev): Uint8Array
  readonly registered: (dev: Dev) => string
  readonly ethtool: EthtoolOps<VnetPriv>
  readonly ops: Partial<nd.NetDeviceOps<VnetPriv>>
}

interface VnetPriv {
  readonly phase: Phase
  readonly txRing: PtrRing<nd.SkBuff>
  readonly room: { avail(): number }
  /** Frames that the timer made and the poll has not taken. */
  readonly rxRing: PtrRing<Uint8Array>
  readonly stats: nd.U64Stats
  readonly gro: nd.GroNode
  readonly txTimer: TimerList
  readonly rxTimer: TimerList
  napi: napi.NapiStruct
  /** Phase 7 told of frames, phase 6 of completions. */
  readonly debugTx: DebugSite | null
  readonly debugShort: DebugSite | null
  readonly debugDone: DebugSite | null
}
type Dev = nd.NetDevice<VnetPriv>

function vnetOpen(dev: Dev): void {
  napi.napiEnable(dev.priv.napi)
  nd.netifTxStartAllQueues(dev)
  modTimer(dev.priv.rxTimer, dev.kernel.clock.jiffies + dev.kernel.clock.hz)
  prInfo(dev.kernel, `vnet: device ${dev.name} opened`)
}

function vnetStop(dev: Dev): void {
  const { txRing, rxRing, stats, rxTimer, txTimer } = dev.priv
  timerDeleteSync(rxTimer)
  nd.netifTxDisable(dev)
  timerDeleteSync(txTimer)
  napi.napiDisable(dev.priv.napi)
  for (let skb = txRing.consume(); skb !== undefined; skb = txRing.consume()) {
    stats.add(TX_DROPPED, 1)
    nd.kfreeSkb(skb, nd.SkbDropReason.QUEUE_PURGE)
  }
  while (rxRing.consume() !== undefined) stats.add(RX_DROPPED, 1)
  prInfo(dev.kernel, `vnet: device ${dev.name} stopped`)
}

function vnetStartXmit(skb: nd.SkBuff, dev: Dev): nd.NetdevTx {
  const { txRing, room, stats, txTimer } = dev.priv
  const txq = dev.txq[0]!
  if (txRing.full) {
    nd.netifTxStopQueue(txq)
    return nd.NETDEV_TX_BUSY
  }
  if (dev.priv.debugTx?.enabled === true) tellFrame(dev, skb)
  stats.add(TX_PROTO + protocolOf(skb), 1)
  txRing.produce(skb)
  nd.netifTxqMaybeStop(txq, room, 1, WAKE)
  modTimer(txTimer, dev.kernel.clock.jiffies + 1)
  return nd.NETDEV_TX_OK
}

function tellFrame(dev: Dev, skb: nd.SkBuff): void {
  const { debugTx, debugShort } = dev.priv
  const at = skb.data
  const mac = (from: number): string => nd.formatMac(skb.mem.subarray(from, from + nd.ETH_ALEN))
  if (skb.len < nd.ETH_HLEN) debugShort?.print(dev.name, skb.len)
  else debugTx?.print(dev.name, skb.protocol, mac(at + nd.ETH_ALEN), mac(at), skb.len)
}

/** Which of the four counters a frame belongs to. */
function protocolOf(skb: nd.SkBuff): number {
  const { protocol } = skb
  return protocol === nd.ETH_P_ARP ? 0 : protocol === nd.ETH_P_IP ? 1 : protocol === nd.ETH_P_IPV6 ? 2 : 3
}

/** The timer that plays the wire: everything in the ring has been sent. Runs in softirq context. */
function txComplete(dev: Dev): void {
  const { txRing, stats, room, debugDone } = dev.priv
  let packets = 0
  let bytes = 0
  for (let skb = txRing.consume(); skb !== undefined; skb = txRing.consume()) {
    packets++
    bytes += skb.len
    nd.devConsumeSkbAny(skb)
  }
  if (packets === 0) return
  stats.add(TX_PACKETS, packets)
  stats.add(TX_BYTES, bytes)
  if (debugDone?.enabled === true) debugDone.print(packets)
  // It has no byte queue limits: none were sent, as far as those know.
  nd.netifTxqCompletedWake(dev.txq[0]!, 0, 0, room, WAKE)
}

/** The timer that plays the other end: a frame each second. Runs in softirq context. */
function rxGenerate(dev: Dev): void {
  const { phase, rxRing, rxTimer, stats } = dev.priv
  if (rxRing.produce(phase.frame(dev)) !== 0) stats.add(RX_DROPPED, 1)
  napi.napiSchedule(dev.priv.napi)
  modTimer(rxTimer, dev.kernel.clock.jiffies + dev.kernel.clock.hz)
}

function vnetPoll(n: napi.NapiStruct, budget: number): number {
  const dev = n.data as Dev
  let work = 0
  while (work < budget && dev.priv.rxRing.length > 0) {
    receive(dev, dev.priv.rxRing.consume()!)
    work++
  }
  if (work < budget) napi.napiCompleteDone(n, work)
  return work
}

function receive(dev: Dev, frame: Uint8Array): void {
  const { stats, gro } = dev.priv
  const skb = nd.netdevAllocSkb(dev, frame.length)
  if (skb === null) {
    stats.add(RX_DROPPED, 1)
    return
  }
  skb.mem.set(frame, nd.skbPut(skb, frame.length))
  stats.add(RX_PACKETS, 1)
  stats.add(RX_BYTES, frame.length)
  skb.protocol = nd.ethTypeTrans(skb, dev)
  stats.add(RX_PROTO + protocolOf(skb), 1)
  nd.groReceiveSkb(gro, skb)
}

function vnetGetStats64(dev: Dev, s: nd.RtnlLinkStats64): void {
  const { stats } = dev.priv
  s.txPackets = stats.get(TX_PACKETS)
  s.txBytes = stats.get(TX_BYTES)
  s.txDropped = stats.get(TX_DROPPED)
  s.rxPackets = stats.get(RX_PACKETS)
  s.rxBytes = stats.get(RX_BYTES)
  s.rxDropped = stats.get(RX_DROPPED)
}

function vnetSetMacAddress(dev: Dev, address: Uint8Array): void {
  // A bad address is told before a bad moment.
  if (!nd.isValidEtherAddr(address)) throw new Errno('EADDRNOTAVAIL')
  nd.ethMacAddr(dev, address)
  prInfo(dev.kernel, `vnet: ${dev.name} MAC updated to ${nd.formatMac(dev.devAddr)}`)
}

/** As `ethtool -S` had them: the standard counters, then frames by protocol, each way. */
const STAT_NAMES = [
  ...['tx', 'rx'].flatMap((way) => ['packets', 'bytes', 'dropped'].map((what) => `${way}_${what}`)),
  ...['tx', 'rx'].flatMap((way) => PROTOCOLS.map((protocol) => `${way}_${protocol}`)),
]

const HELLO = new TextEncoder().encode('Hello from vnet RX')

/** Who has 10.0.0.2? Tell 10.0.0.1. */
function arpRequest(dev: Dev): Uint8Array {
  const frame = new Uint8Array(42)
  frame.fill(0xff, 0, 6)
  frame.set(dev.devAddr, 6)
  frame.set([8, 6, 0, 1, 8, 0, 6, 4, 0, 1], 12)
  frame.set(dev.devAddr, 22)
  frame.set([10, 0, 0, 1], 28)
  frame.set([10, 0, 0, 2], 38)
  return frame
}

const PHASE_6: Phase = {
  version: '0.6',
  description: 'Virtual network device (vnet0) - Phases 2-6: TX/RX rings, NAPI, stats, ethtool',
  frame: () => HELLO,
  registered: (dev) => `registered device ${dev.name} with MAC ${nd.formatMac(dev.devAddr)}`,
  ethtool: { getLink: ethtoolOpGetLink },
  ops: {},
}

const PHASE_7: Phase = {
  version: '0.7',
  description: 'Virtual Ethernet network driver (vnet0)',
  frame: arpRequest,
  registered: (dev) => `registered device ${dev.name}`,
  ethtool: {
    ...PHASE_6.ethtool,
    getStrings: (_dev, set) => (set === 'stats' ? STAT_NAMES : []),
    getEthtoolStats: (dev) => STAT_NAMES.map((_, i) => dev.priv.stats.get(i)),
  },
  ops: { ndoSetMacAddress: vnetSetMacAddress, ndoValidateAddr: nd.ethValidateAddr },
}

function createDevice(kernel: Kernel, phase: Phase): Dev {
  const dev: Dev = nd.allocEtherdevMqs<VnetPriv>(kernel, {
    name: 'vnet%d',
    ops: {
      ndoOpen: vnetOpen,
      ndoStop: vnetStop,
      ndoStartXmit: vnetStartXmit,
      ndoGetStats64: vnetGetStats64,
      ...phase.ops,
    },
    priv: (d) => {
      const txRing = new PtrRing<nd.SkBuff>(RING)
      const n = napi.netifNapiAdd(d, vnetPoll)
      n.data = d
      return {
        phase,
        txRing,
        room: { avail: () => txRing.size - txRing.length },
        rxRing: new PtrRing<Uint8Array>(RX_RING),
        stats: new nd.U64Stats(6 + 2 * PROTOCOLS.length),
        gro: nd.groInit(d),
        txTimer: timerSetup(kernel, () => txComplete(d), 'vnet-tx'),
        rxTimer: timerSetup(kernel, () => rxGenerate(d), 'vnet-rx'),
        napi: n,
        debugTx: phase === PHASE_7 ? debugSite(kernel, 'vnet_start_xmit', TX_FORMAT) : null,
        debugShort: phase === PHASE_7 ? debugSite(kernel, 'vnet_start_xmit', SHORT_FORMAT) : null,
        debugDone: phase === PHASE_6 ? debugSite(kernel, 'vnet_tx_complete_all', DONE_FORMAT) : null,
      }
    },
  })
  dev.priv.napi.flushHook = dev.priv.gro
  dev.driverName = 'vnet'
  dev.driverVersion = phase.version
  dev.busInfo = 'virtual'
  dev.maxMtu = nd.ETH_DATA_LEN
  nd.ethHwAddrSet(dev, Uint8Array.of(2, 0, 0, 0, 0, 1))
  setEthtoolOps(dev, phase.ethtool)
  return dev
}

const TX_FORMAT = 'vnet: TX %s proto=0x%04x src=%pM dst=%pM len=%u\n'
const SHORT_FORMAT = 'vnet: TX %s short frame len=%u\n'
const DONE_FORMAT = 'vnet: completed %u TX packets\n'

function debugSite(kernel: Kernel, func: string, format: string): DebugSite {
  return kernel.dyndbg.site({ module: 'vnet_main', file: 'vnet_main.ts', line: 1, func, format })
}

function moduleOf(phase: Phase): ModuleDefinition {
  return {
    name: 'vnet_main',
    version: phase.version,
    license: 'GPL',
    author: 'Karan Gandhi',
    description: phase.description,
    init(ctx) {
      const dev = createDevice(ctx.kernel, phase)
      ctx.data = dev
      try {
        nd.registerNetdev(dev)
      } catch (error) {
        nd.freeNetdev(dev)
        throw error
      }
      prInfo(ctx.kernel, `vnet: ${phase.registered(dev)}`)
    },
    exit(ctx) {
      const dev = ctx.data as Dev
      prInfo(ctx.kernel, `vnet: unregistering device ${dev.name}`)
      nd.unregisterNetdev(dev)
      nd.freeNetdev(dev)
    },
  }
}

/** The module as phase 6 left it: rings, NAPI, statistics, a little ethtool. */
export const vnetMain6: ModuleDefinition = moduleOf(PHASE_6)
/** The module as phase 7 left it: realistic frames, counters by protocol, a settable address, dynamic debug. */
export const vnetMain7: ModuleDefinition = moduleOf(PHASE_7)
