import { RingBuffer } from 'ringbuf.js'
import type { Contestant } from '../contestant.ts'

const SIZE = 1024
let sum = 0

/** ringbuf.js moves arrays of words in and out. */
export function ringbuf([kind, burstText]: readonly string[]): Contestant {
  const burst = Number(burstText)
  const wordsEach = kind === 'int' ? 1 : 4
  const ring = new RingBuffer(RingBuffer.getStorageForCapacity(SIZE * wordsEach, Int32Array), Int32Array)
  const out = new Int32Array(burst * wordsEach)
  const back = new Int32Array(burst * wordsEach)
  const fill = kind === 'int' ? fillInts : fillRecords
  return {
    ops: burst,
    run(times) {
      for (let t = 0; t < times; t++) {
        fill(out, burst, t)
        ring.push(out)
        ring.pop(back)
        sum = total(back)
      }
    },
    verify() {
      if (sum === 0) throw new Error('nothing went through the ring')
    },
  }
}

/** Writes `burst` descriptors of four words. */
export function fillRecords(out: Int32Array, burst: number, seed: number): void {
  for (let i = 0; i < burst; i++) {
    const at = i << 2
    out[at] = seed
    out[at + 1] = i
    out[at + 2] = 60
    out[at + 3] = 0
  }
}

function fillInts(out: Int32Array, burst: number, seed: number): void {
  for (let i = 0; i < burst; i++) out[i] = seed + i
}

/** Reads every word. */
export function total(words: Int32Array, n = words.length): number {
  let s = 0
  for (let i = 0; i < n; i++) s = (s + words[i]!) | 0
  return s
}
