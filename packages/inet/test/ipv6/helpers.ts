import { createKernel, type Kernel, type KernelOptions } from '@vnet/kernel'
import {
  allocEtherdevMqs,
  consumeSkb,
  devOpen,
  ethHwAddrSet,
  ethTypeTrans,
  type NetDevice,
  netdevAllocSkb,
  NETDEV_TX_OK,
  type NetDeviceOps,
  netifRx,
  netifTxDisable,
  netifTxStartAllQueues,
  registerNetdev,
  type SkBuff,
  skbPut,
  unregisterNetdev,
} from '@vnet/netdev'
import { formatFrame, parseIpv6Address } from '@vnet/wire'
import { Inet } from '../../src/inet.ts'
import { type Ipv6, inet6Init } from '../../src/ipv6/index.ts'
import type { Inet6Dev } from '../../src/ipv6/inet6-dev.ts'

export const MS = 1_000_000
export const SEC = 1_000_000_000

/** A frame that left a device, and when. */
export interface Sent {
  readonly at: number
  readonly bytes: Uint8Array
}

export interface HostOptions extends KernelOptions {
  readonly mac?: string
  readonly down?: boolean
  readonly setup?: (host: Host) => void
}

/** A machine with one Ethernet device, whose frames are kept. */
export class Host {
  readonly kernel: Kernel
  readonly inet: Inet
  readonly ipv6: Ipv6
  readonly dev: NetDevice<any>
  readonly sent: Sent[] = []
  /** Where frames go besides. */
  peer: Host | null = null
  readonly inbox: Uint8Array[] = []

  constructor(options: HostOptions = {}) {
    this.kernel = createKernel({ regionBytes: 1 << 20, ...options })
    this.inet = new Inet(this.kernel)
    this.ipv6 = inet6Init(this.inet)
    const ops: NetDeviceOps<any> = {
      ndoOpen: (dev) => netifTxStartAllQueues(dev),
      ndoStop: (dev) => netifTxDisable(dev),
      ndoStartXmit: (skb) => {
        const bytes = skb.mem.slice(skb.data, skb.data + skb.len)
        this.sent.push({ at: this.kernel.clock.ktimeGet(), bytes })
        this.peer?.inbox.push(bytes)
        consumeSkb(skb)
        return NETDEV_TX_OK
      },
    }
    this.dev = allocEtherdevMqs(this.kernel, { name: 'vnet0', ops, priv: () => ({}) })
    ethHwAddrSet(this.dev, macBytes(options.mac ?? '02:00:00:00:00:01'))
    options.setup?.(this)
    registerNetdev(this.dev)
    if (options.down !== true) this.up()
  }

  get idev(): Inet6Dev {
    return this.ipv6.devs.get(this.dev)!
  }

  up(): void {
    this.kernel.rtnl.run(() => devOpen(this.dev))
  }

  /** A frame from the link, as a driver hands it over. */
  frame(bytes: Uint8Array): SkBuff {
    const skb = netdevAllocSkb(this.dev, bytes.length)!
    skb.mem.set(bytes, skbPut(skb, bytes.length))
    ethTypeTrans(skb, this.dev)
    return skb
  }

  /** A frame comes in from the link. */
  receive(bytes: Uint8Array): void {
    netifRx(this.frame(bytes))
  }

  /** What was sent, printed, since the last call. */
  take(): string[] {
    return this.sent.splice(0).map(({ bytes }) => formatFrame(bytes))
  }

  run(ns: number): void {
    this.kernel.runFor(ns)
  }

  log(): string[] {
    return this.kernel.log.records.map((record) => record.text)
  }

  /** Takes the device away, and lists what is still alive. */
  end(): string[] {
    unregisterNetdev(this.dev)
    this.run(1)
    return this.kernel.census.take().map(({ kind, name }) => `${kind} ${name}`)
  }
}

export function macBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (part) => parseInt(part, 16))
}

export function ip(text: string): Uint8Array {
  return parseIpv6Address(text)!
}

/** Two machines on one cable; time goes on for both, a tenth of a millisecond at a time. */
export function together(a: Host, b: Host, ns: number): void {
  a.peer = b
  b.peer = a
  for (let left = ns; left > 0; left -= MS / 10) {
    for (const host of [a, b]) {
      for (const bytes of host.inbox.splice(0)) host.receive(bytes)
      host.run(Math.min(left, MS / 10))
    }
  }
}
