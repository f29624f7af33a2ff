const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
const SENDER = [2, 0, 0, 0, 0xee, 1]
/** EtherType for local experiments: no stack touches it. @kernel none */
export const ETH_P_TEST = 0x88b5
/** Byte at which {@link testFrame} puts its number. */
const NUMBER_AT = 14

/** A frame of `length` bytes with a number in it. @kernel none */
export function testFrame(
  length: number,
  n = 0,
  to: ArrayLike<number> = BROADCAST,
  type = ETH_P_TEST,
): Uint8Array {
  const head = [...Array.from(to), ...SENDER, type >> 8, type & 0xff, n >>> 24, n >>> 16, n >>> 8, n]
  const frame = new Uint8Array(length)
  frame.set(head.slice(0, length).map((b) => b & 0xff))
  for (let i = head.length; i < length; i++) frame[i] = (n + i) & 0xff
  return frame
}

/** The number in a {@link testFrame}; -1 when it is too short to have one. @kernel none */
export function frameNumber(frame: Uint8Array): number {
  if (frame.length < NUMBER_AT + 4) return -1
  return new DataView(frame.buffer, frame.byteOffset).getUint32(NUMBER_AT)
}
