/** True on nearly every machine: the first byte of a word is its lowest. @kernel __LITTLE_ENDIAN include/uapi/linux/byteorder/little_endian.h */
export const LITTLE_ENDIAN = new Uint8Array(Int32Array.of(1).buffer)[0] === 1

/** A mask for a word of four bytes in the order they stand in memory, whatever the machine's byte order. @kernel none */
export function wordMask(a: number, b: number, c: number, d: number): number {
  return new Int32Array(Uint8Array.of(a, b, c, d).buffer)[0]!
}
