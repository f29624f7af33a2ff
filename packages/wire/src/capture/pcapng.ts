import type { Chunks } from './chunks.ts'
import { CaptureError } from './error.ts'
import type { CaptureFrame, CaptureInterface } from './frame.ts'
import { AGAIN, type CaptureParser, FRAME, NEED } from './parser.ts'
import { Block, BYTE_ORDER_MAGIC, MAX_BLOCK, readInterfaceOptions } from './pcapng-block.ts'
import { convertTime, type TimeScale } from './timestamp.ts'

type Step = typeof NEED | typeof FRAME | typeof AGAIN

/** Why a packet block is no good; the caller adds where. */
const TOO_SHORT =
  'is too short for its own header: the file is damaged from here on, so keep what was read before'

/** The newer format: blocks, each with its length at both ends. */
export class PcapngParser implements CaptureParser {
  readonly format = 'pcapng'
  interfaces: CaptureInterface[]
  private scales: TimeScale[]
  private little: boolean
  private readonly maxFrame: number

  constructor(maxFrame: number) {
    this.interfaces = []
    this.scales = []
    this.little = false
    this.maxFrame = maxFrame
  }

  step(chunks: Chunks, frame: CaptureFrame): Step {
    if (chunks.toSkip > 0 || chunks.available < 12) return NEED
    // A section header reads the same from both ends: its byte order is known only from the word after the length.
    const isSection = chunks.u32(0, false) === Block.SECTION
    if (isSection) this.readByteOrder(chunks)
    const type = chunks.u32(0, this.little)
    const length = chunks.u32(4, this.little)
    this.checkLength(chunks, type, length)
    if (!isKnown(type)) {
      chunks.skip(length)
      return AGAIN
    }
    if (chunks.available < length) return NEED
    const tail = chunks.u32(length - 4, this.little)
    if (tail !== length) {
      this.fail(
        chunks,
        length - 4,
        `a block of ${length} bytes ends with the length ${tail}: the file is damaged here`,
      )
    }
    const step = this.readBlock(chunks, type, length, frame)
    chunks.consume(length)
    return step
  }

  truncation(chunks: Chunks): string {
    if (chunks.available < 12 && chunks.toSkip === 0) return 'the header of a block'
    if (chunks.toSkip > 0) return `a block, ${chunks.toSkip} bytes before its end`
    return `a block of ${chunks.u32(4, this.little)} bytes, of which ${chunks.available} are here`
  }

  private fail(chunks: Chunks, at: number, sentence: string): never {
    throw new CaptureError('corrupt', chunks.position + at, sentence)
  }

  private readByteOrder(chunks: Chunks): void {
    const magic = chunks.u32(8, false)
    if (magic === BYTE_ORDER_MAGIC) this.little = false
    else if (chunks.u32(8, true) === BYTE_ORDER_MAGIC) this.little = true
    else
      this.fail(
        chunks,
        8,
        'a section header has no byte-order mark (1a2b3c4d): this is no pcapng file, or damaged',
      )
  }

  private checkLength(chunks: Chunks, type: number, length: number): void {
    const least = type === Block.SECTION ? 28 : 12
    if (length % 4 !== 0 || length < least) {
      this.fail(
        chunks,
        4,
        `a block claims a length of ${length} bytes, which no block has: the file is damaged here`,
      )
    }
    const most = isPacket(type) ? this.maxFrame + 65536 : MAX_BLOCK
    if (length > most) {
      this.fail(
        chunks,
        4,
        `a block claims ${length} bytes, more than the ${most} allowed: the file is damaged here`,
      )
    }
  }

  private readBlock(chunks: Chunks, type: number, length: number, frame: CaptureFrame): Step {
    if (type === Block.SECTION) return this.readSection(chunks)
    switch (type) {
      case Block.INTERFACE:
        return this.readInterface(chunks, length)
      case Block.ENHANCED_PACKET:
        if (length < 32) this.fail(chunks, 4, `a packet block of ${length} bytes ${TOO_SHORT}`)
        return this.readPacket(chunks, length, chunks.u32(8, this.little), frame)
      case Block.OBSOLETE_PACKET:
        if (length < 32) this.fail(chunks, 4, `a packet block of ${length} bytes ${TOO_SHORT}`)
        return this.readPacket(chunks, length, chunks.u16(8, this.little), frame)
      default:
        return this.readSimplePacket(chunks, length, frame)
    }
  }

