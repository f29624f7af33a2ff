import { createKernel, type Kernel } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CHECKSUM_COMPLETE,
  CHECKSUM_NONE,
  CHECKSUM_PARTIAL,
  CHECKSUM_UNNECESSARY,
  consumeSkb,
  csumPartial,
  devAddPack,
  groInit,
  groReceiveSkb,
  NETIF_F,
  PktFeature,
  type SkBuff,
  skbBytes,
  skbChecksumHelp,
  skbCow,
  skbGsoSegment,
  skbPush,
} from '../src/index.ts'
import { buildFrame, expectNoneAlive, type FrameSpec, hex, RxRing, rxDev } from './skb-helpers.ts'

/** What may happen to the next segment of a flow. */
interface Move {
  flow: number
  kind:
    | 'next'
    | 'short'
    | 'push'
    | 'fin'
    | 'ack'
    | 'gap'
    | 'again'
    | 'option'
    | 'ttl'
    | 'id'
    | 'cwr'
    | 'corrupt'
    | 'pad'
    | 'bare'
  summed: number
  flush: boolean
}

const KINDS: Move['kind'][] = [
  'short',
  'push',
  'fin',
  'ack',
  'gap',
  'again',
  'option',
  'ttl',
  'id',
  'cwr',
  'corrupt',
  'pad',
  'bare',
]
const move: fc.Arbitrary<Move> = fc.record({
  flow: fc.nat(5),
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constant<Move['kind']>('next') },
    { weight: 2, arbitrary: fc.constantFrom(...KINDS) },
  ),
  summed: fc.constantFrom(CHECKSUM_NONE, CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_COMPLETE),
  flush: fc.oneof({ weight: 20, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})

/** Makes the frames of one flow, well-behaved but for the move asked for. */
class Sender {
  readonly index: number
  readonly mss: number
  seq: number
  id: number
  option = 0
  ttl = 64

  constructor(index: number) {
    this.index = index
    this.mss = 90 + index * 11
    this.seq = index === 0 ? 0xffffff00 : 1000 * index
    this.id = index === 1 ? 65530 : 7 * index
  }

  frame(kind: Move['kind']): Uint8Array {
    if (kind === 'gap') this.seq = (this.seq + 1) >>> 0
    if (kind === 'again') this.seq = (this.seq - this.mss) >>> 0
    if (kind === 'option') this.option++
    if (kind === 'ttl') this.ttl = 60 + ((this.ttl + 1) % 5)
    if (kind === 'id') this.id += 3
    const len = kind === 'short' ? 31 : kind === 'ack' ? 0 : kind === 'pad' ? 2 : this.mss
    const frame = buildFrame(this.spec(kind, len))
    this.seq = (this.seq + len) >>> 0
    // Flow 2 has no use for the identification, as allowed with DF.
    if (this.index !== 2) this.id = (this.id + 1) & 0xffff
    if (kind === 'corrupt') frame[frame.length - 1] = frame[frame.length - 1]! ^ 0x10
    if (kind !== 'pad' || frame.length >= 60) return frame
    const padded = new Uint8Array(60)
    padded.set(frame)
    return padded
  }

  spec(kind: Move['kind'], len: number): FrameSpec {
    const payload = Uint8Array.from({ length: len }, (_, i) => this.seq * 3 + i * 5)
    const flags = { push: 0x18, fin: 0x11, cwr: 0x90 }[kind as string] ?? 0x10
    const stamp = Uint8Array.of(1, 1, 8, 10, 0, 0, 0, this.option, 0, 0, 0, 9)
    return {
      payload,
      flags,
      seq: this.seq,
      id: this.id & 0xffff,
      ttl: this.ttl,
      sport: 2000 + this.index,
      v6: this.index >= 3,
      proto: this.index % 3 === 1 ? 'udp' : 'tcp',
      noChecksum: kind === 'bare' && this.index === 1,
      ...(this.index % 2 === 0 ? { options: stamp } : {}),
    }
  }
}

