import type { Chunks } from './chunks.ts'
import { timeScale, type TimeScale } from './timestamp.ts'
import { utf8Decode } from './utf8.ts'

/** Types of blocks we read; all others are passed over. */
export const Block = {
  SECTION: 0x0a0d0d0a,
  INTERFACE: 1,
  OBSOLETE_PACKET: 2,
  SIMPLE_PACKET: 3,
  ENHANCED_PACKET: 6,
} as const

/** Says which end comes first, in the section header. */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d

/** The longest block that is not a packet, as in libpcap: a longer one is damage, not data. */
export const MAX_BLOCK = 16 * 1024 * 1024

/** Option codes of an interface block. */
export const IfOption = { END: 0, NAME: 2, TSRESOL: 9, TSOFFSET: 14 } as const

/** What we want of an interface block's options. */
export interface InterfaceOptions {
  readonly name: string | null
  readonly scale: TimeScale
}

/** Reads an interface's options from `at` up to `end`; a list that stops in the middle counts up to there. */
export function readInterfaceOptions(
  chunks: Chunks,
  at: number,
  end: number,
  little: boolean,
): InterfaceOptions {
  let name: string | null = null
  let resolution = 6
  let offsetSec = 0
  while (at + 4 <= end) {
    const code = chunks.u16(at, little)
    const length = chunks.u16(at + 2, little)
    const value = at + 4
    if (code === IfOption.END || value + length > end) break
    if (code === IfOption.NAME) name = utf8Decode(chunks.slice(value, length))
    else if (code === IfOption.TSRESOL && length >= 1) resolution = chunks.u8(value)
    else if (code === IfOption.TSOFFSET && length >= 8) offsetSec = signed64(chunks, value, little)
    at = value + ((length + 3) & ~3)
  }
  return { name, scale: timeScale(resolution, offsetSec) }
}

function signed64(chunks: Chunks, at: number, little: boolean): number {
  const high = chunks.u32(little ? at + 4 : at, little) | 0
  return high * 0x100000000 + chunks.u32(little ? at : at + 4, little)
}
