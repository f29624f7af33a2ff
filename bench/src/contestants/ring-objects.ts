/**
 * Rings of npm that carry JavaScript values. A descriptor is then an object of four numbers, made for it, as their
 * users do. A process runs only one of them, so the one loop here is compiled for it alone.
 */
import { RingBuffer } from '@toolbuilder/ring-buffer'
import { FIFOBuffer } from '@thi.ng/buffers/fifo'
import { circular_buffer as CircularBufferJs } from 'circular_buffer_js'
import Denque from 'denque'
import FastFifo from 'fast-fifo'
import { Queue as SdslQueue } from 'js-sdsl'
import { CircularBuffer } from 'mnemonist'
import type { Contestant } from '../contestant.ts'

const SIZE = 1024
let sum = 0

interface Desc {
  readonly offset: number
  readonly index: number
  readonly length: number
  readonly status: number
}

type Item = Desc | number

interface Fifo {
  put(item: Item): void
  take(): Item
}

type Args = readonly string[]

export function array(args: Args): Contestant {
  const q: Item[] = []
  return contestant(args, { put: (x) => void q.push(x), take: () => q.shift()! })
}

export function mnemonist(args: Args): Contestant {
  const q = new CircularBuffer<Item>(args[0] === 'int' ? Int32Array : Array, SIZE)
  return contestant(args, { put: (x) => void q.push(x), take: () => q.shift()! })
}

export function thing(args: Args): Contestant {
  const q = new FIFOBuffer<Item>(SIZE)
  return contestant(args, { put: (x) => void q.write(x), take: () => q.read()! })
}

export function fastFifo(args: Args): Contestant {
  const q = new FastFifo(SIZE)
  return contestant(args, { put: (x) => q.push(x), take: () => q.shift() as Item })
}

export function denque(args: Args): Contestant {
  const q = new Denque<Item>()
  return contestant(args, { put: (x) => void q.push(x), take: () => q.shift()! })
}

export function toolbuilder(args: Args): Contestant {
  const q = new RingBuffer(SIZE)
  return contestant(args, { put: (x) => void q.push(x), take: () => q.shift() as Item })
}

export function jsSdsl(args: Args): Contestant {
  const q = new SdslQueue<Item>()
  return contestant(args, { put: (x) => void q.push(x), take: () => q.pop()! })
}

export function circularBufferJs(args: Args): Contestant {
  const q = new CircularBufferJs<Item>(SIZE)
  return contestant(args, { put: (x) => void q.push(x), take: () => q.pop()! })
}

function contestant([kind, burstText]: Args, fifo: Fifo): Contestant {
  const burst = Number(burstText)
  const once = kind === 'int' ? intBurst : descBurst
  return {
    ops: burst,
    run(times) {
      for (let t = 0; t < times; t++) once(fifo, burst, t)
    },
    verify() {
      if (sum === 0) throw new Error('nothing went through the ring')
    },
  }
}

function descBurst(fifo: Fifo, burst: number, seed: number): void {
  for (let i = 0; i < burst; i++) fifo.put({ offset: seed, index: i, length: 60, status: 0 })
  let s = 0
  for (let i = 0; i < burst; i++) {
    const d = fifo.take() as Desc
    s = (s + d.offset + d.index + d.length + d.status) | 0
  }
  sum = s
}

function intBurst(fifo: Fifo, burst: number, seed: number): void {
  for (let i = 0; i < burst; i++) fifo.put(seed + i)
  let s = 0
  for (let i = 0; i < burst; i++) s = (s + (fifo.take() as number)) | 0
  sum = s
}
