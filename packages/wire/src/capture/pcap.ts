import type { Chunks } from './chunks.ts'
import { CaptureError } from './error.ts'
import type { CaptureFrame, CaptureInterface } from './frame.ts'
import { AGAIN, type CaptureParser, FRAME, NEED } from './parser.ts'

const FILE_HEADER = 24
const RECORD_HEADER = 16

/** The classic format: one header, then records. */
export class PcapParser implements CaptureParser {
  readonly format = 'pcap'
  readonly interfaces: CaptureInterface[]
  private readonly little: boolean
  private readonly ticksPerSecond: number
  private readonly maxFrame: number
  private linkType: number

  constructor(little: boolean, nanoseconds: boolean, maxFrame: number) {
    this.interfaces = []
    this.little = little
    this.ticksPerSecond = nanoseconds ? 1e9 : 1e6
    this.maxFrame = maxFrame
    this.linkType = 0
  }

  step(chunks: Chunks, frame: CaptureFrame): typeof NEED | typeof FRAME | typeof AGAIN {
    if (this.interfaces.length === 0) return this.readHeader(chunks)
    if (chunks.available < RECORD_HEADER) return NEED
    const length = chunks.u32(8, this.little)
    const wireLength = chunks.u32(12, this.little)
    if (length > this.maxFrame) {
      throw new CaptureError(
        'corrupt',
        chunks.position + 8,
        `a record claims ${length} captured bytes, more than the ${this.maxFrame} a frame may have: the file is ` +
          'damaged from here on, so keep what was read before',
      )
    }
    if (chunks.available < RECORD_HEADER + length) return NEED
    const ticks = chunks.u32(4, this.little)
    const carry = ticks < this.ticksPerSecond ? 0 : Math.floor(ticks / this.ticksPerSecond)
    frame.tsSec = chunks.u32(0, this.little) + carry
    frame.tsNsec = (ticks - carry * this.ticksPerSecond) * (1e9 / this.ticksPerSecond)
    frame.data = chunks.bytes
    frame.offset = chunks.start + RECORD_HEADER
    frame.length = length
    frame.wireLength = wireLength
    frame.interfaceId = 0
    frame.linkType = this.linkType
    chunks.consume(RECORD_HEADER + length)
    return FRAME
  }

  truncation(chunks: Chunks): string {
    if (this.interfaces.length === 0) return 'its header of 24 bytes'
    if (chunks.available < RECORD_HEADER) return 'the 16-byte header of a record'
    return `a frame of ${chunks.u32(8, this.little)} bytes, of which ${chunks.available - RECORD_HEADER} are here`
  }

  private readHeader(chunks: Chunks): typeof NEED | typeof AGAIN {
    if (chunks.available < FILE_HEADER) return NEED
    const major = chunks.u16(4, this.little)
    const minor = chunks.u16(6, this.little)
    if (major !== 2 || minor !== 4) {
      throw new CaptureError(
        'unsupported',
        4,
        `this is pcap version ${major}.${minor}, and only 2.4 is known: convert it with editcap -F pcapng`,
      )
    }
    // The upper half of the word tells of frame check sequences.
    this.linkType = chunks.u32(20, this.little) & 0xffff
    this.interfaces.push({
      id: 0,
      linkType: this.linkType,
      snapLength: chunks.u32(16, this.little),
      name: null,
    })
    chunks.consume(FILE_HEADER)
    return AGAIN
  }
}
