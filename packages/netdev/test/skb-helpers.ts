import { createKernel, type Kernel, type KernelOptions, RuleViolation } from '@vnet/kernel'
import { expect } from 'vitest'
import {
  allocEtherdevMqs,
  consumeSkb,
  csumPseudo,
  ethTypeTrans,
  LinkState,
  napiBuildSkb,
  type NetDevice,
  NETIF_F,
  pagePoolAlloc,
  pagePoolCreate,
  pagePoolOffset,
  type PagePool,
  type SkBuff,
  skbBytes,
  skbCacheOf,
} from '../src/index.ts'

export const MAC_A = Uint8Array.of(2, 0, 0, 0, 0, 1)
export const MAC_B = Uint8Array.of(2, 0, 0, 0, 0, 2)

/** A device that is up enough to receive, without a life of its own. */
export function rxDev(kernel: Kernel, name = 'rx0'): NetDevice<any> {
  const dev = allocEtherdevMqs<any>(kernel, {
    name,
    ops: { ndoStartXmit: (skb) => (consumeSkb(skb), 0) },
    priv: () => null,
  })
  dev.name = name
  dev.devAddr = MAC_A.slice()
  dev.state |= LinkState.START
  dev.features = NETIF_F.GRO
  return dev
}

/** Checks on, nothing thrown: the ids are in `kernel.violations`. */
export function lenientKernel(options: KernelOptions = {}): Kernel {
  return createKernel({ strict: false, checks: true, ...options })
}

/** The rule and text `fn` is reported for by a strict kernel. */
export function violation(fn: () => unknown): string {
  try {
    fn()
  } catch (error) {
    if (error instanceof RuleViolation) return error.rule + ': ' + error.message
    throw error
  }
  return 'nothing reported'
}

/** Every sk_buff is freed, and every buffer is back where it came from. */
export function expectNoneAlive(kernel: Kernel, ...pools: PagePool[]): void {
  expect(kernel.census.take().filter((entry) => entry.kind === 'skb')).toEqual([])
  for (const pool of pools) expect(pool.outstanding).toBe(0)
  for (const home of skbCacheOf(kernel).classes) {
    expect(home.free).toBe(home.buffers.length)
    expect(new Set(home.stack.subarray(0, home.free)).size).toBe(home.free)
    for (const shinfo of home.buffers) {
      expect(shinfo.dataref).toBe(1)
      // Not `toBe`: on failure it would print the whole memory.
      expect(shinfo.native!.shinfo === shinfo).toBe(true)
    }
  }
}

/** Headers of a frame; what is left out takes a plain value. */
export interface FrameSpec {
  v6?: boolean
  proto?: 'tcp' | 'udp'
  payload?: Uint8Array
  sport?: number
  dport?: number
  seq?: number
  ack?: number
  flags?: number
  window?: number
  options?: Uint8Array
  ttl?: number
  tos?: number
  id?: number
  df?: boolean
  noChecksum?: boolean
  src?: number
  macSrc?: Uint8Array
}

/** An Ethernet frame with right checksums. */
export function buildFrame(spec: FrameSpec = {}): Uint8Array {
  const { v6 = false, proto = 'tcp', payload = new Uint8Array(0), options = new Uint8Array(0) } = spec
  const l4 = (proto === 'tcp' ? 20 + options.length : 8) + payload.length
  const ip = v6 ? 40 : 20
  const f = new Uint8Array(14 + ip + l4)
  f.set(MAC_A, 0)
  f.set(spec.macSrc ?? MAC_B, 6)
  put16(f, 12, v6 ? 0x86dd : 0x0800)
  const nh = 14
  if (v6) {
    f[nh] = 0x60 | ((spec.tos ?? 0) >> 4)
    f[nh + 1] = ((spec.tos ?? 0) & 15) << 4
    put16(f, nh + 4, l4)
    f[nh + 6] = proto === 'tcp' ? 6 : 17
    f[nh + 7] = spec.ttl ?? 64
    f[nh + 8] = 0xfd
    f[nh + 23] = spec.src ?? 2
    f[nh + 24] = 0xfd
    f[nh + 39] = 1
  } else {
    f[nh] = 0x45
    f[nh + 1] = spec.tos ?? 0
    put16(f, nh + 2, 20 + l4)
    put16(f, nh + 4, spec.id ?? 0)
    put16(f, nh + 6, (spec.df ?? true) ? 0x4000 : 0)
    f[nh + 8] = spec.ttl ?? 64
    f[nh + 9] = proto === 'tcp' ? 6 : 17
    f.set([10, 0, 0, spec.src ?? 2, 10, 0, 0, 1], nh + 12)
    put16(f, nh + 10, slowChecksum(f.subarray(nh, nh + 20)))
  }
  const th = nh + ip
  put16(f, th, spec.sport ?? 4321)
  put16(f, th + 2, spec.dport ?? 80)
  if (proto === 'tcp') {
    put32(f, th + 4, spec.seq ?? 1000)
    put32(f, th + 8, spec.ack ?? 77)
    f[th + 12] = ((20 + options.length) / 4) << 4
    f[th + 13] = spec.flags ?? 0x10
    put16(f, th + 14, spec.window ?? 502)
    f.set(options, th + 20)
    f.set(payload, th + 20 + options.length)
    put16(f, th + 16, l4Checksum(f, nh, th, v6, 6))
  } else {
    put16(f, th + 4, l4)
    f.set(payload, th + 8)
    if (spec.noChecksum !== true) put16(f, th + 6, l4Checksum(f, nh, th, v6, 17) || 0xffff)
  }
  return f
}

function l4Checksum(f: Uint8Array, nh: number, th: number, v6: boolean, proto: number): number {
  const pseudo = csumPseudo(f, nh + (v6 ? 8 : 12), v6 ? 16 : 4, proto, f.length - th)
  return slowChecksum(f.subarray(th), pseudo)
}

/** RFC 1071, word by word. */
export function slowChecksum(bytes: Uint8Array, initial = 0): number {
  let sum = initial
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i]! * 256 + (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000)
  return 0xffff - sum
}

export function put16(f: Uint8Array, at: number, value: number): void {
  f[at] = value >> 8
  f[at + 1] = value
}

export function put32(f: Uint8Array, at: number, value: number): void {
  put16(f, at, (value >>> 16) & 0xffff)
  put16(f, at + 2, value & 0xffff)
}

/** What a driver's poll does with one frame, up to where it is passed on. */
export class RxRing {
  readonly pool: PagePool
  readonly dev: NetDevice<any>

  constructor(dev: NetDevice<any>, count = 256, bufSize = 2048) {
    this.dev = dev
    this.pool = pagePoolCreate(dev.kernel, { name: `${dev.name}-rx0`, count, bufSize })
  }

  receive(frame: Uint8Array): SkBuff {
    const page = pagePoolAlloc(this.pool)
    if (page < 0) throw new Error('test pool is empty')
    this.pool.region.u8.set(frame, pagePoolOffset(this.pool, page) + 66)
    const skb = napiBuildSkb(this.pool, page, 66, frame.length)!
    ethTypeTrans(skb, this.dev)
    return skb
  }
}

/** The whole frame of a received packet, its link header included. */
export function frameBytes(skb: SkBuff): Uint8Array {
  const header = skb.data - skb.macHeader
  const bytes = new Uint8Array(header + skb.len)
  bytes.set(skb.mem.subarray(skb.macHeader, skb.data))
  bytes.set(skbBytes(skb), header)
  return bytes
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')
}
