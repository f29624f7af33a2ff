/** An IPv4 address with dots. @kernel %pI4 lib/vsprintf.c */
export function dotted(address: Uint8Array): string {
  return address.join('.')
}

/** Bytes as hexadecimal digits without anything between. @kernel %pi6 lib/vsprintf.c */
export function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** An IPv4 address as the kernel prints the word it lies in: little-endian, so backwards. @kernel %08X */
export function wordHex(address: Uint8Array): string {
  return hexBytes(address.slice().reverse()).toUpperCase()
}
