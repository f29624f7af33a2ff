import {
  hwEventCancel,
  hwEventPending,
  hwEventSetup,
  hwEventStart,
  type HwEvent,
  type Kernel,
} from '@vnet/kernel'
import type { TestCable } from '../cable.ts'

/** Causes of an interrupt. @kernel none */
export const CAUSE = { RX: 1, TX: 2, LINK: 4 } as const

/** A transmit descriptor: where the frame lies, and whether it was sent. */
export interface TxDesc {
  mem: Uint8Array
  offset: number
  length: number
  done: boolean
}

/** A receive descriptor: where a frame may be put, and what came. */
export interface RxDesc {
  mem: Uint8Array
  offset: number
  room: number
  /** Bytes received; -1 while the card owns it. */
  length: number
}

/**
 * The card of the reference driver: two rings of plain objects, a cause, a mask, a line.
 *
 * It exists to be read and to be driven wrongly; it is not fast.
 *
 * @kernel none
 */
export class RefCard {
  readonly macAddress = Uint8Array.of(2, 0, 0, 0, 0, 0x42)
  readonly irq: number
  tx: TxDesc[] = []
  rx: RxDesc[] = []
  /** Next descriptor the card looks at. */
  txHead = 0
  rxHead = 0
  /** First descriptor that is not the card's. */
  txTail = 0
  rxTail = 0
  promiscuous = false
  maxFrame = 0
  /** More bytes that a frame with a VLAN tag may have. */
  tagRoom = 4
  rxOn = false
  txOn = false
  missed = 0
  runts = 0
  oversize = 0
  filtered = 0
  doorbells = 0
  interrupts = 0
  frameNs = 0
  hung = false
  coalesce = { frames: 1, ns: 0 }
  own: Uint8Array = this.macAddress
  multicast: readonly Uint8Array[] = []
  private cause = 0
  private waiting = 0
  private masked = true
  private high = false
  private readonly kernel: Kernel
  private readonly cable: TestCable
  private readonly engine: HwEvent
  private readonly timer: HwEvent

  constructor(kernel: Kernel, cable: TestCable) {
    this.kernel = kernel
    this.cable = cable
    this.irq = kernel.irq.allocLine('ref')
    this.engine = hwEventSetup(kernel, () => this.runTx(), 'ref')
    this.timer = hwEventSetup(kernel, () => this.due(), 'ref')
    cable.attach(this)
  }

  get linkUp(): boolean {
    return this.cable.linkUp
  }

  doorbell(): void {
    this.doorbells++
    this.kick()
  }

  readCause(): number {
    const { cause } = this
    this.cause = 0
    this.drive()
    return cause
  }

  setMask(masked: boolean): void {
    this.masked = masked
    this.drive()
  }

  reset(): void {
    this.rxOn = false
    this.txOn = false
    this.hung = false
    this.tx = []
    this.rx = []
    this.txHead = this.txTail = this.rxHead = this.rxTail = 0
    this.waiting = 0
    this.cause = 0
    hwEventCancel(this.engine)
    hwEventCancel(this.timer)
    this.setMask(true)
  }

  destroy(): void {
    this.cable.attach(null)
    this.reset()
    this.kernel.irq.freeLine(this.irq)
  }

  recover(): void {
    this.hung = false
    this.kick()
  }

  // ── the cable's side ──

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    if (!this.rxOn) return false
    if (length < 14) {
      this.runts++
      return true
    }
    if (!this.accepts(mem, offset)) {
      this.filtered++
      return true
    }
    const tag = mem[offset + 12] === 0x81 && mem[offset + 13] === 0 ? this.tagRoom : 0
    if (length > this.maxFrame + tag) {
      this.oversize++
      return true
    }
    const d = this.rx[this.rxHead]
    if (this.hung || d === undefined || this.rxHead === this.rxTail) {
      this.missed++
      return false
    }
    d.mem.set(mem.subarray(offset, offset + length), d.offset)
    d.length = length
    this.rxHead = (this.rxHead + 1) % this.rx.length
    this.happened(CAUSE.RX)
    return true
  }

  linkChange(): void {
    this.cause |= CAUSE.LINK
    this.drive()
  }

  writable(): void {
    this.kick()
  }

  private accepts(mem: Uint8Array, offset: number): boolean {
    const is = (addr: Uint8Array): boolean => addr.every((b, i) => mem[offset + i] === b)
    return this.promiscuous || is(this.own) || is(new Uint8Array(6).fill(0xff)) || this.multicast.some(is)
  }

  private kick(): void {
    if (!hwEventPending(this.engine)) hwEventStart(this.engine, 1_000 + this.frameNs)
  }

  private runTx(): void {
    if (!this.txOn || this.hung) return
    let sent = 0
    while (this.txHead !== this.txTail && (this.frameNs === 0 || sent === 0)) {
      const d = this.tx[this.txHead]!
      if (!this.cable.transmit(d.mem, d.offset, d.length)) break
      d.done = true
      this.txHead = (this.txHead + 1) % this.tx.length
      sent++
    }
    if (sent > 0) this.happened(CAUSE.TX)
    if (this.txHead !== this.txTail && !this.cable.full) hwEventStart(this.engine, this.frameNs)
  }

  /** An interrupt is due at `coalesce.frames` events or after `coalesce.ns`, whichever is first. */
  private happened(cause: number): void {
    this.cause |= cause
    this.waiting++
    if (this.coalesce.frames > 0 && this.waiting >= this.coalesce.frames) this.due()
    else if (this.waiting === 1 && this.coalesce.ns > 0) hwEventStart(this.timer, this.coalesce.ns)
    else this.drive()
  }

  private due(): void {
    this.waiting = 0
    hwEventCancel(this.timer)
    this.drive()
  }

  private drive(): void {
    const high = this.cause !== 0 && !this.masked && this.waiting === 0
    if (high === this.high) return
    this.high = high
    if (high) this.interrupts++
    this.kernel.irq.setLevel(this.irq, high)
  }
}
