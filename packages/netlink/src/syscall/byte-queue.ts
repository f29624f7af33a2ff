/** Bytes that came in any split, taken out in the sizes that are needed. @kernel none */
export class ByteQueue {
  #chunks: Uint8Array[] = []
  #offset = 0
  #length = 0

  /** Bytes that wait. */
  get length(): number {
    return this.#length
  }

  /** Adds a copy: the caller may use its memory again. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.push(bytes.slice())
    this.#length += bytes.length
  }

  /** Takes bytes out, or null when there are not as many. */
  take(count: number): Uint8Array | null {
    if (count > this.#length) return null
    const out = this.peek(count)
    this.#drop(count)
    return out
  }

  /** The first bytes, which stay. `count` is at most {@link length}. */
  peek(count: number): Uint8Array {
    const out = new Uint8Array(count)
    let at = 0
    let from = this.#offset
    for (const chunk of this.#chunks) {
      if (at === count) break
      const part = chunk.subarray(from, from + count - at)
      out.set(part, at)
      at += part.length
      from = 0
    }
    return out
  }

  clear(): void {
    this.#chunks = []
    this.#offset = 0
    this.#length = 0
  }

  #drop(count: number): void {
    this.#length -= count
    let used = 0
    let left = count + this.#offset
    while (used < this.#chunks.length && left >= this.#chunks[used]!.length) {
      left -= this.#chunks[used]!.length
      used++
    }
    this.#chunks.splice(0, used)
    this.#offset = left
  }
}
