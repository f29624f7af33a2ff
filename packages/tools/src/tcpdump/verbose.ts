import {
  dissect,
  formatFrame,
  IcmpType,
  IpProto,
  parseArp,
  parseIpv4,
  parseIpv6,
  verifyChecksums,
} from '@vnet/wire'
import type { FrameInfo, Ipv4Header } from '@vnet/wire'
import { sumsOf } from './right-sum.ts'
import type { Sums } from './right-sum.ts'
import { hopByHop, icmp6Line } from './verbose-icmp6.ts'

const NAMES: Readonly<Record<number, string>> = {
  0: 'Options',
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPIP',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  44: 'Fragment',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  103: 'PIM',
  112: 'VRRP',
  132: 'SCTP',
}

/** Adds to a line what -v tells: of ARP the sizes, of IP the header, of what it carries whether the checksum is right. */
export function verboseLine(line: string, bytes: Uint8Array, info: FrameInfo, verbose: number): string {
  if (info.l3Offset === null) return line
  switch (info.l3) {
    case 'arp':
      return arpLine(line, bytes, info.l3Offset)
    case 'ipv4':
      return ipv4Line(line, bytes, info, verbose)
    case 'ipv6':
      return ipv6Line(line, bytes, info, verbose)
    default:
      return line
  }
}

function arpLine(line: string, bytes: Uint8Array, at: number): string {
  if (parseArp(bytes, at, bytes.length - at) === null) return line
  return line.replace(
    /(: |^ARP, )(?=Request|Reply|Reverse|Inverse|Unknown|NACK)/,
    '$1Ethernet (len 6), IPv4 (len 4), ',
  )
}

function ipv4Line(line: string, bytes: Uint8Array, info: FrameInfo, verbose: number): string {
  const ip = parseIpv4(bytes, info.l3Offset!, bytes.length - info.l3Offset!)
  if (ip === null) return line
  const [before, after] = splitAt(line, ip.src)
  const told = `${before}(${ipv4Header(ip, bytes, info.l3Offset!)})\n    ${transport(after, bytes, info, verbose)}`
  // With -e nothing says IP, not even of the packet inside.
  return before.startsWith('IP') ? told : told.replace('\n\tIP (', '\n\t(')
}

function ipv4Header(ip: Ipv4Header, bytes: Uint8Array, at: number): string {
  const flags = `${ip.moreFragments ? '+' : ''}${ip.dontFragment ? 'DF' : ''}`
  // As tcpdump joins the names of bits.
  const shown = flags === '' ? 'none' : flags === '+DF' ? '+, DF' : flags
  const ecn = ['', ',ECT(1)', ',ECT(0)', ',CE'][ip.tos & 3]!
  const wrong =
    ip.checksumOk || ip.checksum === 0
      ? ''
      : `, bad cksum ${hexShort(ip.checksum)} (->${hexShort(rightSum(bytes, at, ip))})!`
  return (
    `tos 0x${ip.tos.toString(16)}${ecn}, ttl ${ip.ttl}, id ${ip.id}, offset ${ip.fragmentOffset}, flags [${shown}], ` +
    `proto ${NAMES[ip.protocol] ?? 'unknown'} (${ip.protocol}), length ${ip.totalLength}${optionsText(ip)}${wrong}`
  )
}

function optionsText(ip: Ipv4Header): string {
  return ip.optionsLength > 0 ? ', options' : ''
}

