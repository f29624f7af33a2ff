import type { BackendPort } from '@vnet/backend'

/** A card that counts its frames and looks at each, as the C twins do. */
export class CountingCard implements BackendPort {
  sum = 0
  #left = 0
  #done: (time: bigint) => void = () => {}

  /** Resolves with the time at which the last of so many frames came. */
  expect(frames: number): Promise<bigint> {
    this.#left = frames
    return new Promise((done) => (this.#done = done))
  }

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    this.sum = (this.sum + length + mem[offset]!) | 0
    if (--this.#left === 0) this.#done(process.hrtime.bigint())
    return true
  }

  linkChange(): void {}

  writable(): void {}
}
