/** An interface frames were captured on. */
export interface CaptureInterface {
  /** The number frames refer to it by. */
  readonly id: number
  /** 1 is Ethernet (`LINKTYPE_ETHERNET`). */
  readonly linkType: number
  /** The most bytes kept of a frame; 0 for no limit. */
  readonly snapLength: number
  readonly name: string | null
}

/**
 * One frame of a capture. The reader gives the same object again and again: it is good until the next `next()` or
 * `push()`, and so are the bytes. Copy what you keep.
 *
 * @kernel none
 */
export class CaptureFrame {
  /** The frame is `data[offset]` to `data[offset + length - 1]`. */
  data: Uint8Array = new Uint8Array(0)
  offset = 0
  /** Bytes that were kept. */
  length = 0
  /** Bytes the frame had on the wire. */
  wireLength = 0
  /** Seconds since 1970, and nanoseconds below one second: together too long for one number. */
  tsSec = 0
  tsNsec = 0
  interfaceId = 0
  linkType = 0
}

/**
 * Link type: Ethernet.
 *
 * @kernel none
 */
export const LINKTYPE_ETHERNET = 1

/**
 * The longest frame a capture may hold, as in tcpdump.
 *
 * @kernel none
 */
export const MAXIMUM_SNAPLEN = 262144
