import { Errno } from '@vnet/kernel'
import { close, setsockopt, socket } from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { addressText } from '../ip/inet.ts'
import { clockGettime } from './clock.ts'
import { loop } from './loop.ts'
import { parsePing, PingError, type PingOptions } from './options.ts'
import { probe } from './probe.ts'
import { isElsewhere, sourceText, useDevice, useSource } from './source.ts'
import { PingTally } from './tally.ts'

const SOCK_DGRAM = 2
const [IPPROTO_ICMP, IPPROTO_ICMPV6] = [1, 58]
const [SOL_SOCKET, SO_BROADCAST, SO_SNDBUF, SO_MARK] = [1, 6, 7, 36]
const [SOL_IP, IP_TOS, IP_TTL, IP_MTU_DISCOVER, IP_RECVERR, IP_RECVTTL, IP_MULTICAST_TTL] = [
  0, 1, 2, 10, 11, 12, 33,
]
const [SOL_IPV6, IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS, IPV6_MTU_DISCOVER] = [41, 16, 18, 23]
const [IPV6_RECVERR, IPV6_RECVHOPLIMIT, IPV6_TCLASS] = [25, 51, 67]

/** One run of ping: its socket, what it asks for, what it has seen. */
export interface PingRun {
  readonly process: Process
  readonly options: PingOptions
  readonly fd: number
  /** Where the requests go, as a `sockaddr`. */
  readonly to: Uint8Array
  readonly tally: PingTally
  /** When each request went, by number. */
  readonly sentAt: Map<number, number>
}

/**
 * `ping`, as iputils prints and ends: 0 when something answered, 1 when nothing did, 2 for another trouble.
 *
 * @kernel none
 */
export function* ping(process: Process): Syscalls<number> {
  try {
    return yield* run(process, parsePing(process.argv))
  } catch (error) {
    if (error instanceof PingError) {
      const out = `${error.message}\n`
      if (error.exitCode === 0) process.stdout(out)
      else process.stderr(out)
      return error.exitCode
    }
    if (!(error instanceof Errno)) throw error
    process.stderr(`ping: ${error.message}\n`)
    return 2
  }
}

function* run(process: Process, options: PingOptions): Syscalls<number> {
  const { family, pattern } = options
  if (pattern.length > 0) process.stdout(`PATTERN: 0x${pattern.map(hexByte).join('')}\n`)
  const way = yield* probe(process, options)
  const fd = yield* socket(process, family, SOCK_DGRAM, family === 2 ? IPPROTO_ICMP : IPPROTO_ICMPV6)
  yield* prepare(process, fd, options)
  if (yield* isElsewhere(process, fd, way.from, options.device)) {
    process.stderr(
      `ping: Warning: source address might be selected on device other than: ${options.device}\n`,
    )
  }
  process.stdout(
    `PING ${title(options)}${yield* sourceText(process, fd, way.from, options)}${sizes(options)}\n`,
  )
  const tally = new PingTally(yield* clockGettime(process, 1))
  yield* loop({ process, options, fd, to: way.to, tally, sentAt: new Map() })
  process.stdout(tally.text(options.target, options.flood || options.intervalNs === 0))
  yield* close(fd)
  const short = options.deadlineNs > 0 && tally.received < options.count
  return tally.received === 0 || short ? 1 : 0
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

function title({ family, target, address, zone }: PingOptions): string {
  const text = addressText(family, address)
  if (family === 2) return `${target} (${text}) `
  return `${target}(${text}${zone === '' ? '' : `%${zone}`}) `
}

function sizes({ family, size }: PingOptions): string {
  return family === 2 ? `${size}(${size + 28}) bytes of data.` : `${size} data bytes`
}

function* prepare(process: Process, fd: number, options: PingOptions): Syscalls<void> {
  const { family, ttl, tos, mtuDiscover } = options
  const set = (name4: number, name6: number, value: number): Syscalls<number> =>
    setsockopt(process, fd, family === 2 ? SOL_IP : SOL_IPV6, family === 2 ? name4 : name6, value)
  yield* useDevice(process, fd, options)
  yield* set(IP_RECVERR, IPV6_RECVERR, 1)
  yield* set(IP_RECVTTL, IPV6_RECVHOPLIMIT, 1)
  if (ttl >= 0) yield* refusable('cannot set unicast time-to-live', set(IP_TTL, IPV6_UNICAST_HOPS, ttl))
  if (ttl >= 0) yield* set(IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, ttl)
  if (tos >= 0) yield* set(IP_TOS, IPV6_TCLASS, tos)
  if (mtuDiscover >= 0) yield* set(IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, mtuDiscover)
  if (options.broadcast) yield* setsockopt(process, fd, SOL_SOCKET, SO_BROADCAST, 1)
  if (options.sndbuf > 0) yield* setsockopt(process, fd, SOL_SOCKET, SO_SNDBUF, options.sndbuf)
  if (options.mark > 0) yield* setsockopt(process, fd, SOL_SOCKET, SO_MARK, options.mark)
  yield* useSource(process, fd, options)
}

function* refusable(what: string, call: Syscalls<number>): Syscalls<void> {
  try {
    yield* call
  } catch (error) {
    if (error instanceof Errno) throw new PingError(`ping: ${what}: ${error.message}`)
    throw error
  }
}
