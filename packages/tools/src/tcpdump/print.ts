import { dissect, formatFrame, formatTime, hexDump, TcpFlows } from '@vnet/wire'
import type { FrameInfo } from '@vnet/wire'
import { shortTime } from '../text/time.ts'
import type { Captured } from './captured.ts'
import type { TcpdumpOptions } from './options.ts'
import { quietLine } from './quiet.ts'
import { verboseLine } from './verbose.ts'

const ETH_HLEN = 14
const SLL2_HLEN = 20
/** How `-i any` shows which way a packet went. */
const DIRECTIONS: readonly string[] = ['In', 'B', 'M', 'P', 'Out']

/** Prints packets, each as one line and what was asked for behind it. Keeps what one packet needs of those before. */
export class PacketPrinter {
  readonly #options: TcpdumpOptions
  readonly #flows: TcpFlows | null
  #count = 0
  #first: Captured | null = null
  #last: Captured | null = null

  constructor(options: TcpdumpOptions) {
    this.#options = options
    this.#flows = options.absolute ? null : new TcpFlows()
  }

  /** @param any - the device's name, when packets of all are captured */
  print(packet: Captured, info: FrameInfo, any: string | null): string {
    const options = this.#options
    this.#count++
    this.#first ??= packet
    const number = options.number ? `${String(this.#count).padStart(5)}  ` : ''
    const line =
      number +
      this.#time(packet) +
      (any === null ? this.#line(packet, info) : this.#cooked(packet, info, any))
    this.#last = packet
    return `${line}${this.#dump(packet, info)}\n`
  }

  #line(packet: Captured, info: FrameInfo): string {
    const { link, quiet, verbose, hex, ascii } = this.#options
    const line = formatFrame(packet.bytes, 0, packet.bytes.length, {
      wireLength: packet.length,
      link,
      dump: true,
      ...(this.#flows === null ? {} : { flows: this.#flows }),
    })
    const [first = '', ...dump] = line.split('\n')
    if (quiet) return quietLine(first, info)
    // Who asks for a dump of everything gets no other.
    if (hex > 0 || ascii > 0) dump.length = 0
    const told = verbose === 0 ? first : verboseLine(first, packet.bytes, info, verbose)
    return [told, ...dump].join('\n')
  }

  /** As the cooked link layer of `-i any`: device and direction in front, no Ethernet header. */
  #cooked(packet: Captured, info: FrameInfo, device: string): string {
    const direction = (DIRECTIONS[packet.pkttype] ?? '?').padEnd(3)
    const front = `${device.padEnd(5)} ${direction} `
    const line = this.#line(packet, info)
    if (!this.#options.link) return front + line
    // With -e: the sender alone, and the length of the cooked packet.
    const length = packet.length - ETH_HLEN + SLL2_HLEN
    const body = line.replace(/^\S+ > \S+, (ethertype .*?, length )\d+/, `${info.srcMac ?? ''} $1${length}`)
    return `${front}ifindex ${packet.ifindex} ${body}`
  }

  #time(packet: Captured): string {
    const { time, nanoseconds } = this.#options
    const digits = nanoseconds ? 9 : 6
    switch (time) {
      case 0:
        return `${formatTime(packet.tsSec, packet.tsNsec, 'day', digits)} `
      case 1:
        return ''
      case 2:
        return `${formatTime(packet.tsSec, packet.tsNsec, 'epoch', digits)} `
      case 4: {
        const [day] = shortTime(packet.tsSec).split('T')
        return `${day!} ${formatTime(packet.tsSec, packet.tsNsec, 'day', digits)} `
      }
      default:
        return ` ${since(packet, (time === 3 ? this.#last : this.#first) ?? packet, digits)} `
    }
  }

  #dump({ bytes }: Captured, info: FrameInfo): string {
    const { hex, ascii, text } = this.#options
    const header = Math.min(info.l3Offset ?? ETH_HLEN, bytes.length)
    if (ascii > 0 || hex > 0) {
      const from = (ascii > 0 ? ascii : hex) > 1 ? 0 : header
      return hexDump(bytes, from, bytes.length - from, ascii > 0)
    }
    return text ? `\n${asText(bytes.subarray(header))}` : ''
  }
}

/** The time between two packets. */
function since(packet: Captured, earlier: Captured, digits: 6 | 9): string {
  const unit = digits === 9 ? 1 : 1000
  let sec = packet.tsSec - earlier.tsSec
  let fraction = Math.floor(packet.tsNsec / unit) - Math.floor(earlier.tsNsec / unit)
  if (fraction < 0) {
    sec--
    fraction += 10 ** digits
  }
  return formatTime(sec, fraction * unit, 'day', digits)
}

/** Bytes as -A shows them: what cannot be printed is a dot, line ends stay. */
function asText(bytes: Uint8Array): string {
  let out = ''
  for (const [i, byte] of bytes.entries()) {
    if (byte === 13) {
      if (bytes[i + 1] !== 10) out += '.'
    } else if (byte === 9 || byte === 10 || (byte >= 32 && byte < 127)) out += String.fromCharCode(byte)
    else out += '.'
  }
  return out
}

/** What a packet is, for filters and for the lines. */
export function infoOf({ bytes }: Captured): FrameInfo {
  return dissect(bytes)
}
