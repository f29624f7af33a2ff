import { Errno } from '@vnet/kernel'
import type { Syscalls } from '../proc/process.ts'
import { clockGettime } from './clock.ts'
import { icmpErrorText } from './icmp-text.ts'
import type { PingRun } from './ping.ts'
import { recvmsg, type Message } from './recv.ts'
import { textOfSockaddr } from './source.ts'
import { rttText } from './tally.ts'

const [MSG_DONTWAIT, MSG_ERRQUEUE] = [0x40, 0x2000]
const EMSGSIZE = 90
const ORIGIN_LOCAL = 1

/** Takes all that has come: answers, and errors from the error queue. */
export function* receiveAll(ping: PingRun): Syscalls<void> {
  for (;;) {
    const message = yield* next(ping, MSG_DONTWAIT)
    if (message === null) return
    if (message === 'error') {
      if (!(yield* receiveError(ping))) return
    } else yield* answer(ping, message)
  }
}

/** The next message; `error` when one waits in the error queue, null when there is nothing. */
function* next({ process, fd }: PingRun, flags: number): Syscalls<Message | 'error' | null> {
  try {
    return yield* recvmsg(process, fd, flags)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    if (error.code === 'EINTR') return null
    // Nothing to read: what woke us may stand in the error queue.
    return 'error'
  }
}

function* answer(ping: PingRun, { bytes, from, control }: Message): Syscalls<void> {
  const { process, options, tally, sentAt } = ping
  const reply = options.family === 2 ? 0 : 129
  if (bytes.length < 8 || bytes[0] !== reply) return
  const seq = (bytes[6]! << 8) | bytes[7]!
  const now = yield* clockGettime(process, 1)
  const micros = Math.floor((now - (sentAt.get(seq) ?? now)) / 1000)
  const again = tally.answer(seq, micros)
  tally.lastNs = now
  if (options.quiet) return
  if (options.flood) {
    process.stdout('\b \b')
    return
  }
  const stamp = yield* stampText(ping)
  const ttl = ttlOf(control)
  process.stdout(
    `${stamp}${bytes.length} bytes from ${textOfSockaddr(from)}: icmp_seq=${seq}${ttl === null ? '' : ` ttl=${ttl}`} time=${rttText(micros)} ms${again ? ' (DUP!)' : ''}\n`,
  )
}

function* stampText({ process, options }: PingRun): Syscalls<string> {
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

/** One entry of the error queue. @returns false when it is empty @kernel struct sock_extended_err include/uapi/linux/errqueue.h */
function* receiveError(ping: PingRun): Syscalls<boolean> {
  const message = yield* next(ping, MSG_DONTWAIT | MSG_ERRQUEUE)
  if (message === null || message === 'error') return false
  const { process, options, tally } = ping
  const told = message.control.get('0:11') ?? message.control.get('41:25')
  if (told === undefined || told.length < 16) return false
  const view = new DataView(told.buffer, told.byteOffset)
  const [errno, origin, type, code, info] = [
    view.getUint32(0, true),
    view.getUint8(4),
    view.getUint8(5),
    view.getUint8(6),
    view.getUint32(8, true),
  ]
  const seq = message.bytes.length >= 8 ? (message.bytes[6]! << 8) | message.bytes[7]! : tally.sent
  tally.error(seq)
  if (options.quiet) return true
  if (origin === ORIGIN_LOCAL) {
    if (options.flood) process.stdout('E')
    else if (errno === EMSGSIZE) process.stderr(`ping: local error: message too long, mtu=${info}\n`)
    else process.stderr(`ping: local error: error ${errno}\n`)
  } else if (options.flood) process.stdout('\bE')
  else {
    const who = textOfSockaddr(told.subarray(16))
    const stamp = yield* stampText(ping)
    process.stdout(`${stamp}From ${who} icmp_seq=${seq} ${icmpErrorText(options.family, type, code, info)}\n`)
  }
  return true
}
