/** Above this, making a view for the engine's own copy is cheaper than a loop over bytes. Measured on Node 20. */
const LOOP_BYTES = 64

/**
 * Copies `len` bytes. Within one view the ranges may overlap; two views of one buffer must not.
 *
 * Within one view nothing is allocated and any length costs about the same, so keep frames in one region. Between
 * views, up to 64 bytes allocate nothing; more make one short-lived view.
 *
 * @kernel memcpy() lib/string.c
 */
export function copyBytes(
  dst: Uint8Array,
  dstOff: number,
  src: Uint8Array,
  srcOff: number,
  len: number,
): void {
  if (dst === src) dst.copyWithin(dstOff, srcOff, srcOff + len)
  else if (len > LOOP_BYTES) dst.set(src.subarray(srcOff, srcOff + len), dstOff)
  else copyShort(dst, dstOff, src, srcOff, len)
}

function copyShort(dst: Uint8Array, dstOff: number, src: Uint8Array, srcOff: number, len: number): void {
  let d = dstOff
  let s = srcOff
  const end = srcOff + len
  for (; s + 8 <= end; s += 8, d += 8) {
    dst[d] = src[s]!
    dst[d + 1] = src[s + 1]!
    dst[d + 2] = src[s + 2]!
    dst[d + 3] = src[s + 3]!
    dst[d + 4] = src[s + 4]!
    dst[d + 5] = src[s + 5]!
    dst[d + 6] = src[s + 6]!
    dst[d + 7] = src[s + 7]!
  }
  for (; s < end; s++, d++) dst[d] = src[s]!
}

/** Memory known by bytes and by words, both from the same start: a `MemoryRegion`, for instance. @kernel none */
export interface WordMemory {
  readonly u8: Uint8Array
  readonly i32: Int32Array
}

/**
 * Up to here a loop over words beats the engine's own copy, whose call alone costs about 15 ns. Measured on Node 20.
 */
const WORD_BYTES = 64
const NO_WORDS = new Int32Array(0)
/** Words are only shifted into each other where the first byte is the lowest. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/**
 * Copies frames into memory that is known by words, whole words at a time where both sides allow it.
 *
 * Frames come as bytes of any memory; the words of the last memory seen are kept, so one object per direction of traffic
 * makes a view only when the memory changes.
 *
 * @kernel none
 */
export class FrameCopier {
  #mem: Uint8Array
  #words: Int32Array

  constructor() {
    this.#mem = new Uint8Array(0)
    this.#words = NO_WORDS
  }

  /** Copies `len` bytes; within one memory the ranges must not overlap. Hot path. */
  copy(dst: WordMemory, dstOff: number, src: Uint8Array, srcOff: number, len: number): void {
    if (src !== this.#mem) this.#meet(src)
    const words = this.#words
    if (len > WORD_BYTES || words.length === 0) copyBytes(dst.u8, dstOff, src, srcOff, len)
    else if (((dstOff ^ srcOff) & 3) === 0) copyWords(dst.u8, dst.i32, dstOff, src, words, srcOff, len)
    else copyShifted(dst.u8, dst.i32, dstOff, src, words, srcOff, len)
  }

  #meet(mem: Uint8Array): void {
    this.#mem = mem
    const aligned = (mem.byteOffset & 3) === 0
    this.#words =
      aligned && LITTLE_ENDIAN ? new Int32Array(mem.buffer, mem.byteOffset, mem.byteLength >>> 2) : NO_WORDS
  }
}

/** Both offsets are aligned alike. Words at the edges are merged into what is there, which beats a loop over bytes. */
function copyWords(
  dst: Uint8Array,
  dstWords: Int32Array,
  dstOff: number,
  src: Uint8Array,
  srcWords: Int32Array,
  srcOff: number,
  len: number,
): void {
  const end = srcOff + len
  const stop = end >> 2
  const head = srcOff & 3
  let sw = srcOff >> 2
  let dw = dstOff >> 2
  if (stop <= sw || stop >= srcWords.length) {
    // Within one word, or up to the end of the memory, where there may be no whole word to read.
    for (let s = srcOff, d = dstOff; s < end; s++, d++) dst[d] = src[s]!
    return
  }
  if (head !== 0) {
    const keep = (1 << (head << 3)) - 1
    dstWords[dw] = (dstWords[dw]! & keep) | (srcWords[sw]! & ~keep)
    sw++
    dw++
  }
  for (; sw + 4 <= stop; sw += 4, dw += 4) {
    dstWords[dw] = srcWords[sw]!
    dstWords[dw + 1] = srcWords[sw + 1]!
    dstWords[dw + 2] = srcWords[sw + 2]!
    dstWords[dw + 3] = srcWords[sw + 3]!
  }
  for (; sw < stop; sw++, dw++) dstWords[dw] = srcWords[sw]!
  const tail = end & 3
  if (tail !== 0) {
    const take = (1 << (tail << 3)) - 1
    dstWords[dw] = (dstWords[dw]! & ~take) | (srcWords[sw]! & take)
  }
}

/** The same when the offsets are aligned differently: each word is put together from two. */
function copyShifted(
  dst: Uint8Array,
  dstWords: Int32Array,
  dstOff: number,
  src: Uint8Array,
  srcWords: Int32Array,
  srcOff: number,
  len: number,
): void {
  let s = srcOff
  let d = dstOff
  const end = srcOff + len
  while ((d & 3) !== 0 && s < end) dst[d++] = src[s++]!
  const right = (s & 3) << 3
  const left = 32 - right
  let sw = s >> 2
  let dw = d >> 2
  // The last word may begin within the memory's last, incomplete one: that one is left to the bytes.
  const stop = Math.min(dw + ((end - s) >> 2), dw + srcWords.length - 1 - sw)
  let low = dw < stop ? srcWords[sw]! : 0
  const first = dw
  while (dw < stop) {
    const high = srcWords[++sw]!
    dstWords[dw++] = (low >>> right) | (high << left)
    low = high
  }
  const done = (dw - first) << 2
  for (s += done, d += done; s < end; s++, d++) dst[d] = src[s]!
}
