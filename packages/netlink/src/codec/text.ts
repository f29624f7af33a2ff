const REPLACEMENT = 0xfffd

/**
 * The text of UTF-8 bytes up to the first zero byte; what is no UTF-8 becomes U+FFFD.
 *
 * @kernel none
 */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  let out = ''
  for (let at = start; at < end && bytes[at] !== 0;) {
    const first = bytes[at]!
    const extra = extraBytes(first)
    const code = extra < 0 ? -1 : decode(bytes, at, Math.min(end, bytes.length), extra)
    if (code < 0) {
      out += String.fromCodePoint(REPLACEMENT)
      at++
    } else {
      out += String.fromCodePoint(code)
      at += 1 + extra
    }
  }
  return out
}

function extraBytes(first: number): number {
  if (first < 0x80) return 0
  if (first >= 0xc2 && first < 0xe0) return 1
  if (first >= 0xe0 && first < 0xf0) return 2
  return first >= 0xf0 && first < 0xf5 ? 3 : -1
}

const SMALLEST = [0, 0x80, 0x800, 0x10000] as const

function decode(bytes: Uint8Array, at: number, end: number, extra: number): number {
  if (at + extra >= end) return -1
  let code = extra === 0 ? bytes[at]! : bytes[at]! & (0x3f >> extra)
  for (let i = 1; i <= extra; i++) {
    const next = bytes[at + i]!
    if ((next & 0xc0) !== 0x80) return -1
    code = (code << 6) | (next & 0x3f)
  }
  if (code < SMALLEST[extra as 0 | 1 | 2 | 3] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
    return -1
  return code
}
