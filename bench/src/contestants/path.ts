/** The packet path: everything a packet meets, with the rule checks lifted as in a release. */
import { patchCable } from '@vnet/backend'
import { createKernel, type Kernel } from '@vnet/kernel'
import {
  NET_IP_ALIGN,
  consumeSkb,
  devAddPack,
  devOpen,
  devQueueXmit,
  devQueueXmitList,
  netdevAllocSkb,
  skbPut,
  type NetDevice,
  type SkBuff,
} from '@vnet/netdev'
import { createCard, createVnet, type VnetCard } from '@vnet/vnet'
import type { Contestant } from '../contestant.ts'
import { sinkBackend, type SinkBackend } from './sink.ts'

/** An EtherType for experiments: no offload looks at it. */
export const PROTO = 0x88b5
const RING = 256
/** Longer than all latencies of a burst together. */
const SETTLE_NS = 10_000

type Args = readonly string[]
export type Dev = NetDevice<unknown>

/** A device, its card, and a frame addressed to it. */
export interface Rig {
  readonly kernel: Kernel
  readonly dev: Dev
  readonly card: VnetCard
}

/** Counts what came up, and reads a byte of each. */
export class Receiver {
  got = 0
  sum = 0

  constructor(kernel: Kernel) {
    devAddPack(kernel, {
      type: PROTO,
      func: (skb) => {
        this.got++
        this.sum = (this.sum + skb.mem[skb.data]!) | 0
        consumeSkb(skb)
        return 0
      },
    })
  }
}

export function newKernel(): Kernel {
  return createKernel({ strict: false, checks: false })
}

export function openDevice(
  kernel: Kernel,
  last: number,
  backend: SinkBackend | ReturnType<typeof patchCable>['a'],
): Rig {
  const macAddress = Uint8Array.of(2, 0, 0, 0, 0, last)
  const card = createCard(kernel, { name: `card${last}`, macAddress, backend })
  const dev = createVnet(kernel, { hw: card, txRing: RING, rxRing: RING }) as Dev
  return { kernel, dev, card }
}

/** To station `last`. */
export function frameTo(last: number, length: number): Uint8Array {
  const frame = new Uint8Array(length)
  for (let i = 0; i < length; i++) frame[i] = i
  frame.set([2, 0, 0, 0, 0, last, 2, 0, 0, 0, 9, 9, PROTO >> 8, PROTO & 255])
  return frame
}

/** Takes an sk_buff from the pool. Its bytes are those of the frame: `fill` wrote them once, and nobody else does. */
export function take(dev: Dev, length: number): SkBuff {
  const skb = netdevAllocSkb(dev, length)!
  skbPut(skb, length)
  skb.protocol = PROTO
  return skb
}

/** Writes the frame into the sk_buffs a burst will get. */
export function fill(dev: Dev, frame: Uint8Array, burst: number): void {
  const all: SkBuff[] = []
  for (let i = 0; i < burst * 2; i++) {
    const skb = take(dev, frame.length)
    skb.mem.set(frame, skb.data)
    all.push(skb)
  }
  for (const skb of all.reverse()) consumeSkb(skb)
}

function xmitBurst(rig: Rig, length: number, burst: number): void {
  const { dev } = rig
  for (let i = 0; i < burst; i++) devQueueXmit(take(dev, length))
  rig.kernel.runFor(SETTLE_NS)
}

/** Sends a burst as a list, on the queue its hash leads to. */
export function sendList(dev: Dev, length: number, burst: number, hash = 0): void {
  const first = take(dev, length)
  first.hash = hash
  let last = first
  for (let i = 1; i < burst; i++) {
    const skb = take(dev, length)
    skb.hash = hash
    last.next = skb
    last = skb
  }
  devQueueXmitList(first)
}

function xmitListBurst(rig: Rig, length: number, burst: number): void {
  sendList(rig.dev, length, burst)
  rig.kernel.runFor(SETTLE_NS)
}

function transmitter([lengthText, burstText]: Args, send: typeof xmitBurst): Contestant {
  const [length, burst] = [Number(lengthText), Number(burstText)]
  const kernel = newKernel()
  const sink = sinkBackend()
  const rig = openDevice(kernel, 1, sink)
  kernel.rtnl.run(() => devOpen(rig.dev))
  fill(rig.dev, frameTo(2, length), burst)
  let sent = 0
  return {
    ops: burst,
    run(times) {
      sent += times * burst
      for (let t = 0; t < times; t++) send(rig, length, burst)
    },
    verify: () => expect(kernel, sent, sink.taken),
  }
}

export async function tx(args: Args): Promise<Contestant> {
  return transmitter(args, xmitBurst)
}

export async function txList(args: Args): Promise<Contestant> {
  return transmitter(args, xmitListBurst)
}

export async function rx([lengthText, burstText]: Args): Promise<Contestant> {
  const [length, burst] = [Number(lengthText), Number(burstText)]
  const kernel = newKernel()
  const { dev, card } = openDevice(kernel, 1, sinkBackend())
  const receiver = new Receiver(kernel)
  kernel.rtnl.run(() => devOpen(dev))
  // Aligned as in the card's buffers, which is where a backend with a memory of its own puts it.
  const frame = new Uint8Array(2048)
  frame.set(frameTo(1, length), NET_IP_ALIGN)
  const offer = (): void => {
    for (let i = 0; i < burst; i++) card.receive(frame, NET_IP_ALIGN, length)
  }
  let sent = 0
  return {
    ops: burst,
    run(times) {
      sent += times * burst
      for (let t = 0; t < times; t++) kernel.hardware(offer)
    },
    verify: () => expect(kernel, sent, receiver.got),
  }
}

export async function loop([lengthText, burstText]: Args): Promise<Contestant> {
  const [length, burst] = [Number(lengthText), Number(burstText)]
  const kernel = newKernel()
  const cable = patchCable(kernel, {})
  const rig = openDevice(kernel, 1, cable.a)
  const peer = openDevice(kernel, 2, cable.b)
  const receiver = new Receiver(kernel)
  kernel.rtnl.run(() => {
    devOpen(rig.dev)
    devOpen(peer.dev)
  })
  fill(rig.dev, frameTo(2, length), burst)
  let sent = 0
  return {
    ops: burst,
    run(times) {
      sent += times * burst
      for (let t = 0; t < times; t++) xmitBurst(rig, length, burst)
    },
    verify: () => expect(kernel, sent, receiver.got),
  }
}

export function expect(kernel: Kernel, sent: number, got: number): void {
  if (kernel.violations.length > 0) throw kernel.violations[0]!
  if (sent !== got) throw new Error(`${sent} packets were sent, ${got} arrived`)
}
