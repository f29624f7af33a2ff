/** `on`, `off`, or `n/a` for what is not there. @kernel none */
export function onOff(value: boolean | undefined): string {
  return value === undefined ? 'n/a' : value ? 'on' : 'off'
}

/** One line: label and number, or `n/a` for what is not there. @kernel none */
export function numberLine(label: string, value: number | undefined): string {
  return `${label}${value ?? 'n/a'}\n`
}

/** Bytes as two hexadecimal digits each, with a separator. @kernel none */
export function hexBytes(bytes: Iterable<number>, separator: string): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(separator)
}

/**
 * A dump of bytes, sixteen a line, as `ethtool -e` prints it.
 *
 * @kernel none
 */
export function formatHexDump(bytes: Uint8Array, offset = 0): string {
  let out = 'Offset\t\tValues\n------\t\t------'
  for (const [i, byte] of bytes.entries()) {
    if (i % 16 === 0) out += `\n0x${(i + offset).toString(16).padStart(4, '0')}:\t\t`
    out += `${byte.toString(16).padStart(2, '0')} `
  }
  return `${out}\n`
}
