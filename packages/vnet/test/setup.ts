import { patchCable, type BackendPort } from '@vnet/backend'
import { createKernel, type Kernel, type KernelOptions } from '@vnet/kernel'
import {
  ETH_P_ALL,
  NET_RX_SUCCESS,
  PACKET_OUTGOING,
  consumeSkb,
  devAddPack,
  devClose,
  devGetByIndex,
  devOpen,
  devQueueXmit,
  netdevAllocSkb,
  skbPut,
  type NetDevice,
} from '@vnet/netdev'
import { expect } from 'vitest'
import {
  createCard,
  createVnet,
  destroyVnet,
  type VnetCard,
  type VnetOptions,
  type VnetPriv,
} from '../src/index.ts'

export type Dev = NetDevice<VnetPriv>
export const MS = 1_000_000
export const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]

/** A frame of `length` bytes, numbered in its first payload bytes. */
export function frame(length: number, n = 0, to: readonly number[] = BROADCAST): Uint8Array {
  const bytes = new Uint8Array(length)
  const head = [...to, 2, 0, 0, 0, 9, 9, 0x88, 0xb5, n >>> 24, n >>> 16, n >>> 8, n]
  bytes.set(head.slice(0, length))
  return bytes
}

/** The number {@link frame} put in. */
export function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(14)
}

/** Hands a frame to the device's queue, as a protocol would; returns what devQueueXmit said. */
export function sendBytes(dev: Dev, bytes: Uint8Array): number {
  const skb = netdevAllocSkb(dev, Math.max(bytes.length, 64))
  if (skb === null) throw new Error('no skb')
  if (bytes.length > 0) skb.mem.set(bytes, skbPut(skb, bytes.length))
  skb.dev = dev
  return devQueueXmit(skb)
}

export interface RigOptions extends Partial<VnetOptions> {
  kernel?: KernelOptions
  queues?: number
  /** Leave the device down. */
  down?: boolean
}

/** One card with its device, and a patch cable whose far end is in the test's hand. */
export class Rig {
  readonly kernel: Kernel
  readonly card: VnetCard
  readonly dev: Dev
  /** Frames that came out at the far end. */
  readonly wire: Uint8Array[] = []
  /** Frames the stack got. */
  readonly received: Uint8Array[] = []
  readonly cable

  constructor(options: RigOptions = {}) {
    this.kernel = createKernel(options.kernel)
    this.kernel.currentModule = 'rig'
    this.cable = patchCable(this.kernel, { store: { frames: 4096 } })
    this.cable.b.attach(this.farEnd())
    this.card = createCard(this.kernel, { queues: options.queues ?? 1, backend: this.cable.a })
    this.dev = createVnet(this.kernel, { ...options, hw: this.card })
    this.kernel.currentModule = null
    this.tap()
    if (!options.down) this.up()
  }

  up(): void {
    this.kernel.rtnl.run(() => devOpen(this.dev))
  }

  down(): void {
    this.kernel.rtnl.run(() => devClose(this.dev))
  }

  /** Offers frames at the socket of the card, all at one moment; says which were taken. */
  offer(...frames: Uint8Array[]): boolean[] {
    const taken: boolean[] = []
    this.kernel.hardware(() => {
      for (const f of frames) taken.push(this.card.receive(f, 0, f.length))
    })
    return taken
  }

  send(bytes: Uint8Array): number {
    return sendBytes(this.dev, bytes)
  }

  /** Takes everything apart and expects that nothing is left and no rule was broken. */
  end(): void {
    if (devGetByIndex(this.kernel, this.dev.ifindex) !== undefined) destroyVnet(this.dev)
    this.card.destroy()
    this.cable.b.attach(null)
    this.kernel.runFor(1000 * MS)
    expect(this.kernel.violations).toEqual([])
    // The memory of sk_buffs belongs to the kernel, which keeps it.
    expect(this.kernel.census.take().filter((e) => e.kind !== 'memory' || e.module !== null)).toEqual([])
  }

  private farEnd(): BackendPort {
    return {
      receive: (mem, offset, length) => {
        this.wire.push(mem.slice(offset, offset + length))
        return true
      },
      linkChange: () => undefined,
      writable: () => undefined,
    }
  }

  private tap(): void {
    devAddPack(this.kernel, {
      type: ETH_P_ALL,
      func: (skb) => {
        if (skb.pktType !== PACKET_OUTGOING) {
          this.received.push(skb.mem.slice(skb.macHeader, skb.data + skb.len))
        }
        consumeSkb(skb)
        return NET_RX_SUCCESS
      },
    })
  }
}
