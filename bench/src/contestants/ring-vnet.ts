import { DescRing, SpscRing, descRingLayout } from '@vnet/core-ring'
import type { Contestant } from '../contestant.ts'

const SIZE = 1024
let sum = 0

/** Four words written and read in place; one word when `kind` is int. */
export function spsc([kind, burstText]: readonly string[]): Contestant {
  const burst = Number(burstText)
  const ring = new SpscRing(descRingLayout(SIZE, kind === 'int' ? 1 : 4))
  const once = kind === 'int' ? intBurst : recordBurst
  return {
    ops: burst,
    run(times) {
      for (let t = 0; t < times; t++) once(ring, burst, t)
    },
    verify: () => checkSum(ring.prod),
  }
}

function recordBurst(ring: SpscRing, burst: number, seed: number): void {
  const { words, mask } = ring
  const first = ring.reserve(burst)
  if (first < 0) return
  for (let i = 0; i < burst; i++) {
    const at = ((first + i) & mask) << 2
    words[at] = seed
    words[at + 1] = i
    words[at + 2] = 60
    words[at + 3] = 0
  }
  ring.commit(burst)
  const n = ring.readable()
  const { cons } = ring
  let s = 0
  for (let i = 0; i < n; i++) {
    const at = ((cons + i) & mask) << 2
    s = (s + words[at]! + words[at + 1]! + words[at + 2]! + words[at + 3]!) | 0
  }
  ring.release(n)
  sum = s
}

function intBurst(ring: SpscRing, burst: number, seed: number): void {
  const { words, mask } = ring
  const first = ring.reserve(burst)
  if (first < 0) return
  for (let i = 0; i < burst; i++) words[(first + i) & mask] = seed + i
  ring.commit(burst)
  const n = ring.readable()
  const { cons } = ring
  let s = 0
  for (let i = 0; i < n; i++) s = (s + words[(cons + i) & mask]!) | 0
  ring.release(n)
  sum = s
}

/** The driver posts, the card reads and completes, the driver reclaims. */
export function desc([, burstText]: readonly string[]): Contestant {
  const burst = Number(burstText)
  const ring = new DescRing(descRingLayout(SIZE, 4))
  return {
    ops: burst,
    run(times) {
      for (let t = 0; t < times; t++) descBurst(ring, burst, t)
    },
    verify: () => checkSum(ring.clean),
  }
}

function descBurst(ring: DescRing, burst: number, seed: number): void {
  const { words, prod } = ring
  for (let i = 0; i < burst; i++) {
    const d = ring.at(prod + i)
    words[d] = seed
    words[d + 1] = i
    words[d + 2] = 60
    words[d + 3] = 0
  }
  ring.post(burst)
  const n = ring.pending()
  const { cons } = ring
  let s = 0
  for (let i = 0; i < n; i++) {
    const d = ring.at(cons + i)
    s = (s + words[d]! + words[d + 1]! + words[d + 2]! + words[d + 3]!) | 0
  }
  ring.complete(n)
  ring.reclaim(ring.completed())
  sum = s
}

function checkSum(moved: number): void {
  if (moved === 0 || sum === 0) throw new Error('nothing went through the ring')
}
