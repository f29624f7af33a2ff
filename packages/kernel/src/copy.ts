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
