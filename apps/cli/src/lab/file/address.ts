import { isIP } from 'node:net'

/** `10.0.0.1`, `fd00::1` */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%')
}

/** `10.0.0.1/24`, `fd00::1/64` */
export function isPrefix(text: string): boolean {
  const [, address, length] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  return address !== undefined && isAddress(address) && Number(length) <= (isIP(address) === 6 ? 128 : 32)
}

/** Six bytes, of one card: not of a group. */
export function isEtherAddress(text: string): boolean {
  return /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(text) && !/^0*(:0*)*$/.test(text)
}

/** The six bytes. */
export function etherBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16))
}
