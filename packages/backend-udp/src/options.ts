import { isIP } from 'node:net'
import { Errno } from '@vnet/kernel'

/**
 * One end of a cable in UDP.
 *
 * @kernel none
 */
export interface UdpAddress {
  /** An IPv4 or IPv6 address; no name, so that nothing is asked of anybody for each datagram. */
  readonly host: string
  readonly port: number
}

/**
 * What both kinds of cable have.
 *
 * @kernel none
 */
export interface UdpCommonOptions {
  /** For logs. Default the address. */
  readonly name?: string
  /** The longest frame, 60 to 65,000 bytes. Default 9,216. */
  readonly maxFrame?: number
  /** Datagrams that may be on their way before the card is refused, 1 to 4,096. Default 64. */
  readonly slots?: number
}

/** @throws Errno EINVAL for what makes no sense anywhere */
export function checkCommon(options: UdpCommonOptions): void {
  range('maxFrame', options.maxFrame ?? 9216, 60, 65_000)
  range('slots', options.slots ?? 64, 1, 4096)
}

/** @throws Errno EINVAL */
export function checkAddress(what: string, address: UdpAddress, leastPort: number): void {
  if (isIP(address.host) === 0) {
    throw new Errno('EINVAL', `${what}: '${address.host}' is no IPv4 or IPv6 address`, what)
  }
  range(`${what}: port`, address.port, leastPort, 65_535)
}

/** @throws Errno EINVAL when not all are IPv4, or all IPv6 */
export function sameFamily(hosts: readonly string[]): 4 | 6 {
  const families = new Set(hosts.map((host) => isIP(host)))
  if (families.size === 1) return families.has(6) ? 6 : 4
  throw new Errno('EINVAL', `${hosts.join(', ')}: both IPv4 and IPv6`, 'remote')
}

/** @throws Errno EINVAL for a number that is no integer, or out of range */
export function range(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new Errno('EINVAL', `${what} is ${value}, must be from ${least} to ${most}`, what)
}

/** An address as text, with its port. */
export function addressText({ host, port }: UdpAddress): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}
