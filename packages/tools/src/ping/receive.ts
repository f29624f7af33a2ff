import { Errno } from '@vnet/kernel'
import type { Syscalls } from '../proc/process.ts'
import { clockGettime } from './clock.ts'
import { icmpErrorText } from './icmp-text.ts'
import type { PingOptions } from './options.ts'
import type { PingRun } from './ping.ts'
import { recvmsg, type Message } from './recv.ts'
import { textOfSockaddr } from './source.ts'
import { rttText } from './tally.ts'

const [MSG_DONTWAIT, MSG_ERRQUEUE] = [0x40, 0x2000]
const EMSGSIZE = 90
const ORIGIN_LOCAL = 1
/** So much of a request would hold its time: a shorter one is not timed, and the rest is compared. */
const STAMP_LEN = 16

/** Where an error comes from: our own kernel refused, or somebody reported. */
export type Trouble = 'local' | 'net'

/** Takes all that has come: answers, and errors from the error queue. @returns the first error's kind, null for none */
export function* receiveAll(ping: PingRun): Syscalls<Trouble | null> {
  let first: Trouble | null = null
  for (;;) {
    const message = yield* next(ping, MSG_DONTWAIT)
    if (message === null) return first
    if (message === 'error') {
      const trouble = yield* receiveError(ping)
      if (trouble === null) return first
      first ??= trouble
    } else yield* answer(ping, message)
    // Nothing more is awaited: what comes all the same can wait.
    if (ping.tally.inFlight === 0) return first
  }
}

/** The next message; `error` when one may wait in the error queue, null when Ctrl-C came. */
function* next({ process, fd }: PingRun, flags: number): Syscalls<Message | 'error' | null> {
  try {
    return yield* recvmsg(process, fd, flags)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    return error.code === 'EINTR' ? null : 'error'
  }
}

function* answer(ping: PingRun, message: Message): Syscalls<void> {
  const { process, options, tally } = ping
  const { bytes, from } = message
  if (bytes.length < 8 || bytes[0] !== (options.family === 2 ? 0 : 129)) return
  const seq = (bytes[6]! << 8) | bytes[7]!
  const micros = yield* roundTrip(ping, seq)
  const again = tally.answer(seq, micros)
  if (options.quiet) return
  if (options.flood) {
    process.stdout('\b \b')
    return
  }
  const who = yield* textOfSockaddr(process, ping.fd, from)
  const ttl = ttlOf(message.control)
  let line = `${yield* stampText(ping)}${bytes.length} bytes from ${who}: icmp_seq=${seq}`
  if (ttl !== null) line += ` ttl=${ttl}`
  process.stdout(`${line}${ending(ping, bytes, from, micros, again)}\n`)
}

/** Null when the request was too short to hold its time, or there was none. */
function* roundTrip({ process, options, sentAt }: PingRun, seq: number): Syscalls<number | null> {
  const sent = sentAt.get(seq)
  if (options.size < STAMP_LEN || sent === undefined) return null
  return Math.floor(((yield* clockGettime(process, 1)) - sent) / 1000)
}

/** What is strange about an answer stands behind its time. */
function ending(
  { options, to }: PingRun,
  bytes: Uint8Array,
  from: Uint8Array,
  micros: number | null,
  again: boolean,
): string {
  if (bytes.length < options.size + 8) return ' (truncated)'
  let text = micros === null ? '' : ` time=${rttText(micros)} ms`
  const group = isGroup(options)
  if (again && !group) text += ' (DUP!)'
  if (!group && !options.broadcast && !sameHost(options, from, to)) text += ' (DIFFERENT ADDRESS!)'
  return text + wrongData(options, bytes)
}

function isGroup({ family, address }: PingOptions): boolean {
  return family === 2 ? address[0]! >>> 4 === 0xe : address[0] === 0xff
}

