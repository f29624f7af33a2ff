import { LLDP_TLV_SYSTEM_NAME } from '../lldp.ts'
import type { Printer } from './printer.ts'

/** Prints a link layer discovery message: its length, and the system's name if it tells one. */
export function printLldp(p: Printer, at: number, length: number): void {
  p.protocol = 'lldp'
  p.add(`LLDP, length ${length}`)
  const end = at + length
  while (at + 2 <= end) {
    const head = p.u16(at)
    const type = head >>> 9
    const size = head & 0x1ff
    at += 2
    if (type === 0 || size === 0) return
    p.need(at, size)
    if (at + size > end) {
      p.cutShort()
      return
    }
    if (type === LLDP_TLV_SYSTEM_NAME) p.add(': ' + visible(p, at, size))
    at += size
  }
}

/** Text up to its first zero, with ^X for control characters and M- for bytes above ASCII. */
function visible(p: Printer, at: number, length: number): string {
  let text = ''
  for (let i = 0; i < length && p.u8(at + i) !== 0; i++) {
    let byte = p.u8(at + i)
    if (byte > 0x7f) {
      text += 'M-'
      byte &= 0x7f
    }
    text += byte < 0x20 || byte === 0x7f ? '^' + String.fromCharCode(byte ^ 0x40) : String.fromCharCode(byte)
  }
  return text
}
