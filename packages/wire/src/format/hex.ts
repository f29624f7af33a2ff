import { clampEnd } from '../bytes.ts'
import { HEX } from '../mac.ts'

const BYTES_PER_LINE = 16

/**
 * Dumps bytes as tcpdump -X does: lines of a tab, the offset, eight pairs of bytes and their characters.
 *
 * Each line begins with a line feed, so that it can follow a line of text.
 *
 * @param characters - false leaves the characters out, as tcpdump -x.
 * @kernel none
 */
export function hexDump(bytes: Uint8Array, off: number, len: number, characters = true): string {
  const end = clampEnd(bytes, off, len)
  let text = ''
  for (let line = off; line < end; line += BYTES_PER_LINE) {
    let hex = ''
    let ascii = ''
    for (let at = line; at < line + BYTES_PER_LINE && at < end; at++) {
      const byte = bytes[at]!
      hex += ((at - line) % 2 === 0 ? ' ' : '') + HEX[byte]!
      ascii += byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'
    }
    text += `\n\t0x${(line - off).toString(16).padStart(4, '0')}: ${characters ? `${hex.padEnd(40)}  ${ascii}` : hex}`
  }
  return text
}
