/** The reading thread of a two-thread ring. */
import { parentPort, workerData } from 'node:worker_threads'
import { SharedSpscRing, descRingLayout } from '@vnet/core-ring'
import { RingBuffer } from 'ringbuf.js'
import { total } from './contestants/ring-ringbuf.ts'
import { AWAKE, DONE, GO, type ReaderData, SIZE, SUM } from './contestants/threads.ts'

const { kind, memory, shared, burst } = workerData as ReaderData
parentPort!.postMessage('ready')
if (kind === 'vnet') readVnet()
else readRingbuf()

function readVnet(): never {
  const ring = new SharedSpscRing(descRingLayout(SIZE, 4, memory))
  const { words, mask } = ring
  let done = 0
  for (;;) {
    const n = ring.readable()
    if (n === 0) {
      idle()
      continue
    }
    const { cons } = ring
    let s = 0
    for (let i = 0; i < n; i++) {
      const at = ((cons + i) & mask) << 2
      s = (s + words[at]! + words[at + 1]! + words[at + 2]! + words[at + 3]!) | 0
    }
    ring.release(n)
    done = (done + n) | 0
    finish(done, s)
  }
}

function readRingbuf(): never {
  const ring = new RingBuffer(memory, Int32Array)
  // As much as there is, as the other reader does; at least one whole descriptor.
  const back = new Int32Array(Math.max(burst, 256) * 4)
  let done = 0
  for (;;) {
    const words = ring.available_read()
    if (words < 4) {
      idle()
      continue
    }
    const n = ring.pop(back, Math.min(words, back.length) & ~3)
    const s = total(back, n)
    done = (done + (n >> 2)) | 0
    finish(done, s)
  }
}

/** Nothing is there: sleeps if nothing will come. */
function idle(): void {
  if (Atomics.load(shared, GO) !== 0) {
    if (shared[AWAKE] === 0) Atomics.store(shared, AWAKE, 1)
    return
  }
  Atomics.store(shared, AWAKE, 0)
  Atomics.wait(shared, GO, 0)
}

function finish(done: number, s: number): void {
  // Plain stores: only the measured rings pay for theirs. The writer looks until it sees the last one.
  shared[SUM] = s | 1
  shared[DONE] = done
}
