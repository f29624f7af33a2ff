import type { Backend, BackendPort } from '../../packages/backend/src/index.ts'

/** A card that writes down what it gets: for the tests of every real cable. */
export class StubCard implements BackendPort {
  readonly frames: Uint8Array[] = []
  readonly links: boolean[] = []
  writables = 0
  onWritable: (() => void) | null = null
  takes = true
  onReceive: ((mem: Uint8Array, offset: number, length: number) => void) | null = null

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    this.onReceive?.(mem, offset, length)
    if (!this.takes) return false
    this.frames.push(mem.slice(offset, offset + length))
    return true
  }

  linkChange(up: boolean): void {
    this.links.push(up)
  }

  writable(): void {
    this.writables++
    this.onWritable?.()
  }

  /** The frames of one EtherType. */
  ofType(type: number): Uint8Array[] {
    return this.frames.filter((frame) => ((frame[12]! << 8) | frame[13]!) === type)
  }
}

/** Sends a frame from a memory that is used again right away. */
export function send(backend: Backend, frame: Uint8Array): boolean {
  const room = new Uint8Array(frame.length + 9)
  room.set(frame, 5)
  const taken = backend.transmit(room, 5, frame.length)
  room.fill(0xdd)
  return taken
}

/** Waits until something is so. The limit is for what never comes, not for what is slow. */
export async function until(done: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 10_000
  while (!done()) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** A frame with its number in it. */
export function numbered(seq: number, length = 60): Uint8Array {
  const frame = new Uint8Array(length)
  for (let i = 0; i < length; i++) frame[i] = (seq * 31 + i * 7) & 0xff
  new DataView(frame.buffer).setUint32(0, seq)
  return frame
}
