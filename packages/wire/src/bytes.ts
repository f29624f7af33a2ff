/**
 * Reads an unsigned 16-bit number, most significant byte first.
 *
 * Does not check bounds: past the end it gives 0 for a missing byte.
 *
 * @kernel get_unaligned_be16() include/asm-generic/unaligned.h
 */
export function getUnalignedBe16(bytes: Uint8Array, off: number): number {
  return (bytes[off]! << 8) | bytes[off + 1]!
}

/**
 * Reads an unsigned 32-bit number, most significant byte first.
 *
 * Does not check bounds: past the end it gives 0 for a missing byte.
 *
 * @kernel get_unaligned_be32() include/asm-generic/unaligned.h
 */
export function getUnalignedBe32(bytes: Uint8Array, off: number): number {
  return ((bytes[off]! << 24) | (bytes[off + 1]! << 16) | (bytes[off + 2]! << 8) | bytes[off + 3]!) >>> 0
}

/**
 * Writes an unsigned 16-bit number, most significant byte first.
 *
 * @kernel put_unaligned_be16() include/asm-generic/unaligned.h
 */
export function putUnalignedBe16(value: number, bytes: Uint8Array, off: number): void {
  bytes[off] = value >>> 8
  bytes[off + 1] = value
}

/**
 * Writes an unsigned 32-bit number, most significant byte first.
 *
 * @kernel put_unaligned_be32() include/asm-generic/unaligned.h
 */
export function putUnalignedBe32(value: number, bytes: Uint8Array, off: number): void {
  bytes[off] = value >>> 24
  bytes[off + 1] = value >>> 16
  bytes[off + 2] = value >>> 8
  bytes[off + 3] = value
}

/**
 * Gives the end of `[off, off + len)` cut to what `bytes` really has; `off` itself when the range makes no sense.
 *
 * Every parser starts with it, so a wrong offset or length from a caller can never read outside.
 */
export function clampEnd(bytes: Uint8Array, off: number, len: number): number {
  if (off >>> 0 !== off || off >= bytes.length || !(len > 0)) return off
  const end = off + len
  return end < bytes.length ? end : bytes.length
}

/** Refuses a build that would not fit: a header cut short is worse than an error. */
export function needRoom(out: Uint8Array, off: number, len: number, what: string): void {
  if (off >>> 0 === off && off + len <= out.length) return
  throw new RangeError(`${what} needs ${len} bytes at offset ${off}, but the buffer has ${out.length} bytes`)
}

/** Refuses a field value that its bits cannot hold. */
export function needRange(value: number, max: number, what: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value
  throw new RangeError(`${what} must be a whole number from 0 to ${max}, not ${value}`)
}
