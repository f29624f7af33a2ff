import { IpProto } from '../ip-protocol.ts'
import type { Printer } from './printer.ts'

/** Types without anything worth printing behind their name. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [4, 'source quench'],
  [10, 'router solicitation'],
  [15, 'information request'],
  [16, 'information reply'],
  [17, 'address mask request'],
])

/** What an unreachable message says by its code; % stands for the packet's destination. */
const UNREACHABLE: readonly (string | undefined)[] = [
  'net % unreachable',
  'host % unreachable',
  undefined,
  undefined,
  undefined,
  '% unreachable - source route failed',
  'net % unreachable - unknown',
  'host % unreachable - unknown',
  '% unreachable - source host isolated',
  'net % unreachable - admin prohibited',
  'host % unreachable - admin prohibited',
  'net % unreachable - tos prohibited',
  'host % unreachable - tos prohibited',
  'host % unreachable - admin prohibited filter',
  'host % unreachable - host precedence violation',
  'host % unreachable - precedence cutoff',
]

const REDIRECT = [
  'redirect % to net ',
  'redirect % to host ',
  'redirect-tos % to net ',
  'redirect-tos % to host ',
]

/** Prints an ICMP message. */
export function printIcmp(p: Printer, at: number, length: number): void {
  p.protocol = 'icmp'
  const type = p.u8(at)
  const text = describe(p, at, type, p.u8(at + 1))
  p.add(`ICMP ${text}, length ${length}`)
}

function describe(p: Printer, at: number, type: number, code: number): string {
  switch (type) {
    case 0:
    case 8:
      return `echo ${type === 8 ? 'request' : 'reply'}, id ${p.u16(at + 4)}, seq ${p.u16(at + 6)}`
    case 3:
      return unreachable(p, at, code)
    case 5: {
      const form = REDIRECT[code] ?? `redirect-#${code} % to `
      return form.replace('%', p.ipv4(at + 24)) + p.ipv4(at + 4)
    }
    case 9:
      return routerAdvertisement(p, at)
    case 11:
      p.need(at + 24, 4)
      if (code === 0) return 'time exceeded in-transit'
      return code === 1 ? 'ip reassembly time exceeded' : `time exceeded-#${code}`
    case 12:
      return code === 0 ? `parameter problem - octet ${p.u8(at + 4)}` : `parameter problem - code ${code}`
    case 13:
      return `time stamp query id ${p.u16(at + 4)} seq ${p.u16(at + 6)}`
    case 14:
      p.need(at + 16, 4)
      return (
        `time stamp reply id ${p.u16(at + 4)} seq ${p.u16(at + 6)}: org ${timeOfDay(p.u32(at + 8))}, ` +
        `recv ${timeOfDay(p.u32(at + 12))}, xmit ${timeOfDay(p.u32(at + 16))}`
      )
    case 18:
      return `address mask is 0x${p
        .u32(at + 8)
        .toString(16)
        .padStart(8, '0')}`
    default:
      return NAMES.get(type) ?? `type-#${type}`
  }
}

/** The packet that could not be delivered begins at byte 8: its destination is at 24, its protocol at 17. */
function unreachable(p: Printer, at: number, code: number): string {
  if (code === 3) {
    p.need(at + 17, 1)
    const port = p.u16(at + 8 + (p.u8(at + 8) & 15) * 4 + 2)
    const protocol = p.u8(at + 17)
    const dst = p.ipv4(at + 24)
    if (protocol === IpProto.TCP) return `${dst} tcp port ${port} unreachable`
    if (protocol === IpProto.UDP) return `${dst} udp port ${port} unreachable`
    return `${dst} protocol ${protocol} port ${port} unreachable`
  }
  if (code === 4) {
    const mtu = p.u16(at + 6)
    return `${p.ipv4(at + 24)} unreachable - need to frag${mtu === 0 ? '' : ` (mtu ${mtu})`}`
  }
  const dst = p.ipv4(at + 24)
  if (code === 2) return `${dst} protocol ${p.u8(at + 17)} unreachable`
  return UNREACHABLE[code]?.replace('%', dst) ?? `${dst} unreachable - #${code}`
}

function routerAdvertisement(p: Printer, at: number): string {
  p.need(at + 4, 4)
  const count = p.u8(at + 4)
  const size = p.u8(at + 5)
  let text = `router advertisement lifetime ${lifetime(p.u16(at + 6))} ${count}:`
  if (size !== 2) return text + ` [size ${size}]`
  for (let i = 0; i < count; i++) text += ` {${p.ipv4(at + 8 + i * 8)} ${p.u32(at + 12 + i * 8)}}`
  return text
}

/** Seconds as 59, 1:00 or 1:00:00. */
function lifetime(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  if (seconds < 60) return String(seconds)
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

/** Milliseconds since midnight as 01:02:03.004. */
function timeOfDay(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')}.${String(milliseconds % 1000).padStart(3, '0')}`
}
