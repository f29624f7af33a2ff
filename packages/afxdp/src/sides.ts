import { copyBytes, type MemoryRegion } from '@vnet/kernel'
import * as nd from '@vnet/netdev'
import type { AfxdpPriv } from './priv.ts'
import type { Xsk } from './xsk.ts'

/** Bytes of a buffer: what the kernel calls a chunk. */
export const CHUNK = 2048
const CHUNK_SHIFT = 11
const RX_PACKETS = 3
const RX_BYTES = 4
const RX_DROPPED = 5

/** The receiving half: the fill ring, the receive ring, and the pool whose buffers go round between them. */
export class RxSide {
  readonly #dev: nd.NetDevice<AfxdpPriv>
  readonly #xsk: Xsk
  readonly #pool: nd.PagePool

  /** The buffers are the first `count` of the shared memory. */
  constructor(dev: nd.NetDevice<AfxdpPriv>, xsk: Xsk, region: MemoryRegion, count: number) {
    this.#dev = dev
    this.#xsk = xsk
    this.#pool = nd.pagePoolCreate(dev.kernel, {
      name: `${dev.name}-umem`,
      count,
      bufSize: CHUNK,
      region,
      regionOffset: 0,
    })
  }

  /** Gives the kernel as many buffers as it has room for. @rule RX-05 */
  refill(): void {
    const { fill } = this.#xsk
    fill.reclaim(fill.completed())
    const room = fill.avail()
    const { words } = fill
    let n = 0
    for (; n < room; n++) {
      const page = nd.pagePoolAlloc(this.#pool)
      if (page < 0) break
      const d = fill.at(fill.prod + n)
      words[d] = page << CHUNK_SHIFT
      words[d + 1] = 0
    }
    if (n > 0) fill.post(n)
  }

  /** Passes up at most `budget` frames. @returns how many */
  receive(gro: nd.GroNode, stats: nd.U64Stats, budget: number): number {
    const { rx } = this.#xsk
    const n = Math.min(rx.pending(), budget)
    if (n === 0) return 0
    const { words } = rx
    let bytes = 0
    let good = 0
    for (let i = 0; i < n; i++) {
      const d = rx.at(rx.cons + i)
      const address = words[d]!
      const length = words[d + 2]!
      const page = address >>> CHUNK_SHIFT
      const skb = nd.napiBuildSkb(this.#pool, page, address & (CHUNK - 1), length)
      if (skb === null) {
        nd.pagePoolPut(this.#pool, page)
        continue
      }
      good++
      bytes += length
      skb.protocol = nd.ethTypeTrans(skb, this.#dev)
      nd.groReceiveSkb(gro, skb)
    }
    rx.complete(n)
    this.refill()
    stats.add(RX_PACKETS, good)
    stats.add(RX_BYTES, bytes)
    if (good < n) stats.add(RX_DROPPED, n - good)
    return n
  }

  /** The socket is about to close: the buffers the kernel has come back to the pool. */
  destroy(): void {
    const { fill, rx } = this.#xsk
    for (let left = rx.pending(); left > 0; left = rx.pending()) {
      for (let i = 0; i < left; i++) nd.pagePoolPut(this.#pool, rx.words[rx.at(rx.cons + i)]! >>> CHUNK_SHIFT)
      rx.complete(left)
    }
    fill.reclaim(fill.completed())
    for (let index = fill.clean; index !== fill.prod; index = (index + 1) >>> 0) {
      nd.pagePoolPut(this.#pool, fill.words[fill.at(index)]! >>> CHUNK_SHIFT)
    }
  }

  /** Calls `done` when no buffer is out any more. */
  whenEmpty(done: () => void): void {
    nd.pagePoolDestroy(this.#pool, done)
  }
}

/** The sending half: the transmit ring, the completion ring, and a stack of free buffers. */
export class TxSide {
  readonly #xsk: Xsk
  readonly #u8: Uint8Array
  readonly #first: number
  readonly #free: Int32Array
  #freeCount: number
  /** Length of the frame in each buffer, for the byte queue limits. */
  readonly #lengths: Uint32Array
  /** Free buffers at which a stopped queue starts again. */
  readonly wakeAt: number
  /** Bytes that the last `reclaim` took back. */
  bytesDone = 0

  /** The buffers are `count` from number `first` on. */
  constructor(xsk: Xsk, region: MemoryRegion, first: number, count: number) {
    this.#xsk = xsk
    this.#u8 = region.u8
    this.#first = first
    this.#free = Int32Array.from({ length: count }, (_, i) => first + i)
    this.#freeCount = count
    this.#lengths = new Uint32Array(count)
    this.wakeAt = Math.max(1, count >> 2)
  }

  get inFlight(): number {
    return this.#free.length - this.#freeCount
  }

  /** Frames that may be posted now. */
  avail(): number {
    const { tx } = this.#xsk
    if (tx.avail() === 0) tx.reclaim(tx.completed())
    return Math.min(tx.avail(), this.#freeCount)
  }

  /** Copies a frame into a buffer and posts it; `avail()` said there is one. */
  post(skb: nd.SkBuff): void {
    const { tx } = this.#xsk
    const buffer = this.#free[--this.#freeCount]!
    const { len } = skb
    copyBytes(this.#u8, buffer << CHUNK_SHIFT, skb.mem, skb.data, len)
    this.#lengths[buffer - this.#first] = len
    const d = tx.at(tx.prod)
    const { words } = tx
    words[d] = buffer << CHUNK_SHIFT
    words[d + 1] = 0
    words[d + 2] = len
    words[d + 3] = 0
    tx.post(1)
  }

  /** Has the kernel send what is posted. One call sends a few dozen, and may be refused while the device is busy. */
  kick(): void {
    for (let tries = 0; tries < MAX_KICKS && !this.#xsk.kick(); tries++);
  }

  /** Takes back what the kernel has sent. @returns frames; `bytesDone` has their bytes */
  reclaim(): number {
    const { tx, completion } = this.#xsk
    tx.reclaim(tx.completed())
    const n = completion.pending()
    this.bytesDone = 0
    for (let i = 0; i < n; i++) {
      const buffer = completion.words[completion.at(completion.cons + i)]! >>> CHUNK_SHIFT
      this.bytesDone += this.#lengths[buffer - this.#first]!
      this.#free[this.#freeCount++] = buffer
    }
    if (n > 0) completion.complete(n)
    return n
  }
}

const MAX_KICKS = 16
