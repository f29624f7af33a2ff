import type { Kernel } from '@vnet/kernel'
import { accounts } from '../src/accounts.ts'
import { BaseBackend } from '../src/base.ts'
import type { Backend, BackendPort } from '../src/contract.ts'

/** A card that writes down everything. */
export class TestPort implements BackendPort {
  readonly frames: Uint8Array[] = []
  readonly times: number[] = []
  readonly links: boolean[] = []
  writables = 0
  /** Decides what the card takes. */
  takes: (frame: Uint8Array) => boolean = () => true
  onReceive: ((frame: Uint8Array) => void) | null = null
  onWritable: (() => void) | null = null
  /** True while the card itself is calling the backend: nothing may come in then. */
  calling = false
  reentered = false
  readonly #kernel: Kernel | null

  constructor(kernel: Kernel | null = null) {
    this.#kernel = kernel
  }

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    this.#entered()
    const frame = mem.slice(offset, offset + length)
    if (!this.takes(frame)) return false
    this.frames.push(frame)
    if (this.#kernel !== null) this.times.push(this.#kernel.clock.ktimeGet())
    this.onReceive?.(frame)
    return true
  }

  linkChange(up: boolean): void {
    this.#entered()
    this.links.push(up)
  }

  writable(): void {
    this.#entered()
    this.writables++
    this.onWritable?.()
  }

  /** Sends as a card does: from a buffer that is used again right away. */
  send(backend: Backend, frame: Uint8Array): boolean {
    const room = new Uint8Array(frame.length + 7).fill(0xee)
    room.set(frame, 5)
    this.calling = true
    const taken = backend.transmit(room, 5, frame.length)
    this.calling = false
    room.fill(0xdd)
    return taken
  }

  plug(backend: Backend): this {
    this.calling = true
    backend.attach(this)
    this.calling = false
    return this
  }

  #entered(): void {
    if (this.calling) this.reentered = true
  }
}

/** The lowest backend of a wrapper's test. */
export class StubBackend extends BaseBackend {
  readonly sent: Uint8Array[] = []
  readonly plugs: boolean[] = []
  flushes = 0
  full = false
  up = true
  readonly kernel: Kernel

  constructor(kernel: Kernel) {
    super('stub')
    this.kernel = kernel
  }

  override get linkUp(): boolean {
    return this.up
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    if (this.full) return false
    this.taken(length)
    this.counters.downFrames++
    this.sent.push(mem.slice(offset, offset + length))
    return true
  }

  flush(): void {
    this.flushes++
  }

  /** A frame comes from outside. */
  bring(frame: Uint8Array): boolean {
    let taken = false
    this.kernel.hardware(() => {
      this.counters.upFrames++
      taken = this.offer(frame, 0, frame.length)
    })
    return taken
  }

  setLink(up: boolean): void {
    this.up = up
    this.kernel.hardware(() => this.port?.linkChange(up))
  }

  drain(): void {
    this.full = false
    this.kernel.hardware(() => this.port?.writable())
  }

  protected override started(): void {
    this.plugs.push(true)
  }

  protected override stopped(): void {
    this.plugs.push(false)
  }
}

/** What is alive in this kernel that a backend could have left. */
export function leftBehind(kernel: Kernel): string[] {
  return kernel.census.take().map((entry) => `${entry.kind} ${entry.name}`)
}

export function problems(backend: Backend): readonly string[] {
  return accounts(backend).problems
}

/** A frame of a given length with its number in it. */
export function numbered(seq: number, length = 60): Uint8Array {
  const frame = new Uint8Array(length)
  for (let i = 0; i < length; i++) frame[i] = (seq * 31 + i * 7) & 0xff
  if (length >= 4) new DataView(frame.buffer).setUint32(0, seq)
  return frame
}

export function numberOf(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset).getUint32(0)
}

/** An Ethernet frame between two stations known by one byte each; 0xff is everyone. */
export function ether(dst: number, src: number, length = 60): Uint8Array {
  const frame = new Uint8Array(length)
  frame.set(station(dst), 0)
  frame.set(station(src), 6)
  frame.set([0x88, 0xb5], 12)
  return frame
}

export function station(n: number): number[] {
  return n === 0xff ? [255, 255, 255, 255, 255, 255] : [2, 0, 0, 0, 0, n]
}
