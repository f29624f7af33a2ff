import { clampEnd, getUnalignedBe16, getUnalignedBe32, putUnalignedBe32 } from '../bytes.ts'
import { buildEth, ETH_HLEN, ETH_ZLEN } from '../eth.ts'
import { ETH_P_LOCAL_EXPERIMENTAL_1 } from '../ethertype.ts'
import { MAC_BROADCAST, type MacAddress } from '../mac.ts'

/**
 * The text in a hello frame.
 *
 * @kernel none
 */
export const HELLO_TEXT = 'Hello from vnet RX'

/**
 * Where a hello frame has its number (32 bits, big-endian): writing there renews a frame without building it again.
 *
 * @kernel none
 */
export const HELLO_SEQ_OFFSET = ETH_HLEN + 20

/** Who a hello frame goes to and comes from. */
export interface HelloOptions {
  /** Broadcast unless given. */
  readonly dst?: MacAddress
  /** 02:00:00:00:00:ff unless given. */
  readonly src?: MacAddress
}

/**
 * Builds the frame a card greets with: `Hello from vnet RX` and a number, in 60 bytes of the experimental type 0x88b5.
 *
 * @throws RangeError when an address is wrong.
 * @kernel none
 */
export function helloFrame(seq = 0, options: HelloOptions = {}): Uint8Array {
  const frame = new Uint8Array(ETH_ZLEN)
  const dst = options.dst ?? MAC_BROADCAST
  const src = options.src ?? '02:00:00:00:00:ff'
  buildEth(frame, 0, { dst, src, proto: ETH_P_LOCAL_EXPERIMENTAL_1 })
  for (let i = 0; i < HELLO_TEXT.length; i++) frame[ETH_HLEN + i] = HELLO_TEXT.charCodeAt(i)
  putUnalignedBe32(seq, frame, HELLO_SEQ_OFFSET)
  return frame
}

/**
 * Gives the number of a hello frame; null when it is another frame.
 *
 * @kernel none
 */
export function parseHello(bytes: Uint8Array, off = 0, len = bytes.length - off): number | null {
  const end = clampEnd(bytes, off, len)
  if (end - off < HELLO_SEQ_OFFSET + 4) return null
  if (getUnalignedBe16(bytes, off + 12) !== ETH_P_LOCAL_EXPERIMENTAL_1) return null
  for (let i = 0; i < HELLO_TEXT.length; i++) {
    if (bytes[off + ETH_HLEN + i] !== HELLO_TEXT.charCodeAt(i)) return null
  }
  return getUnalignedBe32(bytes, off + HELLO_SEQ_OFFSET)
}
