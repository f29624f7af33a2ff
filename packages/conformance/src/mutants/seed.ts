import { setEthtoolOps, type EthtoolOps } from '@vnet/ethtool'
import {
  Errno,
  hrtimerCancel,
  hrtimerSetup,
  hrtimerStart,
  prInfo,
  type Hrtimer,
  type Kernel,
} from '@vnet/kernel'
import * as napi from '@vnet/napi'
import * as nd from '@vnet/netdev'
import type { TestCable } from '../cable.ts'
import type { DriverSpec } from '../spec.ts'

const RING_SIZE = 64
/** How long the timer that stands for an interrupt takes. */
const TICK = 1_000
const STAT_NAMES = ['rx_packets', 'tx_packets', 'rx_bytes', 'tx_bytes', 'rx_dropped', 'tx_dropped']

type Dev = nd.NetDevice<Seed>

/** A ring with a flag a slot: an empty slot is free. */
interface SeedRing {
  readonly slots: (nd.SkBuff | null)[]
  head: number
  tail: number
}

const newRing = (): SeedRing => ({
  slots: new Array<nd.SkBuff | null>(RING_SIZE).fill(null),
  head: 0,
  tail: 0,
})

/** What the C file kept in static variables: one for all devices. */
class SeedGlobals {
  rxPackets = 0n
  txPackets = 0n
  rxBytes = 0n
  txBytes = 0n
  rxDropped = 0n
  txDropped = 0n
}

/**
 * The logic of the C driver this project began with, at its last commit, faults and all: a software device whose
 * transmit is done when `ndoStartXmit` returns, and whose timer stands for a receive interrupt.
 */
class Seed {
  readonly kernel: Kernel
  readonly cable: TestCable
  readonly globals: SeedGlobals
  tx = newRing()
  rx = newRing()
  readonly lock = { name: 'vnet0_lock' }
  declare readonly dev: Dev
  declare readonly napi: napi.NapiStruct
  declare readonly timer: Hrtimer

  constructor(kernel: Kernel, cable: TestCable) {
    this.kernel = kernel
    this.cable = cable
    this.globals = kernel.subsys('conformance-seed', () => new SeedGlobals())
    const dev: Dev = nd.allocEtherdevMqs<Seed>(kernel, { name: 'vnet%d', ops: this.ops(), priv: () => this })
    this.dev = dev
    this.timer = hrtimerSetup(kernel, () => napi.napiSchedule(this.napi), dev.name)
    this.napi = napi.netifNapiAdd(dev, (n, budget) => this.poll(n, budget))
    nd.ethHwAddrSet(dev, Uint8Array.of(2, 0, 0, 0, 0, 1))
    setEthtoolOps(dev, ethtoolOps)
    cable.attach({
      receive: (mem, at, length) => this.receive(mem, at, length),
      linkChange: () => {},
      writable: () => {},
    })
    try {
      nd.registerNetdev(dev)
    } catch {
      cable.attach(null)
      nd.freeNetdev(dev)
      throw new Errno('ENODEV')
    }
    prInfo(kernel, 'vnet: module loaded')
  }

  ops(): nd.NetDeviceOps<Seed> {
    return {
      ndoOpen: () => this.open(),
      ndoStop: () => this.stop(),
      ndoStartXmit: (skb, dev) => this.xmit(skb, dev),
      ndoGetStats64: (_dev, s) => this.getStats(s),
      ndoSetMacAddress: (dev, addr) => nd.ethMacAddr(dev, addr),
    }
  }

  open(): void {
    Object.assign(this.globals, new SeedGlobals())
    this.tx = newRing()
    this.rx = newRing()
    napi.napiEnable(this.napi)
    nd.netifStartQueue(this.dev)
    prInfo(this.kernel, 'vnet: interface up')
  }

  stop(): void {
    nd.netifStopQueue(this.dev)
    hrtimerCancel(this.timer)
    napi.napiDisable(this.napi)
    prInfo(this.kernel, 'vnet: interface down')
  }

  xmit(skb: nd.SkBuff, _dev: Dev): nd.NetdevTx {
    const { tx, globals } = this
    this.kernel.lockdep.acquired(this.lock, true)
    if (tx.slots[tx.head] !== null) {
      globals.txDropped++
      this.kernel.lockdep.released(this.lock)
      return nd.NETDEV_TX_BUSY
    }
    tx.slots[tx.head] = skb
    tx.head = (tx.head + 1) % RING_SIZE
    this.complete()
    this.kernel.lockdep.released(this.lock)
    return nd.NETDEV_TX_OK
  }

  /** The card takes the frame at once. */
  complete(): void {
    const { tx, globals } = this
    const skb = tx.slots[tx.tail]!
    globals.txPackets++
    globals.txBytes += BigInt(skb.len)
    this.cable.transmit(skb.mem, skb.data, skb.len)
    nd.kfreeSkb(skb)
    tx.slots[tx.tail] = null
    tx.tail = (tx.tail + 1) % RING_SIZE
  }

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    const { rx, globals } = this
    if (!nd.netifRunning(this.dev)) return false
    const full = rx.slots[rx.head] !== null
    const skb = full || length < nd.ETH_HLEN ? null : nd.netdevAllocSkb(this.dev, length)
    if (skb === null) {
      globals.rxDropped++
      return !full
    }
    skb.mem.set(mem.subarray(offset, offset + length), nd.skbPut(skb, length))
    rx.slots[rx.head] = skb
    rx.head = (rx.head + 1) % RING_SIZE
    hrtimerStart(this.timer, TICK)
    return true
  }

  poll(n: napi.NapiStruct, budget: number): number {
    const { rx, globals, dev } = this
    let work = 0
    while (work < budget) {
      const skb = rx.slots[rx.tail]
      if (skb === null || skb === undefined) break
      rx.slots[rx.tail] = null
      rx.tail = (rx.tail + 1) % RING_SIZE
      skb.protocol = nd.ethTypeTrans(skb, dev)
      globals.rxPackets++
      globals.rxBytes += BigInt(skb.len)
      nd.netifRx(skb)
      work++
    }
    if (work < budget) napi.napiCompleteDone(n, work)
    return work
  }

  getStats(s: nd.RtnlLinkStats64): void {
    Object.assign(s, this.globals)
  }

  destroy(): void {
    this.cable.attach(null)
    nd.unregisterNetdev(this.dev)
    nd.freeNetdev(this.dev)
  }
}

const ethtoolOps: EthtoolOps<Seed> = {
  getDrvinfo: () => ({ driver: 'vnet', version: '0.7' }),
  getLink: () => true,
  getStrings: () => STAT_NAMES,
  getEthtoolStats: ({ priv: { globals: g } }) => [
    g.rxPackets,
    g.txPackets,
    g.rxBytes,
    g.txBytes,
    g.rxDropped,
    g.txDropped,
  ],
}

/**
 * The driver this project began with. Its manifest says what its code set out to do.
 *
 * @kernel none
 */
export const seedSpec: DriverSpec = {
  name: 'seed',
  create(kernel, cable) {
    const seed = new Seed(kernel, cable)
    return { dev: seed.dev, destroy: () => seed.destroy() }
  },
  supports: { txRing: true, napi: true, carrier: true, padding: true, ethtoolStats: true },
}
