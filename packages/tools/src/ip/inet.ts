import { IpError } from '@vnet/netdev'
import { Af } from '@vnet/netlink'
import { formatIpv4Address, formatIpv6Address, parseIpv4Address, parseIpv6Address } from '@vnet/wire'
import { wrongArgument } from './error.ts'

/** An address or a network. @kernel inet_prefix none */
export interface InetPrefix {
  readonly family: number
  readonly bytes: Uint8Array
  readonly length: number
  /** A length was written. */
  readonly explicit: boolean
}

/** Bits of a whole address. */
export function bitsOf(family: number): number {
  return family === Af.INET6 ? 128 : 32
}

/** @kernel family_name() none */
export function familyName(family: number): string {
  if (family === Af.INET) return 'inet'
  if (family === Af.INET6) return 'inet6'
  if (family === Af.PACKET) return 'link'
  return family === Af.BRIDGE ? 'bridge' : '???'
}

/** An address as text; hexadecimal when it belongs to no family that is known. @kernel format_host_rta() none */
export function addressText(family: number, bytes: Uint8Array): string {
  if (family === Af.INET && bytes.length === 4)
    return formatIpv4Address(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0))
  if (family === Af.INET6 && bytes.length === 16) return formatIpv6Address(bytes)
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function parseAddress(text: string, family: number): { family: number; bytes: Uint8Array } | null {
  if (family !== Af.INET && text.includes(':')) {
    const bytes = parseIpv6Address(text)
    return bytes === null ? null : { family: Af.INET6, bytes }
  }
  if (family === Af.INET6) return null
  const number = parseIpv4Address(text)
  if (number === null) return null
  return { family: Af.INET, bytes: Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number) }
}

function verbose(family: number): string {
  return family === Af.UNSPEC ? 'any valid' : familyName(family)
}

/** @throws IpError @kernel get_addr() none */
export function parseInetAddress(text: string, family: number): InetPrefix {
  const zero = anyAddress(text, family)
  const parsed = zero ?? parseAddress(text, family)
  if (parsed === null) {
    throw new IpError(1, `Error: ${verbose(family)} address is expected rather than "${text}".`)
  }
  return { ...parsed, length: bitsOf(parsed.family), explicit: false }
}

function anyAddress(text: string, family: number) {
  if (!['default', 'all', 'any'].includes(text)) return null
  const own = family === Af.UNSPEC ? Af.INET : family
  return { family: own, bytes: new Uint8Array(bitsOf(own) / 8) }
}

/** `10.0.0.1/24`, `fe80::1`, `default`. @throws IpError @kernel get_prefix() none */
export function parsePrefix(text: string, family: number): InetPrefix {
  const zero = anyAddress(text, family)
  if (zero !== null) return { ...zero, length: 0, explicit: true }
  const slash = text.indexOf('/')
  const parsed = parseAddress(slash < 0 ? text : text.slice(0, slash), family)
  const length =
    parsed === null ? null : prefixLength(slash < 0 ? null : text.slice(slash + 1), parsed.family)
  if (parsed === null || length === null) {
    throw new IpError(1, `Error: ${verbose(family)} prefix is expected rather than "${text}".`)
  }
  return { ...parsed, length, explicit: slash >= 0 }
}

/** The number behind the slash, or a netmask; null: neither. */
function prefixLength(text: string | null, family: number): number | null {
  const most = bitsOf(family)
  if (text === null) return most
  if (/^\d{1,3}$/.test(text)) return Number(text) <= most ? Number(text) : null
  const mask = family === Af.INET ? parseIpv4Address(text) : null
  if (mask === null) return null
  const ones = Math.clz32(~mask)
  return (mask << ones) >>> 0 === 0 || ones === 32 ? ones : null
}

/** True when the address is in the network. */
export function inPrefix(prefix: InetPrefix, family: number, bytes: Uint8Array): boolean {
  if (family !== prefix.family || bytes.length !== prefix.bytes.length) return false
  for (let bit = 0; bit < prefix.length; bit++) {
    const mask = 0x80 >> (bit & 7)
    if (((bytes[bit >> 3]! ^ prefix.bytes[bit >> 3]!) & mask) !== 0) return false
  }
  return true
}

/** Names of `/etc/iproute2/rt_scopes`. */
const SCOPES: Readonly<Record<number, string>> = {
  0: 'global',
  200: 'site',
  253: 'link',
  254: 'host',
  255: 'nowhere',
}
/** Names of `/etc/iproute2/rt_tables`. */
const TABLES: Readonly<Record<number, string>> = { 253: 'default', 254: 'main', 255: 'local' }
/** Names of `/etc/iproute2/rt_protos`. */
const PROTOS: Readonly<Record<number, string>> = {
  0: 'unspec',
  1: 'redirect',
  2: 'kernel',
  3: 'boot',
  4: 'static',
  8: 'gated',
  9: 'ra',
  10: 'mrt',
  11: 'zebra',
  12: 'bird',
  13: 'dnrouted',
  14: 'xorp',
  15: 'ntk',
  16: 'dhcp',
  18: 'keepalived',
  42: 'babel',
}

/** @kernel rtnl_rtscope_n2a() none */
export function scopeName(scope: number): string {
  return SCOPES[scope] ?? `${scope}`
}

/** @kernel rtnl_rttable_n2a() none */
export function tableName(table: number): string {
  return TABLES[table] ?? `${table}`
}

/** @kernel rtnl_rtprot_n2a() none */
export function protoName(proto: number): string {
  return PROTOS[proto] ?? `${proto}`
}

function numberOf(names: Readonly<Record<number, string>>, word: string, most: number): number | null {
  const known = Object.entries(names).find(([, name]) => name === word)
  if (known !== undefined) return Number(known[0])
  return /^\d+$/.test(word) && Number(word) <= most ? Number(word) : null
}

/** @throws IpError @kernel rtnl_rtscope_a2n() none */
export function scopeNumber(word: string, why: string): number {
  const number = word === 'universe' ? 0 : numberOf(SCOPES, word, 255)
  if (number === null) throw wrongArgument(word, why)
  return number
}

/** @throws IpError @kernel rtnl_rttable_a2n() none */
export function tableNumber(word: string): number {
  const number = numberOf(TABLES, word, 0xffffffff)
  if (number === null) throw wrongArgument(word, '"table" value is invalid')
  return number
}

/** @throws IpError @kernel rtnl_rtprot_a2n() none */
export function protoNumber(word: string): number {
  const number = numberOf(PROTOS, word, 255)
  if (number === null) throw wrongArgument(word, '"protocol" value is invalid')
  return number
}
