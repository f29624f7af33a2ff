import type { BackendPort } from '@vnet/backend'
import type { TapBackend } from './tap-backend.ts'

/** One end of the wire: hands what comes to the other TAP, with what is missing from it. */
class WireEnd implements BackendPort {
  readonly #from: TapBackend
  readonly #to: TapBackend

  constructor(from: TapBackend, to: TapBackend) {
    this.#from = from
    this.#to = to
  }

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    this.#to.txHeader.copyFrom(this.#from.rxHeader)
    return this.#to.transmit(mem, offset, length)
  }

  linkChange(): void {}

  writable(): void {}
}

/**
 * Joins two TAPs that were opened alike: what comes out of one goes into the other, big frames whole.
 *
 * @returns pulls the wire out
 * @kernel none
 */
export function joinTaps(a: TapBackend, b: TapBackend): () => void {
  a.attach(new WireEnd(a, b))
  try {
    b.attach(new WireEnd(b, a))
  } catch (error) {
    a.attach(null)
    throw error
  }
  return () => {
    a.attach(null)
    b.attach(null)
  }
}