function rightSum(bytes: Uint8Array, at: number, ip: Ipv4Header): number {
  let sum = 0
  for (let i = 0; i < ip.headerLength; i += 2) {
    if (i !== 10) sum += (bytes[at + i]! << 8) | bytes[at + i + 1]!
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

function hexShort(value: number): string {
  return value.toString(16)
}

function ipv6Line(line: string, bytes: Uint8Array, info: FrameInfo, verbose: number): string {
  const ip = parseIpv6(bytes, info.l3Offset!, bytes.length - info.l3Offset!)
  if (ip === null) return line
  const [before, after] = splitAt(line, ip.src)
  const traffic = ip.trafficClass === 0 ? '' : `class 0x${ip.trafficClass.toString(16).padStart(2, '0')}, `
  const flow = ip.flowLabel === 0 ? '' : `flowlabel 0x${ip.flowLabel.toString(16).padStart(5, '0')}, `
  const payload = (bytes[info.l3Offset! + 4]! << 8) | bytes[info.l3Offset! + 5]!
  const next = `next-header ${NAMES[ip.nextHeader] ?? 'unknown'} (${ip.nextHeader})`
  const head = `${before}(${traffic}${flow}hlim ${ip.hopLimit}, ${next} payload length: ${payload}) `
  const body = transport(after, bytes, info, verbose)
  if (ip.nextHeader !== IpProto.HOPOPTS) return head + body
  return head + body.replace('HBH ', `HBH ${hopByHop(bytes, ip.payloadOffset)}`)
}

/** Where the addresses begin. */
function splitAt(line: string, src: string): readonly [string, string] {
  const from =
    line.indexOf(': ') >= 0 && / > .*ethertype/.test(line) ? line.indexOf(': ', line.indexOf('length')) : 0
  const at = line.indexOf(src, from)
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at)]
}

function transport(text: string, bytes: Uint8Array, info: FrameInfo, verbose: number): string {
  const { l4 } = verifyChecksums(bytes)
  if (info.l4Offset === null || l4 === 'unknown') return text
  const sums = l4 === 'none' ? null : sumsOf(bytes, info)
  switch (info.protocol) {
    case IpProto.UDP:
      return info.l3 === 'ipv4' && verbose < 2 ? text : text.replace(/: (?=\S)/, `: ${udpSum(l4, sums)}`)
    case IpProto.TCP: {
      if (sums === null) return text
      const state = l4 === 'good' ? 'correct' : `incorrect -> 0x${hex4(sums.right)}`
      return text.replace(/(Flags \[[^\]]*\])/, `$1, cksum 0x${hex4(sums.given)} (${state})`)
    }
    case IpProto.ICMP:
      return info.l3 === 'ipv4' ? icmpLine(text, bytes, info, verbose, l4 === 'bad' ? sums : null) : text
    case IpProto.ICMPV6: {
      if (sums === null) return text
      const sum =
        l4 === 'good' ? '[icmp6 sum ok]' : `[bad icmp6 cksum 0x${hex4(sums.given)} -> 0x${hex4(sums.right)}!]`
      return icmp6Line(text.replace('ICMP6, ', `${sum} ICMP6, `), bytes, info, verbose)
    }
    default:
      return text
  }
}

function udpSum(state: string, sums: Sums | null): string {
  if (sums === null) return '[no cksum] '
  return state === 'good'
    ? '[udp sum ok] '
    : `[bad udp cksum 0x${hex4(sums.given)} -> 0x${hex4(sums.right)}!] `
}

function hex4(value: number): string {
  return value.toString(16).padStart(4, '0')
}

/** Kinds that bring the packet along they are about. */
const ICMP_ERRORS: ReadonlySet<number> = new Set([
  IcmpType.DEST_UNREACH,
  IcmpType.REDIRECT,
  IcmpType.TIME_EXCEEDED,
  IcmpType.PARAMETERPROB,
])

/** ICMP: whether the checksum is wrong, and of an error the packet it is about. */
function icmpLine(
  text: string,
  bytes: Uint8Array,
  info: FrameInfo,
  verbose: number,
  wrong: Sums | null,
): string {
  const at = info.l4Offset!
  const end = info.payloadOffset + info.payloadLength
  const sum =
    wrong === null ? '' : ` (wrong icmp cksum ${hexShort(wrong.given)} (->${hexShort(wrong.right)})!)`
  if (!ICMP_ERRORS.has(bytes[at] ?? 0) || end - at < 28) return text + sum
  // The packet inside, as if it had come in a frame of its own.
  const frame = new Uint8Array(14 + end - at - 8)
  frame.set([8, 0], 12)
  frame.set(bytes.subarray(at + 8, end), 14)
  const inner = formatFrame(frame, 0, frame.length, { link: false })
  return `${text}${sum}\n\t${verboseLine(inner, frame, dissect(frame), verbose)}`
}
