import { LINKTYPE_ETHERNET, MAXIMUM_SNAPLEN } from './frame.ts'

/** How to write a pcap file. */
export interface PcapWriterOptions {
  /** Keep nanoseconds, not microseconds; false unless given. */
  readonly nanoseconds?: boolean
  /** 1, Ethernet, unless given. */
  readonly linkType?: number
  /** Longer frames are cut; 262144 unless given. */
  readonly snapLength?: number
  /** False writes the most significant byte first; true unless given. */
  readonly littleEndian?: boolean
}

/**
 * Writes a pcap file as chunks: `header()` once, then `frame()` for each frame. It keeps nothing.
 *
 * @kernel none
 */
export class PcapWriter {
  readonly nanoseconds: boolean
  readonly linkType: number
  readonly snapLength: number
  readonly littleEndian: boolean

  constructor(options: PcapWriterOptions = {}) {
    this.nanoseconds = options.nanoseconds ?? false
    this.linkType = options.linkType ?? LINKTYPE_ETHERNET
    this.snapLength = options.snapLength ?? MAXIMUM_SNAPLEN
    this.littleEndian = options.littleEndian ?? true
  }

  /** The first 24 bytes of the file. */
  header(): Uint8Array {
    const out = new Uint8Array(24)
    const view = new DataView(out.buffer)
    view.setUint32(0, this.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, this.littleEndian)
    view.setUint16(4, 2, this.littleEndian)
    view.setUint16(6, 4, this.littleEndian)
    view.setUint32(16, this.snapLength, this.littleEndian)
    view.setUint32(20, this.linkType, this.littleEndian)
    return out
  }

  /**
   * A frame's record, as a new array.
   *
   * @param wireLength - what the frame had on the wire, when `length` is less.
   */
  frame(
    data: Uint8Array,
    offset: number,
    length: number,
    tsSec: number,
    tsNsec: number,
    wireLength = length,
  ): Uint8Array {
    const kept = Math.min(length, this.snapLength)
    const out = new Uint8Array(16 + kept)
    const view = new DataView(out.buffer)
    view.setUint32(0, tsSec, this.littleEndian)
    view.setUint32(4, this.nanoseconds ? tsNsec : Math.floor(tsNsec / 1000), this.littleEndian)
    view.setUint32(8, kept, this.littleEndian)
    view.setUint32(12, wireLength, this.littleEndian)
    out.set(data.subarray(offset, offset + kept), 16)
    return out
  }
}
