import { Chunks } from './chunks.ts'
import { CaptureError } from './error.ts'
import { CaptureFrame, type CaptureInterface, MAXIMUM_SNAPLEN } from './frame.ts'
import { type CaptureParser, FRAME, NEED } from './parser.ts'
import { PcapParser } from './pcap.ts'
import { PcapngParser } from './pcapng.ts'
import { sniff } from './sniff.ts'

/** How to read a capture. */
export interface CaptureReaderOptions {
  /** A longer frame is taken for damage; 262144 unless given. */
  readonly maxFrameLength?: number
}

/**
 * Reads a pcap or pcapng file piece by piece: push bytes as they come, pull frames.
 *
 * ```ts
 * for await (const chunk of stream) {
 *   reader.push(chunk)
 *   for (let f = reader.next(); f !== null; f = reader.next()) use(f.data, f.offset, f.length)
 * }
 * reader.end()
 * for (let f = reader.next(); f !== null; f = reader.next()) use(f.data, f.offset, f.length)
 * ```
 *
 * @kernel none
 */
export class CaptureReader {
  private readonly chunks: Chunks
  private readonly frame: CaptureFrame
  private readonly maxFrame: number
  private parser: CaptureParser | null
  private ended: boolean
  private error: CaptureError | null
  private count: number

  constructor(options: CaptureReaderOptions = {}) {
    this.chunks = new Chunks()
    this.frame = new CaptureFrame()
    this.maxFrame = options.maxFrameLength ?? MAXIMUM_SNAPLEN
    this.parser = null
    this.ended = false
    this.error = null
    this.count = 0
  }

  /** The file's format; null before its first four bytes were read. */
  get format(): 'pcap' | 'pcapng' | null {
    return this.parser === null ? null : this.parser.format
  }

  /** The interfaces described so far; in pcapng, in this section. */
  get interfaces(): readonly CaptureInterface[] {
    return this.parser === null ? [] : this.parser.interfaces
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.chunks.position
  }

  /** Frames given out so far. */
  get frames(): number {
    return this.count
  }

  /**
   * Adds bytes of the file. They must stay as they are until `next()` has returned null.
   *
   * @throws Error after `end()`.
   */
  push(chunk: Uint8Array): void {
    if (this.ended) throw new Error('bytes were pushed after the end of the capture')
    this.chunks.push(chunk)
  }

  /** Says that no more bytes come, so that `next()` can tell a whole file from one cut short. */
  end(): void {
    this.ended = true
  }

  /**
   * Gives the next frame, always in the same object; null when more bytes are needed or, after `end()`, when all is read.
   *
   * @throws CaptureError when the file cannot be read on, and again at every later call.
   */
  next(): CaptureFrame | null {
    if (this.error !== null) throw this.error
    try {
      return this.pull()
    } catch (error) {
      if (error instanceof CaptureError) this.error = error
      throw error
    }
  }

  /** Gives the frames that are ready, in the same object each time. */
  *[Symbol.iterator](): Generator<CaptureFrame, void, undefined> {
    for (let frame = this.next(); frame !== null; frame = this.next()) yield frame
  }

  private pull(): CaptureFrame | null {
    const parser = this.parser ?? this.begin()
    if (parser === null) return null
    for (;;) {
      const step = parser.step(this.chunks, this.frame)
      if (step === FRAME) {
        this.count++
        return this.frame
      }
      if (step === NEED) break
    }
    if (this.ended) this.finish(parser)
    else this.chunks.keep()
    return null
  }

  private begin(): CaptureParser | null {
    const kind = sniff(this.chunks, this.ended)
    if (kind === null) {
      this.chunks.keep()
      return null
    }
    this.parser =
      kind.format === 'pcap'
        ? new PcapParser(kind.little, kind.nanoseconds, this.maxFrame)
        : new PcapngParser(this.maxFrame)
    return this.parser
  }

  /** The file is at its end: nothing may be left over. */
  private finish(parser: CaptureParser): void {
    const chunks = this.chunks
    const midway = chunks.available > 0 || chunks.toSkip > 0
    if (!midway) return
    const read = this.count === 1 ? '1 whole frame was' : `${this.count} whole frames were`
    const sentence = `the file is cut short: it ends inside ${parser.truncation(chunks)}; ${read} read before, copy the file again to get the rest`
    throw new CaptureError('truncated', chunks.position + chunks.available, sentence)
  }
}

/**
 * Opens a whole capture file in memory; iterate over it, or call `next()`.
 *
 * Frames are not copied: each is a place in `bytes`, in one object used again and again.
 *
 * @throws CaptureError from the iteration, not from here.
 * @kernel none
 */
export function readCapture(bytes: Uint8Array, options: CaptureReaderOptions = {}): CaptureReader {
  const reader = new CaptureReader(options)
  reader.push(bytes)
  reader.end()
  return reader
}
