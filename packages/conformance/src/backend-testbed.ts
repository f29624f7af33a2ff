import { createKernel, type Kernel } from '@vnet/kernel'
import type { CablePort } from './cable.ts'
import type { BackendLike, BackendSpec } from './backend-spec.ts'
import { CheckFailure } from './testbed.ts'

/** A card that writes down everything, and sees whether it is called while it calls. @kernel none */
export class BackendProbe implements CablePort {
  readonly frames: Uint8Array[] = []
  /** Decides whether the card takes what is offered. */
  takes = true
  onReceive: ((frame: Uint8Array) => void) | null = null
  reentered = false
  private calling = false

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    this.entered()
    if (!this.takes) return false
    const frame = mem.slice(offset, offset + length)
    this.frames.push(frame)
    this.onReceive?.(frame)
    return true
  }

  linkChange(): void {
    this.entered()
  }

  writable(): void {
    this.entered()
  }

  /** Sends as a card does: from a buffer that is used again right away. */
  send(backend: BackendLike, frame: Uint8Array): boolean {
    const room = new Uint8Array(frame.length + 7).fill(0xee)
    room.set(frame, 5)
    this.calling = true
    const taken = backend.transmit(room, 5, frame.length)
    this.calling = false
    room.fill(0xdd)
    return taken
  }

  plug(backend: BackendLike): void {
    this.calling = true
    backend.attach(this)
    this.calling = false
  }

  private entered(): void {
    if (this.calling) this.reentered = true
  }
}

/** A fresh kernel, the backend and a card, for one check. @kernel none */
export class BackendTestbed {
  readonly kernel: Kernel = createKernel()
  readonly backend: BackendLike
  readonly port = new BackendProbe()
  readonly spec: BackendSpec
  readonly unplug: () => void

  constructor(spec: BackendSpec) {
    const { backend, unplug } = spec.create(this.kernel)
    this.spec = spec
    this.backend = backend
    this.unplug = () => unplug?.()
  }

  /** True when frames come to the card by themselves or in answer to what it sends. */
  get speaks(): boolean {
    return this.spec.echoes === true || this.spec.sends === true
  }

  send(n: number, length = 60): boolean {
    return this.port.send(this.backend, numbered(n, length))
  }

  sendMany(count: number): void {
    for (let n = 0; n < count; n++) this.send(n)
  }

  /** Fails unless both are the same, compared as text. */
  equal(actual: unknown, expected: unknown, what: string): void {
    const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
    if (a !== b) throw new CheckFailure(`${what}: expected ${b}, got ${a}`)
  }

  expect(good: boolean, message: string): void {
    if (!good) throw new CheckFailure(message)
  }

  /** Fails when something of the backend is still alive; `kind` narrows what is looked at. */
  nothingLeft(kind?: string): void {
    const left = this.kernel.census.take().filter((e) => kind === undefined || e.kind === kind)
    this.equal(left.map((e) => `${e.kind} ${e.name}`), [], 'left behind') // prettier-ignore
  }

  /** Fails unless each layer's books add up, and agree with those of the next. */
  booksAddUp(): void {
    for (let layer: BackendLike | undefined = this.backend; layer !== undefined; layer = layer.lower) {
      const c = layer.counters
      this.equal(c.rxFrames + c.downFrames + c.dropped + c.held, c.txFrames + c.upFrames + c.made, `${layer.name}: out, dropped and held, against in and made`) // prettier-ignore
      const below = layer.lower?.counters
      if (below === undefined) continue
      this.equal(below.txFrames, c.downFrames, `frames ${layer.lower!.name} took from ${layer.name}`)
      this.equal(c.upFrames, below.rxFrames, `frames ${layer.name} took from ${layer.lower!.name}`)
    }
  }
}

/** A frame of a given length with its number in it. @kernel none */
export function numbered(n: number, length = 60): Uint8Array {
  const frame = Uint8Array.from({ length }, (_, i) => (n * 31 + i * 7) & 0xff)
  if (length >= 4) new DataView(frame.buffer).setUint32(0, n)
  return frame
}
