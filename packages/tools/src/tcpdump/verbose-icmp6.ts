import { formatIpv6Address, formatMac, hexDump } from '@vnet/wire'
import type { FrameInfo } from '@vnet/wire'

/** Types that say how long they are also with -v, and where their options begin. */
const OPTIONS_AT: Readonly<Record<number, number>> = { 133: 8, 134: 16, 135: 24, 136: 24, 137: 40 }
const OPTION_NAMES: Readonly<Record<number, string>> = {
  1: 'source link-address',
  2: 'destination link-address',
  3: 'prefix info',
  4: 'redirected header',
  5: 'mtu',
  7: 'advertisement interval',
  8: 'homeagent information',
  24: 'route info',
  25: 'rdnss',
  31: 'dnssl',
}

const MLD2_REPORT = 143
const RECORD_LEN = 20
const RECORD_NAMES: readonly string[] = ['', 'is_in', 'is_ex', 'to_in', 'to_ex', 'allow', 'block']

/** ICMPv6 with -v: the length stands behind the title or not at all, and the options of neighbour discovery follow. */
export function icmp6Line(line: string, bytes: Uint8Array, info: FrameInfo, verbose: number): string {
  const at = info.l4Offset!
  const end = info.payloadOffset + info.payloadLength
  const without = line.replace(/, length \d+$/, '')
  if (bytes[at] === MLD2_REPORT) return without + records(bytes, at, end, verbose)
  const optionsAt = OPTIONS_AT[bytes[at] ?? 0]
  if (optionsAt === undefined) return without
  const titled = without.replace(/(ICMP6, [^,]*)/, `$1, length ${end - at}`)
  return titled + advertisement(bytes, at) + options(bytes, at + optionsAt, end, verbose)
}

const NEIGHBOUR_ADVERTISEMENT = 136
const FLAGS: readonly (readonly [number, string])[] = [
  [0x80, 'router'],
  [0x40, 'solicited'],
  [0x20, 'override'],
]

/** What an advertisement says of itself. */
function advertisement(bytes: Uint8Array, at: number): string {
  if (bytes[at] !== NEIGHBOUR_ADVERTISEMENT) return ''
  const set = FLAGS.filter(([bit]) => ((bytes[at + 4] ?? 0) & bit) !== 0).map(([, name]) => name)
  return `, Flags [${set.length === 0 ? 'none' : set.join(', ')}]`
}

/** The groups a multicast listener tells of. */
function records(bytes: Uint8Array, from: number, end: number, verbose: number): string {
  let out = ''
  let at = from + 8
  for (let left = word(bytes, from + 6); left > 0 && at + RECORD_LEN <= end; left--) {
    const sources = word(bytes, at + 2)
    const type = bytes[at]!
    const next = at + RECORD_LEN + sources * 16 + bytes[at + 1]! * 4
    if (next > end) return out
    const list = Array.from(
      { length: sources },
      (_, i) => ` ${formatIpv6Address(bytes, at + RECORD_LEN + i * 16)}`,
    )
    const told = verbose > 1 ? ` {${list.join('')} }` : `, ${sources} source(s)`
    const name = RECORD_NAMES[type] ?? ` [v2-report-#${type}]`
    out += ` [gaddr ${formatIpv6Address(bytes, at + 4)} ${name}${told}]`
    at = next
  }
  return out
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

/** What the options of a hop-by-hop header say, which stands right behind the IPv6 header. */
export function hopByHop(bytes: Uint8Array, at: number): string {
  const end = Math.min(at + (bytes[at + 1]! + 1) * 8, bytes.length)
  let out = ''
  for (let option = at + 2; option < end;) {
    const type = bytes[option]!
    if (type === 0) {
      out += '(pad1) '
      option++
      continue
    }
    const length = bytes[option + 1] ?? 0
    if (type === 1) out += '(padn) '
    else if (type === 5)
      out += `(rtalert: 0x${word(bytes, option + 2)
        .toString(16)
        .padStart(4, '0')}) `
    else out += `(opt_type 0x${type.toString(16).padStart(2, '0')}: len=${length}) `
    option += 2 + length
  }
  return out
}

function options(bytes: Uint8Array, from: number, end: number, verbose: number): string {
  let out = ''
  for (let at = from; at + 2 <= end;) {
    const type = bytes[at]!
    const length = bytes[at + 1]! * 8
    if (length === 0 || at + length > end) return out
    const name = OPTION_NAMES[type] ?? 'unknown'
    out += `\n\t  ${name} option (${type}), length ${length} (${length / 8}): ${content(bytes, at, type)}`
    const indent = verbose > 1 ? '\n\t    ' : OPTION_NAMES[type] === undefined ? '\n\t  ' : null
    if (indent !== null) out += hexDump(bytes, at + 2, length - 2, false).replaceAll('\n\t', indent)
    at += length
  }
  return out
}

function content(bytes: Uint8Array, at: number, type: number): string {
  if (type === 1 || type === 2) return formatMac(bytes, at + 2)
  if (type === 5) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at)
    return ` ${view.getUint32(4, false)}`
  }
  return ''
}