  private readSection(chunks: Chunks): Step {
    const major = chunks.u16(12, this.little)
    const minor = chunks.u16(14, this.little)
    if (major !== 1) {
      throw new CaptureError(
        'unsupported',
        chunks.position + 12,
        `this is pcapng version ${major}.${minor}, and only 1 is known: convert it with editcap -F pcap`,
      )
    }
    // Numbers of interfaces begin again in every section.
    this.interfaces = []
    this.scales = []
    return AGAIN
  }

  private readInterface(chunks: Chunks, length: number): Step {
    if (length < 20) this.fail(chunks, 4, `an interface block of ${length} bytes ${TOO_SHORT}`)
    const options = readInterfaceOptions(chunks, 16, length - 4, this.little)
    this.interfaces.push({
      id: this.interfaces.length,
      linkType: chunks.u16(8, this.little),
      snapLength: chunks.u32(12, this.little),
      name: options.name,
    })
    this.scales.push(options.scale)
    return AGAIN
  }

  /** Enhanced and obsolete packet blocks differ only in how they name the interface. */
  private readPacket(chunks: Chunks, length: number, id: number, frame: CaptureFrame): Step {
    const scale = this.scales[id]
    if (scale === undefined) {
      const count = this.interfaces.length
      this.fail(
        chunks,
        8,
        `a packet is from interface ${id}, but ${count} were described before it: the file is damaged`,
      )
    }
    const captured = chunks.u32(20, this.little)
    this.fill(chunks, frame, id, 20, 28, captured, length)
    frame.wireLength = chunks.u32(24, this.little)
    convertTime(chunks.u32(12, this.little), chunks.u32(16, this.little), scale, frame)
    return FRAME
  }

  private readSimplePacket(chunks: Chunks, length: number, frame: CaptureFrame): Step {
    if (length < 16) this.fail(chunks, 4, `a packet block of ${length} bytes ${TOO_SHORT}`)
    if (this.interfaces.length === 0) {
      this.fail(chunks, 0, 'a packet stands before any interface was described: the file is damaged')
    }
    const wireLength = chunks.u32(8, this.little)
    const snapLength = this.interfaces[0]!.snapLength
    const captured = snapLength === 0 ? wireLength : Math.min(wireLength, snapLength)
    this.fill(chunks, frame, 0, 8, 12, captured, length)
    frame.wireLength = wireLength
    // This block has no time.
    frame.tsSec = 0
    frame.tsNsec = 0
    return FRAME
  }

  private fill(
    chunks: Chunks,
    frame: CaptureFrame,
    id: number,
    lengthAt: number,
    at: number,
    captured: number,
    length: number,
  ): void {
    if (captured > length - at - 4) {
      const sentence = `a packet claims ${captured} captured bytes in a block of ${length}: the file is damaged here`
      this.fail(chunks, lengthAt, sentence)
    }
    if (captured > this.maxFrame) {
      const sentence = `a packet claims ${captured} captured bytes, more than the ${this.maxFrame} a frame may have`
      this.fail(
        chunks,
        lengthAt,
        sentence + ': the file is damaged from here on, so keep what was read before',
      )
    }
    frame.data = chunks.bytes
    frame.offset = chunks.start + at
    frame.length = captured
    frame.interfaceId = id
    frame.linkType = this.interfaces[id]!.linkType
  }
}

function isPacket(type: number): boolean {
  return type === Block.ENHANCED_PACKET || type === Block.SIMPLE_PACKET || type === Block.OBSOLETE_PACKET
}

function isKnown(type: number): boolean {
  return type === Block.SECTION || type === Block.INTERFACE || isPacket(type)
}
