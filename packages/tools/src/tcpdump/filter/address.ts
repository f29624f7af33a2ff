import { parseIpv4Address, parseIpv6Address } from '@vnet/wire'
import { FilterError } from './packet.ts'

/** An address and the bits of it that count. */
export interface Net {
  readonly bytes: Uint8Array
  readonly mask: Uint8Array
}

/** An address of a host: 4 or 16 bytes. @throws FilterError */
export function hostOf(text: string): Uint8Array {
  const bytes = text.includes(':') ? parseIpv6Address(text) : ipv4(text)
  if (bytes === null) throw new FilterError(`unknown host '${text}'`)
  return bytes
}

/** `10.0.0.0/8`, `10.1`, `fe80::/10`, or an address with a mask behind it. @throws FilterError */
export function netOf(text: string, maskText: string | null): Net {
  const [address = '', bits] = text.split('/')
  const isV6 = address.includes(':')
  const bytes = isV6 ? parseIpv6Address(address) : shortIpv4(address)
  if (bytes === null) throw new FilterError(`unknown network '${text}'`)
  const whole = isV6 ? 16 : 4
  const parts = isV6 ? 16 : address.split('.').length
  const mask = maskText === null ? prefixMask(bitsOf(bits, parts * 8, whole * 8), whole) : ipv4(maskText)
  if (mask?.length !== whole) throw new FilterError()
  if (bytes.some((byte, i) => (byte & ~mask[i]!) !== 0)) {
    const shown = maskText === null ? text : `${text} mask ${maskText}`
    throw new FilterError(`non-network bits set in "${shown}"`)
  }
  return { bytes, mask }
}

/** True when an address is inside. */
export function isIn(address: Uint8Array | null, { bytes, mask }: Net): boolean {
  return address?.length === bytes.length && address.every((byte, i) => (byte & mask[i]!) === bytes[i])
}

function bitsOf(text: string | undefined, otherwise: number, most: number): number {
  if (text === undefined) return otherwise
  const bits = /^\d+$/.test(text) ? Number(text) : NaN
  if (!(bits <= most)) throw new FilterError(`mask length must be <= ${most}`)
  return bits
}

function prefixMask(bits: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 0xff << Math.max(0, Math.min(8, 8 - (bits - i * 8))))
}

function ipv4(text: string): Uint8Array | null {
  const address = parseIpv4Address(text)
  return address === null ? null : Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address)
}

/** With parts left out at the end. */
function shortIpv4(text: string): Uint8Array | null {
  const parts = text.split('.')
  while (parts.length < 4) parts.push('0')
  return ipv4(parts.join('.'))
}
