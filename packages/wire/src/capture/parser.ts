import type { Chunks } from './chunks.ts'
import type { CaptureFrame, CaptureInterface } from './frame.ts'

/** What one step of a parser came to: more bytes are needed, a frame is ready, or something else was read. */
export const NEED = 0
export const FRAME = 1
export const AGAIN = 2

/** One file format. */
export interface CaptureParser {
  readonly format: 'pcap' | 'pcapng'
  readonly interfaces: readonly CaptureInterface[]
  /** Reads one record, or nothing at all; throws CaptureError. */
  step(chunks: Chunks, frame: CaptureFrame): typeof NEED | typeof FRAME | typeof AGAIN
  /** Says what is cut short when the file ends here, in the middle of a record. */
  truncation(chunks: Chunks): string
}
