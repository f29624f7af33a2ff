/**
 * A card without DMA, as cards were in 1988: a transmit and a receive FIFO that the driver reads and writes itself.
 */
import type { Backend, BackendPort } from '@vnet/backend'
import { copyBytes, hwEventCancel, hwEventSetup, hwEventStart, type HwEvent, type Kernel } from '@vnet/kernel'

const SLOT = 1536
/** An Ethernet header. */
const MIN_FRAME = 14

/** Frames of at most 1,536 bytes in typed memory, first in, first out. */
class Fifo {
  readonly bytes: Uint8Array
  private readonly lengths: number[]
  private readonly slots: number
  private head = 0
  private tail = 0

  constructor(slots: number) {
    this.slots = slots
    this.bytes = new Uint8Array(slots * SLOT)
    this.lengths = new Array<number>(slots).fill(0)
  }

  get count(): number {
    return this.head - this.tail
  }

  get full(): boolean {
    return this.count === this.slots
  }

  /** Where the oldest frame starts in `bytes`. */
  get offset(): number {
    return (this.tail % this.slots) * SLOT
  }

  get length(): number {
    return this.lengths[this.tail % this.slots]!
  }

  push(from: Uint8Array, offset: number, length: number): void {
    copyBytes(this.bytes, (this.head % this.slots) * SLOT, from, offset, length)
    this.lengths[this.head++ % this.slots] = length
  }

  pop(): void {
    this.tail++
  }

  clear(): void {
    this.tail = this.head
  }
}

/** The card: two FIFOs, one interrupt line, one mask bit. */
export class FifoCard implements BackendPort {
  readonly macAddress = Uint8Array.of(2, 0, 0, 0, 1, 1)
  readonly irq: number
  /** Frames each FIFO holds. */
  readonly slots: number
  readonly rx: Fifo
  readonly tx: Fifo
  /** Frames sent since the driver last asked. */
  sent = 0
  /** Frames that found the receive FIFO full. */
  missed = 0
  /** Frames too short or too long. */
  bad = 0
  private readonly kernel: Kernel
  private readonly backend: Backend
  private readonly engine: HwEvent
  private maxFrame = 0
  private masked = true

  constructor(kernel: Kernel, backend: Backend, slots = 64) {
    this.kernel = kernel
    this.backend = backend
    this.slots = slots
    this.rx = new Fifo(slots)
    this.tx = new Fifo(slots)
    this.irq = kernel.irq.allocLine('fifo')
    this.engine = hwEventSetup(kernel, () => this.send(), 'fifo')
    backend.attach(this)
  }

  get linkUp(): boolean {
    return this.backend.linkUp
  }

  /** True while the line should be high: work is there and may be told. */
  get pending(): boolean {
    return !this.masked && (this.sent > 0 || this.rx.count > 0)
  }

  /** Turns the receiver on, for frames of at most `maxFrame` bytes; 0 turns it off. */
  receiveUpTo(maxFrame: number): void {
    this.maxFrame = maxFrame
  }

  /** Empties both FIFOs and masks the interrupt. */
  clear(): void {
    hwEventCancel(this.engine)
    this.rx.clear()
    this.tx.clear()
    this.sent = 0
    this.setMask(true)
  }

  setMask(masked: boolean): void {
    this.masked = masked
    this.kernel.irq.setLevel(this.irq, this.pending)
  }

  /** Starts sending what is in the transmit FIFO; it takes 10 µs. */
  go(): void {
    hwEventStart(this.engine, 10_000)
  }

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    if (this.maxFrame === 0) return false
    if (length < MIN_FRAME || length > this.maxFrame + vlanRoom(mem, offset)) {
      this.bad++
      return true
    }
    if (this.rx.full) {
      this.missed++
      return false
    }
    this.rx.push(mem, offset, length)
    this.kernel.irq.setLevel(this.irq, this.pending)
    return true
  }

  linkChange(): void {
    // This card has no link interrupt: its driver looks when it opens.
  }

  writable(): void {
    this.send()
  }

  destroy(): void {
    this.backend.attach(null)
    this.maxFrame = 0
    this.clear()
    this.kernel.irq.freeLine(this.irq)
  }

  private send(): void {
    const { tx } = this
    while (tx.count > 0 && this.backend.transmit(tx.bytes, tx.offset, tx.length)) {
      tx.pop()
      this.sent++
    }
    this.backend.flush?.()
    this.kernel.irq.setLevel(this.irq, this.pending)
  }
}

/** A VLAN tag may come on top. */
function vlanRoom(mem: Uint8Array, offset: number): number {
  return mem[offset + 12] === 0x81 && mem[offset + 13] === 0 ? 4 : 0
}
