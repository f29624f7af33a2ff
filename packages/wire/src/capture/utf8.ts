import { HEX } from '../mac.ts'

/** Makes text of UTF-8 bytes; bytes that are none are taken one by one. (TextDecoder is no part of the language.) */
export function utf8Decode(bytes: Uint8Array): string {
  let escaped = ''
  let plain = ''
  for (const byte of bytes) {
    escaped += '%' + HEX[byte]!
    plain += String.fromCharCode(byte)
  }
  try {
    return decodeURIComponent(escaped)
  } catch {
    return plain
  }
}

/** Makes UTF-8 bytes of text. */
export function utf8Encode(text: string): Uint8Array {
  const escaped = encodeURIComponent(text)
  const bytes: number[] = []
  for (let i = 0; i < escaped.length; i++) {
    const byte = escaped[i] === '%' ? parseInt(escaped.slice(i + 1, i + 3), 16) : escaped.charCodeAt(i)
    if (escaped[i] === '%') i += 2
    bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}
