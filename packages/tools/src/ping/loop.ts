import { Errno } from '@vnet/kernel'
import { poll, sendto } from '../proc/libc.ts'
import type { Syscalls } from '../proc/process.ts'
import { clockGettime } from './clock.ts'
import type { PingRun } from './ping.ts'
import { receiveAll, stampText } from './receive.ts'

/** A flood that nobody answers sends so often. */
const FLOOD_GAP_NS = 10_000_000
/** As long as a full socket buffer is given. */
const FULL_GAP_NS = 10_000_000

/** Sends and receives until the count is reached, the time is over or Ctrl-C came. */
export function* loop(ping: PingRun): Syscalls<void> {
  const { process, options, tally, fd } = ping
  const { count, deadlineNs, preload } = options
  const start = tally.lastNs
  const deadline = deadlineNs > 0 ? start + deadlineNs : Infinity
  let next = start
  let giveUp = deadline
  for (;;) {
    const now = yield* clockGettime(process, 1)
    if (process.interrupted || over(ping) || now >= giveUp) return
    // With a deadline it goes on until so many have come back.
    const more = count === 0 || tally.sent < count || deadlineNs > 0
    if (more && (now >= next || tally.sent < preload)) {
      next = now + (yield* send(ping, now))
      continue
    }
    if (!more && giveUp === Infinity) giveUp = now + patience(ping)
    if ((yield* pollFor(fd, Math.max(0, Math.min(more ? next : giveUp, deadline) - now))) === 0) continue
    yield* receiveAll(ping)
    // A flood sends the next one as soon as all came back.
    if (options.intervalNs === 0 && tally.inFlight < preload) next = now
  }
}

function over({ options, tally }: PingRun): boolean {
  if (options.count > 0 && tally.received + tally.errors >= options.count) return true
  return options.deadlineNs > 0 && tally.errors > 0
}

/** How long to wait after the last request: twice the longest way seen, and an interval at least; or what -W says. */
function patience({ options, tally }: PingRun): number {
  if (tally.received === 0) return options.lingerNs
  return Math.max(2 * tally.maxNs, options.intervalNs)
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

function request({ options }: PingRun, seq: number): Uint8Array {
  const { pattern, size } = options
  const packet = new Uint8Array(8 + size)
  for (let i = 0; i < size; i++) packet[8 + i] = pattern.length === 0 ? i : pattern[i % pattern.length]!
  packet[0] = options.family === 2 ? 8 : 128
  packet[6] = seq >> 8
  packet[7] = seq
  return packet
}

/** Sends the next request. @returns the time until the one after it, in ns */
function* send(ping: PingRun, now: number): Syscalls<number> {
  const { process, options, fd, tally, sentAt } = ping
  const seq = (tally.sent + 1) & 0xffff
  const before = tally.lastNs
  tally.lastNs = now
  if (options.outstanding && tally.sent > 0 && !tally.answered(tally.sent & 0xffff)) {
    process.stdout(`${yield* stampText(ping)}no answer yet for icmp_seq=${tally.sent}\n`)
  }
  tally.forget(seq)
  sentAt.set(seq, now)
  try {
    yield* sendto(process, fd, request(ping, seq), 0, ping.to)
    if (options.flood && !options.quiet) process.stdout('.')
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    if (error.code === 'EAGAIN' || error.code === 'ENOBUFS' || error.code === 'ENOMEM') {
      tally.lastNs = before
      return FULL_GAP_NS
    }
    yield* failed(ping, error)
  }
  tally.sent++
  return options.intervalNs > 0 ? options.intervalNs : FLOOD_GAP_NS
}

/** The error queue says more, if the trouble is our own; else it was the last request's. */
function* failed(ping: PingRun, error: Errno): Syscalls<void> {
  const { process, options } = ping
  const found = yield* receiveAll(ping)
  if (found === 'local' || options.quiet) return
  if (options.flood) process.stdout('E')
  else process.stderr(`ping: sendmsg: ${error.message}\n`)
}
