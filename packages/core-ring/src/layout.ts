/** Where a descriptor ring lies in a memory. All offsets are bytes and multiples of 4. */
export interface DescRingLayout {
  readonly memory: ArrayBufferLike
  /** First descriptor. */
  readonly descOffset: number
  /** Descriptors: a power of two, 2 … 65536. */
  readonly size: number
  /** 32-bit words a descriptor. */
  readonly descWords: number
  /** Index block of {@link DESC_RING_INDEX_BYTES} bytes: the producer's index at +0, the consumer's at +128. */
  readonly indexOffset: number
}

/**
 * Bytes of an index block: two 128-byte lines, one for each side's index.
 *
 * 128 and not 64, because processors fetch cache lines in pairs.
 *
 * @kernel none
 */
export const DESC_RING_INDEX_BYTES = 256

/** Word of the producer's index in the index block. */
export const PROD_WORD = 0
/** Word the waiting consumer raises; on the producer's line, because the producer reads it at each commit. */
export const PARKED_WORD = 1
/** Word of the consumer's index in the index block. */
export const CONS_WORD = 32

/**
 * Returns the bytes a ring needs when its index block and its descriptors lie together.
 *
 * @kernel none
 */
export function descRingBytes(size: number, descWords: number): number {
  return DESC_RING_INDEX_BYTES + size * descWords * 4
}

/**
 * Lays a ring out in `memory` from `offset` on: the index block first, the descriptors right after.
 *
 * Without a memory it makes a new ArrayBuffer; hand in a SharedArrayBuffer of {@link descRingBytes} bytes for threads.
 *
 * @kernel none
 */
export function descRingLayout(
  size: number,
  descWords: number,
  memory: ArrayBufferLike = new ArrayBuffer(descRingBytes(size, descWords)),
  offset = 0,
): DescRingLayout {
  return { memory, descOffset: offset + DESC_RING_INDEX_BYTES, size, descWords, indexOffset: offset }
}

/**
 * Throws a RangeError, with the reason, for a layout no ring can have.
 *
 * @kernel none
 * @rule RING-03
 */
export function checkLayout(layout: DescRingLayout): void {
  const { memory, descOffset, size, descWords, indexOffset } = layout
  if (!Number.isInteger(size) || size < 2 || size > 65536 || (size & (size - 1)) !== 0) {
    throw new RangeError(`ring size must be a power of two from 2 to 65536, not ${size}`)
  }
  if (!Number.isInteger(descWords) || descWords < 1) {
    throw new RangeError(`a descriptor must have at least one 32-bit word, not ${descWords}`)
  }
  checkPart(memory, 'descriptors', descOffset, size * descWords * 4)
  checkPart(memory, 'indexes', indexOffset, DESC_RING_INDEX_BYTES)
  if (descOffset < indexOffset + DESC_RING_INDEX_BYTES && indexOffset < descOffset + size * descWords * 4) {
    throw new RangeError(`ring indexes at byte ${indexOffset} overlap the descriptors at byte ${descOffset}`)
  }
}

function checkPart(memory: ArrayBufferLike, what: string, offset: number, bytes: number): void {
  if (!Number.isInteger(offset) || offset < 0 || offset % 4 !== 0) {
    throw new RangeError(`ring ${what} must start at a multiple of 4 bytes, not ${offset}`)
  }
  if (offset + bytes > memory.byteLength) {
    throw new RangeError(
      `ring ${what} need bytes ${offset} to ${offset + bytes}, the memory has ${memory.byteLength}`,
    )
  }
}

/** Throws for an index move that would break `0 ≤ used ≤ size`; apart, so that the callers stay small. */
export function badMove(what: string, n: number, limit: number): never {
  throw new RangeError(`RING-01: ring cannot ${what} ${n}, at most ${limit}`)
}
