import { Errno } from '@vnet/kernel'
import { bind, close, connect, getsockname, poll, sendto, setsockopt, socket } from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { clockGettime } from './clock.ts'
import { parsePing, PingError, type PingOptions } from './options.ts'
import { receiveAll } from './receive.ts'
import { scopeOf, sockaddr, sourceText, useSource } from './source.ts'
import { PingTally } from './tally.ts'

const SOCK_DGRAM = 2
const [IPPROTO_ICMP, IPPROTO_ICMPV6] = [1, 58]
const [SOL_SOCKET, SO_BROADCAST] = [1, 6]
const [SOL_IP, IP_TOS, IP_TTL, IP_MTU_DISCOVER, IP_RECVERR, IP_RECVTTL] = [0, 1, 2, 10, 11, 12]
const [SOL_IPV6, IPV6_UNICAST_HOPS, IPV6_MTU_DISCOVER, IPV6_RECVERR, IPV6_RECVHOPLIMIT, IPV6_TCLASS] = [
  41, 16, 23, 25, 51, 67,
]
const FLOOD_GAP_NS = 10_000_000
const SECOND_NS = 1_000_000_000

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
  const way = yield* probe(process, options)
  const { family } = options
  const fd = yield* socket(process, family, SOCK_DGRAM, family === 2 ? IPPROTO_ICMP : IPPROTO_ICMPV6)
  yield* prepare(process, fd, options)
  const from = options.source === '' ? '' : sourceText(way.from, options)
  const header = family === 2 ? 28 : 48
  const name = family === 2 ? `${options.target} (${options.target})` : `${options.target}(${options.target})`
  const bytes =
    family === 2 ? `${options.size}(${options.size + header}) bytes of data.` : `${options.size} data bytes`
  process.stdout(`PING ${name} ${from}${bytes}\n`)
  const tally = new PingTally(yield* clockGettime(process, 1))
  const ping: PingRun = { process, options, fd, to: way.to, tally, sentAt: new Map() }
  yield* loop(ping)
  process.stdout(tally.text(options.target, options.flood))
  yield* close(fd)
  return tally.received > 0 ? 0 : 1
}

/** The way there: our address on it, and theirs with the device. */
interface Way {
  readonly from: Uint8Array
  readonly to: Uint8Array
}

/** Finds out beforehand whether there is a way at all. @throws PingError */
function* probe(process: Process, options: PingOptions): Syscalls<Way> {
  const { family, address } = options
  const fd = yield* socket(process, options.family, SOCK_DGRAM, 0)
  try {
    yield* useSource(process, fd, options)
    if (options.broadcast) yield* setsockopt(process, fd, SOL_SOCKET, SO_BROADCAST, 1)
    const scope = yield* scopeOf(process, fd, options)
    yield* connect(process, fd, sockaddr(family, address, 1025, scope))
    if (options.broadcast) process.stderr('WARNING: pinging broadcast address\n')
    return { from: yield* getsockname(process, fd), to: sockaddr(family, address, 0, scope) }
  } catch (error) {
    if (!(error instanceof Errno) || error instanceof PingError) throw error
    if (error.code === 'EACCES')
      throw new PingError(
        'ping: Do you want to ping broadcast? Then -b. If not, check your local firewall rules',
      )
    throw new PingError(`ping: connect: ${error.message}`)
  } finally {
    yield* close(fd)
  }
}

function* prepare(process: Process, fd: number, options: PingOptions): Syscalls<void> {
  const { family, ttl, tos, mtuDiscover } = options
  const set = (name4: number, name6: number, value: number): Syscalls<number> =>
    family === 2
      ? setsockopt(process, fd, SOL_IP, name4, value)
      : setsockopt(process, fd, SOL_IPV6, name6, value)
  yield* useSource(process, fd, options)
  yield* set(IP_RECVERR, IPV6_RECVERR, 1)
  yield* set(IP_RECVTTL, IPV6_RECVHOPLIMIT, 1)
  if (ttl >= 0) yield* set(IP_TTL, IPV6_UNICAST_HOPS, ttl)
  if (tos >= 0) yield* set(IP_TOS, IPV6_TCLASS, tos)
  if (mtuDiscover >= 0) yield* set(IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, mtuDiscover)
  if (options.broadcast) yield* setsockopt(process, fd, SOL_SOCKET, SO_BROADCAST, 1)
  if (options.source === '')
    yield* bind(process, fd, sockaddr(family, new Uint8Array(family === 2 ? 4 : 16), 0))
}

function* loop(ping: PingRun): Syscalls<void> {
  const { process, options, tally, fd } = ping
  const start = tally.lastNs
  let next = start
  let giveUp = Infinity
  for (;;) {
    const now = yield* clockGettime(process, 1)
    if (process.interrupted || over(ping, now - start) || now >= giveUp) return
    const more = options.count === 0 || tally.sent < options.count
    if (more && now >= next) {
      yield* send(ping, now)
      next = now + (options.flood ? FLOOD_GAP_NS : options.intervalNs)
      continue
    }
    if (!more && giveUp === Infinity) giveUp = tally.lastNs + patience(ping)
    const deadline = options.deadlineNs > 0 ? start + options.deadlineNs : Infinity
    const wait = Math.max(0, Math.min(more ? next : giveUp, deadline) - now)
    if ((yield* pollFor(fd, wait)) === 0) continue
    const answers = tally.received
    yield* receiveAll(ping)
    // A flood sends the next one as soon as one came back.
    if (options.flood && tally.received > answers) next = now
  }
}

function over({ options, tally }: PingRun, elapsed: number): boolean {
  if (options.count > 0 && tally.received + tally.errors >= options.count) return true
  return options.deadlineNs > 0 && elapsed >= options.deadlineNs
}

/** How long to wait after the last request: twice the longest way seen, and a second at least; or what -W says. */
function patience({ options, tally }: PingRun): number {
  if (tally.received === 0) return options.lingerNs
  return Math.max(2 * tally.maxNs, SECOND_NS)
}

/** 0 when the time is over or Ctrl-C came. */
function* pollFor(fd: number, ns: number): Syscalls<number> {
  try {
    return yield* poll(fd, ns)
  } catch (error) {
    if (error instanceof Errno && error.code === 'EINTR') return 0
    throw error
  }
}

function* send(ping: PingRun, now: number): Syscalls<void> {
  const { process, options, fd, tally } = ping
  const seq = tally.sent + 1
  const packet = new Uint8Array(8 + options.size)
  for (let i = 0; i < options.size; i++) packet[8 + i] = i
  packet[0] = options.family === 2 ? 8 : 128
  packet[6] = seq >> 8
  packet[7] = seq
  tally.sent = seq
  tally.lastNs = now
  ping.sentAt.set(seq & 0xffff, now)
  if (options.flood && !options.quiet) process.stdout('.')
  try {
    yield* sendto(process, fd, packet, 0, ping.to)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    const before = tally.errors
    yield* receiveAll(ping)
    if (tally.errors > before || error.code === 'EAGAIN') return
    if (!options.quiet) process.stderr(`ping: sendmsg: ${error.message}\n`)
  }
}
