import { createKernel, type Kernel } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allocSkb,
  consumeSkb,
  kfreeSkb,
  MAX_SKB_FRAGS,
  pagePoolAlloc,
  pagePoolCreate,
  pagePoolOffset,
  pagePoolPut,
  type PagePool,
  pskbExpandHead,
  pskbMayPull,
  pskbTrim,
  type SkBuff,
  skbAddRxFrag,
  skbBytes,
  skbClone,
  skbCloned,
  skbCopy,
  skbCopyBits,
  skbCow,
  skbHeadlen,
  skbHeadroom,
  skbLinearize,
  skbPull,
  skbPush,
  skbPut,
  skbPutPadto,
  skbReserve,
  skbTailroom,
  skbUnclone,
} from '../src/index.ts'
import { expectNoneAlive } from './skb-helpers.ts'

/** What a packet must be: its bytes, and nothing else. */
interface Model {
  skb: SkBuff
  bytes: number[]
}

type Step =
  | { op: 'alloc'; size: number; reserve: number }
  | { op: 'put' | 'push'; at: number; bytes: number[] }
  | { op: 'pull' | 'trim' | 'pad' | 'mayPull'; at: number; len: number }
  | { op: 'clone' | 'copy' | 'unclone' | 'linearize' | 'free'; at: number }
  | { op: 'expand'; at: number; head: number; tail: number }
  | { op: 'frag'; at: number; offset: number; bytes: number[] }

const at = fc.nat(20)
const bytes = fc.array(fc.nat(255), { maxLength: 90 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('alloc'), size: fc.nat(700), reserve: fc.nat(100) }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constantFrom('put', 'push'), at, bytes }) },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constantFrom('pull', 'trim', 'pad', 'mayPull'), at, len: fc.nat(150) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ op: fc.constantFrom('clone', 'copy', 'unclone', 'linearize', 'free'), at }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('expand'), at, head: fc.nat(200), tail: fc.nat(200) }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('frag'), at, offset: fc.nat(300), bytes }) },
) as fc.Arbitrary<Step>

class World {
  readonly kernel: Kernel
  readonly pool: PagePool
  readonly live: Model[] = []

  constructor() {
    this.kernel = createKernel()
    this.pool = pagePoolCreate(this.kernel, { name: 'model', count: 64, bufSize: 512 })
  }

  pick(index: number): Model | null {
    return this.live.length === 0 ? null : this.live[index % this.live.length]!
  }

  run(s: Step): void {
    if (s.op === 'alloc') return this.alloc(s.size, s.reserve)
    const m = this.pick(s.at)
    if (m === null) return
    if (s.op === 'put') this.put(m, s.bytes)
    else if (s.op === 'push') this.push(m, s.bytes)
    else if (s.op === 'pull') this.pull(m, s.len)
    else if (s.op === 'trim') this.trim(m, s.len)
    else if (s.op === 'pad') this.pad(m, s.len)
    else if (s.op === 'mayPull') this.mayPull(m, s.len)
    else if (s.op === 'clone') this.add(skbClone(m.skb)!, m.bytes)
    else if (s.op === 'copy') this.add(skbCopy(m.skb)!, m.bytes)
    else if (s.op === 'unclone') this.unclone(m)
    else if (s.op === 'linearize') this.linearize(m)
    else if (s.op === 'expand') this.expand(m, s.head, s.tail)
    else if (s.op === 'frag') this.frag(m, s.offset, s.bytes)
    else this.free(m)
  }

  alloc(size: number, reserve: number): void {
    const skb = allocSkb(this.kernel, size + reserve)!
    skbReserve(skb, reserve)
    expect(skbHeadroom(skb)).toBe(reserve)
    expect(skbTailroom(skb)).toBeGreaterThanOrEqual(size)
    this.add(skb, [])
  }

  add(skb: SkBuff, bytes: readonly number[]): void {
    expect(skb.users).toBe(1)
    this.live.push({ skb, bytes: [...bytes] })
  }

  put(m: Model, bytes: number[]): void {
    if (m.skb.dataLen > 0 || skbTailroom(m.skb) < bytes.length || !skbUnclone(m.skb)) return
    const offset = skbPut(m.skb, bytes.length)
    m.skb.mem.set(bytes, offset)
    m.bytes.push(...bytes)
  }