/** Brings a received packet back to frames, as forwarding it to a card with these features would. */
function forward(skb: SkBuff, features: number): string[] {
  expect(skbCow(skb, 14)).toBe(true)
  skbPush(skb, skb.data - skb.macHeader)
  if (skb.gsoSize === 0) {
    const bytes = hex(skbBytes(skb))
    consumeSkb(skb)
    return [bytes]
  }
  const frames: string[] = []
  let segments = 0
  for (let seg = skbGsoSegment(skb, features); seg !== null;) {
    const next: SkBuff | null = seg.next
    seg.next = null
    if (seg.ipSummed === CHECKSUM_PARTIAL) expect(skbChecksumHelp(seg)).toBe(0)
    frames.push(hex(skbBytes(seg)))
    consumeSkb(seg)
    seg = next
    segments++
  }
  expect(segments).toBe(skb.gsoSegs)
  consumeSkb(skb)
  return frames
}

function run(kernel: Kernel, moves: Move[], features: number): { sent: string[]; merged: number } {
  const dev = rxDev(kernel)
  dev.features = NETIF_F.GRO | NETIF_F.GRO_UDP_FWD
  const ring = new RxRing(dev, 256, 512)
  const gro = groInit(dev)
  const senders = Array.from({ length: 6 }, (_, i) => new Sender(i))
  const got: string[] = []
  for (const type of [0x0800, 0x86dd]) {
    devAddPack(kernel, { type, func: (skb) => (got.push(...forward(skb, features)), 0) })
  }
  const sent: string[] = []
  for (const m of moves) {
    const frame = senders[m.flow]!.frame(m.kind)
    sent.push(hex(frame))
    const skb = ring.receive(frame)
    skb.ipSummed = m.kind === 'corrupt' ? CHECKSUM_NONE : m.summed
    if (skb.ipSummed === CHECKSUM_COMPLETE) skb.csum = csumPartial(skb.mem, skb.shinfo.i32, skb.data, skb.len)
    groReceiveSkb(gro, skb)
    if (m.flush) gro.flush(false)
  }
  gro.flush(false)
  expect([...got].sort()).toEqual([...sent].sort())
  for (const sender of senders) expect(orderOf(got, sender)).toEqual(orderOf(sent, sender))
  expectNoneAlive(kernel, ring.pool)
  expect(kernel.violations).toEqual([])
  return { sent, merged: gro.merged }
}

/** The frames of one flow in order, told by the source port; those the receiver would drop as corrupt may overtake. */
function orderOf(frames: string[], sender: Sender): string[] {
  const port = (2000 + sender.index).toString(16).padStart(4, '0')
  const at = 2 * (sender.index >= 3 ? 54 : 34)
  const mine = frames.filter((frame) => frame.slice(at, at + 4) === port)
  return mine.filter((frame) => good(frame, sender))
}

function good(frame: string, sender: Sender): boolean {
  const bytes = Uint8Array.from(frame.match(/../g)!, (h) => parseInt(h, 16))
  const v6 = sender.index >= 3
  const th = v6 ? 54 : 34
  const end = v6 ? 54 + bytes[18]! * 256 + bytes[19]! : 14 + bytes[16]! * 256 + bytes[17]!
  let sum = end - th + (sender.index % 3 === 1 ? 17 : 6)
  if (sender.index % 3 === 1 && bytes[th + 6] === 0 && bytes[th + 7] === 0) return true
  for (let i = v6 ? 22 : 26; i < end; i++) {
    const odd = i >= th ? (i - th) & 1 : i & 1
    sum += odd === 0 ? bytes[i]! * 256 : bytes[i]!
  }
  return sum % 0xffff === 0
}

describe('merging, then cutting again', () => {
  it('CSUM-02 gives back every frame bit for bit, in order within its flow', () => {
    let merged = 0
    fc.assert(
      fc.property(fc.array(move, { minLength: 1, maxLength: 100, size: 'max' }), (moves) => {
        merged += run(createKernel(), moves, 0).merged
      }),
      { numRuns: 60 },
    )
    expect(merged).toBeGreaterThan(300)
  })

  it('CSUM-02 the same when the card gathers and sums', () => {
    fc.assert(
      fc.property(fc.array(move, { minLength: 1, maxLength: 100, size: 'max' }), (moves) => {
        run(createKernel(), moves, PktFeature.SG | PktFeature.HW_CSUM)
      }),
      { numRuns: 30 },
    )
  })

  it('holds for long runs of two flows that take turns', () => {
    const moves = Array.from({ length: 200 }, (_, i): Move => ({
      flow: (i & 1) * 4,
      kind: 'next',
      summed: 0,
      flush: i % 64 === 63,
    }))
    expect(run(createKernel(), moves, 0).merged).toBeGreaterThan(180)
  })
})
