import { createKernel, type Kernel } from '@vnet/kernel'
import { beforeEach } from 'vitest'
import {
  CHECKSUM_NONE,
  devAddPack,
  groInit,
  type GroNode,
  groReceiveSkb,
  kfreeSkb,
  type NetDevice,
  NETIF_F,
  type SkBuff,
} from '../src/index.ts'
import { buildFrame, expectNoneAlive, type FrameSpec, RxRing, rxDev } from './skb-helpers.ts'

interface GroRig {
  readonly kernel: Kernel
  readonly dev: NetDevice<any>
  readonly ring: RxRing
  readonly gro: GroNode
  /** What came up. */
  readonly got: SkBuff[]
}

/** A device that merges, made anew for each test of the file that imports this. */
export const rig = {} as GroRig

beforeEach(() => {
  const kernel = createKernel()
  const dev = rxDev(kernel)
  dev.features = NETIF_F.GRO | NETIF_F.GRO_UDP_FWD
  const got: SkBuff[] = []
  Object.assign(rig, { kernel, dev, ring: new RxRing(dev, 512), gro: groInit(dev), got } satisfies GroRig)
  for (const type of [0x0800, 0x86dd, 0x0806]) devAddPack(kernel, { type, func: (skb) => (got.push(skb), 0) })
})

/** Everything that came up is freed, and nothing else is left. */
export function end(): void {
  for (const skb of rig.got) kfreeSkb(skb)
  expectNoneAlive(rig.kernel, rig.ring.pool)
}

export const MSS = 100
export const body = (n: number, len = MSS): Uint8Array =>
  Uint8Array.from({ length: len }, (_, i) => n * 7 + i)

/** Segment `n` of a flow. */
export function segment(n: number, more: FrameSpec = {}, len = MSS): Uint8Array {
  return buildFrame({ seq: 1000 + n * MSS, id: 50 + n, payload: body(n, len), ...more })
}

/** Lets a frame arrive; gives what became of it. */
export function feed(frame: Uint8Array, ipSummed = CHECKSUM_NONE): number {
  const skb = rig.ring.receive(frame)
  skb.ipSummed = ipSummed
  return groReceiveSkb(rig.gro, skb)
}

/** Packets that came up, as [gsoSegs, gsoSize, length from the network header]. */
export function shapes(): number[][] {
  return rig.got.map((skb) => [skb.gsoSegs, skb.gsoSize, skb.len])
}
