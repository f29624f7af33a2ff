import type { Backend, BackendPort } from '@vnet/backend'

/** A card that writes down what it gets. */
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
