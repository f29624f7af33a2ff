import { parseMac } from '@vnet/wire'
import { hostOf, isIn, netOf } from './address.ts'
import { ETHER_PROTOCOLS, IP_PROTOCOLS, SERVICES } from './names.ts'
import { addressOf, carriedProtocol, FilterError } from './packet.ts'
import type { FilterPacket, FilterTest } from './packet.ts'

/** What stands in front of a name: `tcp dst port` 80. */
export interface Qualifiers {
  readonly proto: string | null
  readonly dir: 'src' | 'dst' | 'either' | 'both'
  readonly type: 'host' | 'net' | 'port' | 'portrange' | 'proto'
}

/** Which network layer an address is looked for in. */
const LAYERS: Readonly<Record<string, FilterPacket['info']['l3']>> = { ip: 'ipv4', ip6: 'ipv6', arp: 'arp' }
const PORT_PROTOCOLS: ReadonlySet<number> = new Set([6, 17, 132])

/** The test of one name with what stands in front of it. @throws FilterError */
export function primitive(q: Qualifiers, id: string, mask: string | null): FilterTest {
  if (q.type === 'proto') return protoTest(q.proto, id)
  if (q.type === 'port' || q.type === 'portrange') return portTest(q, id)
  if (q.proto === 'ether' || q.proto === 'link') return etherHost(q, id)
  if (q.proto !== null && LAYERS[q.proto] === undefined) {
    throw new FilterError(`'${q.proto}' modifier applied to ${q.type}`)
  }
  if (parseMac(id) !== null && id.split(':').length === 6) {
    throw new FilterError('ethernet address used in non-ether expression')
  }
  return addressTest(q, id, mask)
}

/** Joins what is asked of the source with what is asked of the destination. */
function inDirection(
  q: Qualifiers,
  one: (packet: FilterPacket, which: 'src' | 'dst') => boolean,
): FilterTest {
  switch (q.dir) {
    case 'src':
      return (packet) => one(packet, 'src')
    case 'dst':
      return (packet) => one(packet, 'dst')
    case 'both':
      return (packet) => one(packet, 'src') && one(packet, 'dst')
    case 'either':
      return (packet) => one(packet, 'src') || one(packet, 'dst')
  }
}

function addressTest(q: Qualifiers, id: string, mask: string | null): FilterTest {
  const whole = (): { bytes: Uint8Array; mask: Uint8Array } => {
    const bytes = hostOf(id)
    return { bytes, mask: new Uint8Array(bytes.length).fill(0xff) }
  }
  const net = q.type === 'net' || id.includes('/') ? netOf(id, mask) : whole()
  const layer = q.proto === null ? null : LAYERS[q.proto]
  const test = inDirection(q, (packet, which) => isIn(addressOf(packet, which), net))
  return layer === null ? test : (packet) => packet.info.l3 === layer && test(packet)
}

function etherHost(q: Qualifiers, id: string): FilterTest {
  const mac = parseMac(id)
  if (mac === null || q.type !== 'host') throw new FilterError()
  return inDirection(q, ({ bytes }, which) => {
    const at = which === 'dst' ? 0 : 6
    return bytes.length >= 14 && mac.every((byte, i) => byte === bytes[at + i])
  })
}

function portTest(q: Qualifiers, id: string): FilterTest {
  const [low, high] = q.type === 'port' ? [portOf(id), portOf(id)] : rangeOf(id)
  const wanted = q.proto === null ? null : IP_PROTOCOLS.get(q.proto)
  if (wanted === undefined || (wanted !== null && !PORT_PROTOCOLS.has(wanted))) {
    throw new FilterError("illegal qualifier of 'port'")
  }
  const test = inDirection(q, ({ info }, which) => {
    const port = which === 'src' ? info.srcPort : info.dstPort
    return port !== null && port >= low && port <= high
  })
  return wanted === null ? test : (packet) => carriedProtocol(packet) === wanted && test(packet)
}

function rangeOf(id: string): readonly [number, number] {
  const [low = '', high] = id.split('-')
  const ports = [portOf(low), portOf(high ?? low)]
  return [Math.min(...ports), Math.max(...ports)]
}

function portOf(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : SERVICES.get(text)
  if (port === undefined) throw new FilterError(`unknown port '${text}'`)
  if (port > 65535) throw new FilterError(`illegal port number ${port} > 65535`)
  return port
}

function protoTest(proto: string | null, id: string): FilterTest {
  if (proto === 'ether' || proto === 'link') {
    const type = numberOf(id, ETHER_PROTOCOLS)
    return ({ info }) => info.etherType === type
  }
  const protocol = numberOf(id, IP_PROTOCOLS)
  if (proto === null) return (packet) => carriedProtocol(packet) === protocol
  const layer = LAYERS[proto]
  if (layer === undefined || layer === 'arp') throw new FilterError(`'${proto}' modifier applied to proto`)
  return (packet) => packet.info.l3 === layer && carriedProtocol(packet) === protocol
}

function numberOf(text: string, names: ReadonlyMap<string, number>): number {
  if (/^(0x[\da-f]+|\d+)$/i.test(text)) return Number(text)
  const number = names.get(text)
  if (number === undefined) throw new FilterError(`unknown protocol '${text}'`)
  return number
}

/** A protocol's name by itself; null when it is none. */
export function protocolTest(name: string): FilterTest | null {
  const type = ETHER_PROTOCOLS.get(name)
  if (type !== undefined) return ({ info }) => info.etherType === type
  const protocol = IP_PROTOCOLS.get(name)
  if (protocol === undefined) return null
  const layer = name === 'icmp' || name === 'igmp' ? 'ipv4' : name === 'icmp6' ? 'ipv6' : null
  return (packet) => carriedProtocol(packet) === protocol && (layer === null || packet.info.l3 === layer)
}

/** `broadcast` and `multicast`, of Ethernet unless said otherwise. @throws FilterError */
export function groupTest(proto: string | null, kind: 'broadcast' | 'multicast'): FilterTest {
  if (proto === null || proto === 'ether' || proto === 'link') {
    if (kind === 'multicast') return ({ bytes }) => bytes.length >= 6 && (bytes[0]! & 1) === 1
    return ({ bytes }) => bytes.length >= 6 && bytes.subarray(0, 6).every((byte) => byte === 0xff)
  }
  const dst = (packet: FilterPacket, layer: string): Uint8Array | null =>
    packet.info.l3 === layer ? addressOf(packet, 'dst') : null
  if (proto === 'ip' && kind === 'multicast') return (packet) => (dst(packet, 'ipv4')?.[0] ?? 0) >= 224
  if (proto === 'ip6' && kind === 'multicast') return (packet) => dst(packet, 'ipv6')?.[0] === 0xff
  if (proto === 'ip') return (packet) => dst(packet, 'ipv4')?.every((byte) => byte === 0xff) === true
  throw new FilterError(`only link-layer/IP ${kind} filters supported`)
}