  push(m: Model, bytes: number[]): void {
    if (!skbCow(m.skb, bytes.length)) return
    const offset = skbPush(m.skb, bytes.length)
    m.skb.mem.set(bytes, offset)
    m.bytes.unshift(...bytes)
  }

  pull(m: Model, len: number): void {
    const linear = skbHeadlen(m.skb)
    const result = skbPull(m.skb, len)
    expect(result === null).toBe(len > linear)
    if (result !== null) m.bytes.splice(0, len)
  }

  trim(m: Model, len: number): void {
    expect(pskbTrim(m.skb, len)).toBe(true)
    m.bytes.splice(len)
  }

  pad(m: Model, len: number): void {
    expect(skbPutPadto(m.skb, len)).toBe(true)
    while (m.bytes.length < len) m.bytes.push(0)
  }

  mayPull(m: Model, len: number): void {
    expect(pskbMayPull(m.skb, len)).toBe(len <= m.bytes.length)
    if (len <= m.bytes.length) expect(skbHeadlen(m.skb)).toBeGreaterThanOrEqual(len)
  }

  unclone(m: Model): void {
    expect(skbUnclone(m.skb)).toBe(true)
    expect(skbCloned(m.skb)).toBe(false)
    // Nobody else may see this.
    for (let i = m.skb.data; i < m.skb.tail; i++) m.skb.mem[i] = m.skb.mem[i]! ^ 0xff
    for (let i = 0; i < skbHeadlen(m.skb); i++) m.bytes[i] = m.bytes[i]! ^ 0xff
  }

  linearize(m: Model): void {
    expect(skbLinearize(m.skb)).toBe(true)
    expect(m.skb.dataLen).toBe(0)
  }

  expand(m: Model, head: number, tail: number): void {
    const headroom = skbHeadroom(m.skb)
    expect(pskbExpandHead(m.skb, head, tail)).toBe(true)
    expect(skbHeadroom(m.skb)).toBe(headroom + head)
  }

  frag(m: Model, offset: number, bytes: number[]): void {
    if (bytes.length === 0 || !skbUnclone(m.skb)) return
    const page = pagePoolAlloc(this.pool)
    if (page < 0) return
    if (m.skb.shinfo.nrFrags >= MAX_SKB_FRAGS) return pagePoolPut(this.pool, page)
    this.pool.region.u8.set(bytes, pagePoolOffset(this.pool, page) + offset)
    expect(skbAddRxFrag(m.skb, this.pool, page, offset, bytes.length)).toBe(true)
    m.bytes.push(...bytes)
  }

  free(m: Model): void {
    this.live.splice(this.live.indexOf(m), 1)
    if (m.bytes.length % 2 === 0) kfreeSkb(m.skb)
    else consumeSkb(m.skb)
  }

  check(): void {
    for (const { skb, bytes } of this.live) {
      expect(skb.head <= skb.data && skb.data <= skb.tail && skb.tail <= skb.end).toBe(true)
      expect(skb.end).toBeLessThanOrEqual(skb.shinfo.base + skb.shinfo.size)
      expect(skb.tail - skb.data).toBe(skb.len - skb.dataLen)
      expect(Array.from(skbBytes(skb))).toEqual(bytes)
    }
  }

  end(): void {
    for (const m of [...this.live]) this.free(m)
    expectNoneAlive(this.kernel, this.pool)
    expect(this.kernel.violations).toEqual([])
  }
}

describe('sk_buff against a plain array of bytes', () => {
  it('SKB-01 SKB-04 keeps bytes, offsets and owners right in any order of calls', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const world = new World()
        for (const s of steps) {
          world.run(s)
          world.check()
        }
        world.end()
      }),
      { numRuns: 200 },
    )
  })

  it('copies any range out of any shape of packet', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 5, maxLength: 40 }),
        fc.nat(200),
        fc.nat(200),
        (steps, offset, len) => {
          const world = new World()
          for (const s of steps) world.run(s)
          for (const { skb, bytes } of world.live) {
            const out = new Uint8Array(len + 2)
            const result = skbCopyBits(skb, offset, out, 1, len)
            expect(result).toBe(offset + len <= bytes.length ? 0 : -14)
            if (result === 0)
              expect(Array.from(out.subarray(1, len + 1))).toEqual(bytes.slice(offset, offset + len))
            expect([out[0], out[len + 1]]).toEqual([0, 0])
          }
          world.end()
        },
      ),
      { numRuns: 200 },
    )
  })
})
