import { createKernel, type Kernel } from '@vnet/kernel'
import {
  allocEtherdevMqs,
  Arphrd,
  consumeSkb,
  devClose,
  devOpen,
  ethHwAddrSet,
  ethTypeTrans,
  freeNetdev,
  Iff,
  netdevAllocSkb,
  type NetDevice,
  type NetDeviceOps,
  NETDEV_TX_OK,
  netifRx,
  netifTxDisable,
  netifTxStartAllQueues,
  parseMac,
  registerNetdev,
  type SkBuff,
  skbLinearize,
  skbPut,
  unregisterNetdev,
} from '@vnet/netdev'
import { formatIpv4AddressAt, ipv4Number, putUnalignedBe32 } from '@vnet/wire'
import { expect } from 'vitest'
import { Inet, inetAddrAdd, type IfaddrConfig } from '../src/index.ts'
import { ipv4Init } from '../src/ipv4/init.ts'

export const MAC_A = '02:00:00:00:00:01'
export const MAC_B = '02:00:00:00:00:02'

/** A frame comes out of the card: what a driver without NAPI does. */
export function receive(dev: NetDevice<any>, frame: Uint8Array): void {
  dev.kernel.hardware(() => {
    const skb = netdevAllocSkb(dev, frame.length)
    if (skb === null) throw new Error('no memory for a frame')
    const at = skbPut(skb, frame.length)
    skb.mem.set(frame, at)
    ethTypeTrans(skb, dev)
    netifRx(skb)
  })
}

export interface Wire {
  readonly sent: Uint8Array[]
  onFrame: ((frame: Uint8Array) => void) | null
}

function wireOps(features: Partial<NetDeviceOps<Wire>> = {}): NetDeviceOps<Wire> {
  return {
    ndoOpen: (dev) => netifTxStartAllQueues(dev),
    ndoStop: (dev) => netifTxDisable(dev),
    ndoStartXmit(skb, dev) {
      const frame = bytesOf(skb)
      dev.priv.sent.push(frame)
      consumeSkb(skb)
      dev.priv.onFrame?.(frame)
      return NETDEV_TX_OK
    },
    ...features,
  }
}

function bytesOf(skb: SkBuff): Uint8Array {
  skbLinearize(skb)
  return skb.mem.slice(skb.data, skb.data + skb.len)
}

export function makeDev(kernel: Kernel, mac: string, name = 'eth%d', up = true): NetDevice<Wire> {
  const dev = allocEtherdevMqs<Wire>(kernel, {
    name,
    ops: wireOps(),
    priv: () => ({ sent: [], onFrame: null }),
  })
  ethHwAddrSet(dev, parseMac(mac))
  registerNetdev(dev)
  if (up) kernel.rtnl.run(() => devOpen(dev))
  return dev
}

/** A loopback device, as the machine makes it. */
export function makeLo(kernel: Kernel): NetDevice<null> {
  const dev = allocEtherdevMqs<null>(kernel, {
    name: 'lo',
    ops: {
      ndoOpen: (d) => netifTxStartAllQueues(d),
      ndoStop: (d) => netifTxDisable(d),
      ndoStartXmit(skb, d) {
        ethTypeTrans(skb, d)
        netifRx(skb)
        return NETDEV_TX_OK
      },
    },
    priv: () => null,
  })
  dev.type = Arphrd.LOOPBACK
  dev.flags = Iff.LOOPBACK
  dev.mtu = 65536
  dev.maxMtu = 0x7fffffff
  dev.minMtu = 0
  registerNetdev(dev)
  kernel.rtnl.run(() => devOpen(dev))
  return dev
}

/** IPv4 alone: what IPv6 says of itself would stand between the frames a test looks at. */
export function inet4(kernel: Kernel): Inet {
  return kernel.subsys('inet', (k) => {
    const inet = new Inet(k)
    k.rtnl.run(() => ipv4Init(inet))
    return inet
  })
}

export class Host {
  readonly kernel: Kernel
  readonly inet: Inet
  readonly lo: NetDevice<null> | null
  readonly dev: NetDevice<Wire>

  constructor(options: { lo?: boolean; mac?: string; address?: string | null; seed?: number } = {}) {
    this.kernel = createKernel({ seed: options.seed ?? 1 })
    this.inet = inet4(this.kernel)
    this.lo = options.lo === true ? makeLo(this.kernel) : null
    this.dev = makeDev(this.kernel, options.mac ?? MAC_A)
    const address = options.address === undefined ? '10.0.0.1/24' : options.address
    if (address !== null) this.addr(address)
  }

  addr(text: string, more: Partial<IfaddrConfig> = {}): void {
    const [local, len] = text.split('/')
    const config = { dev: this.dev, family: 2 as const, local: ip(local!), prefixlen: Number(len), ...more }
    this.kernel.rtnl.run(() => inetAddrAdd(this.inet, config))
  }

  rtnl<T>(fn: () => T): T {
    return this.kernel.rtnl.run(fn)
  }

  /** What was sent since the last call. */
  take(): Uint8Array[] {
    return this.dev.priv.sent.splice(0)
  }

  get ipv4(): Inet['ipv4'] {
    return this.inet.ipv4
  }

  /** Takes everything away and says what is still alive. */
  end(): void {
    for (const dev of [this.dev, this.lo]) {
      if (dev === null || dev.regState !== 'registered') continue
      this.rtnl(() => devClose(dev))
      unregisterNetdev(dev)
      freeNetdev(dev)
    }
    // The packet buffers' own pool stays.
    expect(this.kernel.census.take().filter(({ kind }) => kind !== 'memory')).toEqual([])
    expect(this.kernel.violations).toEqual([])
  }
}

/** Two hosts on one cable, whose clocks go together. */
export class Pair {
  readonly a: Host
  readonly b: Host
  readonly #pending: (() => void)[] = []

  constructor(lo = true) {
    this.a = new Host({ lo, mac: MAC_A, address: '10.0.0.1/24' })
    this.b = new Host({ lo, mac: MAC_B, address: '10.0.0.2/24', seed: 2 })
    this.a.dev.priv.onFrame = (frame) => this.#pending.push(() => receive(this.b.dev, frame))
    this.b.dev.priv.onFrame = (frame) => this.#pending.push(() => receive(this.a.dev, frame))
  }

  run(ns: number, step = 1_000_000): void {
    for (let t = 0; t <= ns; t += step) {
      for (const host of [this.a, this.b]) host.kernel.runFor(step)
      this.settle()
    }
  }

  settle(): void {
    for (let n = 0; this.#pending.length > 0; n++) {
      if (n > 10_000) throw new Error('the cable does not fall silent')
      this.#pending.shift()!()
      for (const host of [this.a, this.b]) host.kernel.runFor(0)
    }
  }

  end(): void {
    this.a.end()
    this.b.end()
  }
}

export function ip(text: string): Uint8Array {
  const bytes = new Uint8Array(4)
  putUnalignedBe32(ipv4Number(text), bytes, 0)
  return bytes
}

export function text(bytes: Uint8Array | null): string {
  return bytes === null ? '-' : formatIpv4AddressAt(bytes, 0)
}
