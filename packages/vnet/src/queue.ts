import { DescRing, SharedDescRing, SpinLock, descRingBytes, descRingLayout } from '@vnet/core-ring'
import type { MemoryBlock, WorkStruct } from '@vnet/kernel'
import type { NapiStruct } from '@vnet/napi'
import {
  ETH_HLEN,
  NET_IP_ALIGN,
  NET_SKB_PAD,
  U64Stats,
  VLAN_HLEN,
  groInit,
  pagePoolCreate,
  pagePoolDestroy,
  type GroNode,
  type NetDevice,
  type NetdevQueue,
  type PagePool,
  type SkBuff,
} from '@vnet/netdev'
import type { CardRing, Coalesce, VnetHw } from './hw.ts'
import { DESC_WORDS } from './regs.ts'
import { QUEUE_STATS } from './stats.ts'

/** Bytes left free in front of a received frame, so that its IP header starts on a multiple of four. @rule RX-10 RX-11 */
export const RX_HEADROOM = NET_SKB_PAD + NET_IP_ALIGN
/** A ring's indexes lie on 128-byte lines of their own. */
const RING_ALIGN = 128
/** Bytes in a cache line. */
const LINE = 64

/** The driver's own part of its net_device. */
export interface VnetPriv {
  readonly hw: VnetHw
  readonly queues: VnetQueue[]
  /** Ring sizes in force, or for the next open. */
  txPending: number
  rxPending: number
  coalesce: Coalesce
  readonly resetWork: WorkStruct
}

/** Sizes of what a queue needs. */
export interface QueueSizes {
  tx: number
  rx: number
  mtu: number
}

/** Rings and receive buffers of a queue; they exist while the device is up. */
export interface QueueMemory {
  readonly block: MemoryBlock
  readonly tx: CardRing
  readonly rx: CardRing
  readonly pool: PagePool
}

/**
 * What the driver keeps for one queue pair. The statistics live as long as the device.
 *
 * @kernel none
 */
export class VnetQueue {
  readonly dev: NetDevice<VnetPriv>
  readonly hw: VnetHw
  readonly index: number
  readonly txq: NetdevQueue
  readonly gro: GroNode
  /** `QUEUE_STATS` names the slots. */
  readonly stats = new U64Stats(QUEUE_STATS.length)
  /** Guards the sent skbs between the poll loop and whoever empties the ring from process context. */
  readonly txLock: SpinLock
  napi!: NapiStruct
  tx!: CardRing
  rx!: CardRing
  pool!: PagePool
  /** The skb behind each transmit descriptor; null again once it is freed. */
  txSkb: (SkBuff | null)[] = []
  /** The page behind each receive descriptor. */
  rxPage = new Int32Array(0)
  /** Descriptors that must be free again before the queue wakes. */
  wakeAt = 0
  private memory: QueueMemory | null = null

  constructor(dev: NetDevice<VnetPriv>, hw: VnetHw, index: number) {
    this.dev = dev
    this.hw = hw
    this.index = index
    this.txq = dev.txq[index]!
    this.gro = groInit(dev)
    this.txLock = new SpinLock({ name: `vnet-tx-${index}`, observer: dev.kernel.lockdep })
  }

  /** Puts new rings in place and frees the old ones, which must be empty. */
  adopt(memory: QueueMemory | null): void {
    if (this.memory !== null) freeQueueMemory(this.dev, this.memory)
    this.memory = memory
    if (memory === null) return
    this.tx = memory.tx
    this.rx = memory.rx
    this.pool = memory.pool
    this.wakeAt = wakeThreshold(memory.tx.size)
    this.txSkb = new Array<SkBuff | null>(memory.tx.size).fill(null)
    this.rxPage = new Int32Array(memory.rx.size).fill(-1)
  }
}

/** Allocates for every queue, or for none. @throws Errno ENOMEM @kernel none @rule OPEN-05 ETH-10 */
export function allocQueues(dev: NetDevice<VnetPriv>, sizes: QueueSizes): QueueMemory[] {
  const done: QueueMemory[] = []
  try {
    for (const q of dev.priv.queues) done.push(allocQueueMemory(dev, q.index, sizes))
  } catch (error) {
    for (const memory of done) freeQueueMemory(dev, memory)
    throw error
  }
  return done
}

function allocQueueMemory(dev: NetDevice<VnetPriv>, index: number, sizes: QueueSizes): QueueMemory {
  const { mem } = dev.kernel
  const txBytes = descRingBytes(sizes.tx, DESC_WORDS)
  const block = mem.alloc(txBytes + descRingBytes(sizes.rx, DESC_WORDS), RING_ALIGN)
  const { remote = false } = dev.priv.hw
  const ring = (size: number, at: number, deferred: boolean): CardRing => {
    const layout = descRingLayout(size, DESC_WORDS, block.region.buffer, block.offset + at)
    return remote ? new SharedDescRing(layout, 'producer', { deferred }) : new DescRing(layout)
  }
  try {
    // Twice the ring: as many pages as are posted may be on their way through the stack.
    const pool = pagePoolCreate(dev.kernel, {
      name: `${dev.name}-rx-${index}`,
      count: sizes.rx * 2,
      bufSize: pageSize(sizes.mtu),
    })
    return { block, tx: ring(sizes.tx, 0, true), rx: ring(sizes.rx, txBytes, false), pool }
  } catch (error) {
    mem.free(block)
    throw error
  }
}

function freeQueueMemory(dev: NetDevice<VnetPriv>, memory: QueueMemory): void {
  pagePoolDestroy(memory.pool)
  dev.kernel.mem.free(memory.block)
}

/** Wake only when a quarter of the ring is free, so that completions one by one do not wake each time (TXQ-07). */
function wakeThreshold(size: number): number {
  return size < 8 ? 1 : size >> 2
}

/**
 * A page holds the headroom and the longest frame the MTU allows, VLAN tag included.
 *
 * An odd number of cache lines, so that the first lines of the pages, where headers are, spread over the whole cache:
 * at 2,048 bytes they would all fall into the same few places, and push each other out.
 */
function pageSize(mtu: number): number {
  const lines = Math.ceil((RX_HEADROOM + mtu + ETH_HLEN + VLAN_HLEN) / LINE)
  return (lines | 1) * LINE
}