function sameHost({ family, address }: PingOptions, from: Uint8Array, to: Uint8Array): boolean {
  // All zeros is another name of this machine.
  if (address.every((byte) => byte === 0)) return true
  const [start, end] = family === 2 ? [4, 8] : [8, 24]
  for (let i = start; i < end; i++) if (from[i] !== to[i]) return false
  return true
}

function wrongData({ size, pattern }: PingOptions, bytes: Uint8Array): string {
  const sent = (i: number): number => (pattern.length === 0 ? i & 0xff : pattern[i % pattern.length]!)
  for (let i = STAMP_LEN; i < size; i++) {
    const was = bytes[8 + i]!
    if (was === sent(i)) continue
    let text = `\nwrong data byte #${i} should be 0x${sent(i).toString(16)} but was 0x${was.toString(16)}`
    for (let at = STAMP_LEN; at < size; at++) {
      if (at % 32 === STAMP_LEN) text += `\n#${at}\t`
      text += `${bytes[8 + at]!.toString(16)} `
    }
    return text
  }
  return ''
}

/** The time of day in front of a line, for -D. */
export function* stampText({ process, options }: PingRun): Syscalls<string> {
  if (!options.timestamps) return ''
  const now = yield* clockGettime(process, 0)
  return `[${(now / 1e9).toFixed(6)}] `
}

function ttlOf(control: ReadonlyMap<string, Uint8Array>): number | null {
  const bytes = control.get('0:2') ?? control.get('41:52')
  return bytes === undefined || bytes.length < 4
    ? null
    : new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true)
}

/** An entry of the error queue. @kernel struct sock_extended_err include/uapi/linux/errqueue.h */
interface QueuedError {
  readonly errno: number
  readonly origin: number
  readonly type: number
  readonly code: number
  readonly info: number
  readonly offender: Uint8Array
}

function queuedError(message: Message): QueuedError | null {
  const told = message.control.get('0:11') ?? message.control.get('41:25')
  if (told === undefined || told.length < 16) return null
  const view = new DataView(told.buffer, told.byteOffset)
  return {
    errno: view.getUint32(0, true),
    origin: view.getUint8(4),
    type: view.getUint8(5),
    code: view.getUint8(6),
    info: view.getUint32(8, true),
    offender: told.subarray(16),
  }
}

/** Takes one entry of the error queue. @returns null when it is empty */
function* receiveError(ping: PingRun): Syscalls<Trouble | null> {
  const message = yield* next(ping, MSG_DONTWAIT | MSG_ERRQUEUE)
  if (message === null || message === 'error') return null
  const error = queuedError(message)
  if (error === null) return null
  ping.tally.errors++
  if (error.origin === ORIGIN_LOCAL) {
    localError(ping, error)
    return 'local'
  }
  yield* reported(ping, error, message.bytes)
  return 'net'
}

function localError({ process, options }: PingRun, { errno, info }: QueuedError): void {
  if (options.quiet) return
  if (options.flood) process.stdout('E')
  else if (errno !== EMSGSIZE) process.stderr(`ping: local error: error ${errno}\n`)
  else {
    const mtu = options.family === 2 ? `mtu=${info}` : `mtu: ${info}`
    process.stderr(`ping: local error: message too long, ${mtu}\n`)
  }
}

function* reported(ping: PingRun, error: QueuedError, quoted: Uint8Array): Syscalls<void> {
  const { process, options, tally } = ping
  const seq = quoted.length >= 8 ? (quoted[6]! << 8) | quoted[7]! : tally.sent & 0xffff
  tally.acknowledge(seq)
  if (options.quiet) return
  if (options.flood) {
    process.stdout('\bE')
    return
  }
  const who = yield* textOfSockaddr(process, ping.fd, error.offender)
  const what = icmpErrorText(options.family, error.type, error.code, error.info)
  process.stdout(`${yield* stampText(ping)}From ${who} icmp_seq=${seq} ${what}\n`)
}
