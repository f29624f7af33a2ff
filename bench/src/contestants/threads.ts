/** Two threads, 16-byte descriptors: this one writes, a worker reads every word of them. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { Worker } from 'node:worker_threads'
import { SharedSpscRing, descRingBytes, descRingLayout } from '@vnet/core-ring'
import { RingBuffer } from 'ringbuf.js'
import type { Contestant } from '../contestant.ts'
import { fillRecords } from './ring-ringbuf.ts'

/** Slots of either ring. */
export const SIZE = 1024
/** Words of the block both threads see: the records read, the sum of what they held, and whether the reader may spin. */
export const DONE = 0
export const SUM = 1
export const GO = 2
export const AWAKE = 3

/** What the reading thread is started with. */
export interface ReaderData {
  readonly kind: 'vnet' | 'ringbuf'
  readonly memory: SharedArrayBuffer
  readonly shared: Int32Array
  readonly burst: number
}

export async function threads(kind: 'vnet' | 'ringbuf', [burstText]: readonly string[]): Promise<Contestant> {
  const burst = Number(burstText)
  const bytes = kind === 'vnet' ? descRingBytes(SIZE, 4) : 8 + (SIZE * 4 + 1) * 4
  const memory = new SharedArrayBuffer(bytes)
  const shared = new Int32Array(new SharedArrayBuffer(16))
  const data: ReaderData = { kind, memory, shared, burst }
  const before = threadIds()
  const worker = new Worker(new URL('./reader.mjs', import.meta.url), { workerData: data })
  worker.unref()
  await once(worker, 'message')
  pin([process.pid], 0)
  pin(
    threadIds().filter((id) => !before.includes(id)),
    cpus().length - 1,
  )
  const write = kind === 'vnet' ? vnetWriter(memory) : ringbufWriter(memory, burst)
  let sent = 0
  return {
    ops: burst,
    begin() {
      Atomics.store(shared, GO, 1)
      Atomics.notify(shared, GO)
      while (Atomics.load(shared, AWAKE) === 0);
    },
    end() {
      Atomics.store(shared, GO, 0)
    },
    run(times) {
      for (let t = 0; t < times; t++) write(burst, t)
      sent = (sent + times * burst) | 0
      while (Atomics.load(shared, DONE) !== sent);
    },
    verify() {
      if (Atomics.load(shared, SUM) === 0) throw new Error('the reader read nothing')
    },
  }
}

/** Linux only; elsewhere the system places the threads. */
export function threadIds(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number)
  } catch {
    return []
  }
}

export function pin(ids: readonly number[], cpu: number): void {
  for (const id of ids) {
    try {
      execFileSync('taskset', ['-pc', String(cpu), String(id)], { stdio: 'ignore' })
    } catch {
      return
    }
  }
}

function vnetWriter(memory: SharedArrayBuffer): (burst: number, seed: number) => void {
  const ring = new SharedSpscRing(descRingLayout(SIZE, 4, memory))
  return (burst, seed) => {
    let first = ring.reserve(burst)
    while (first < 0) first = ring.reserve(burst)
    const { words, mask } = ring
    for (let i = 0; i < burst; i++) {
      const at = ((first + i) & mask) << 2
      words[at] = seed
      words[at + 1] = i
      words[at + 2] = 60
      words[at + 3] = 0
    }
    ring.commit(burst)
  }
}

function ringbufWriter(memory: SharedArrayBuffer, burst: number): (burst: number, seed: number) => void {
  const ring = new RingBuffer(memory, Int32Array)
  const out = new Int32Array(burst * 4)
  return (n, seed) => {
    fillRecords(out, n, seed)
    while (ring.available_write() < out.length);
    ring.push(out)
  }
}
