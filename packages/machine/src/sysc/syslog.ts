import { Errno, type Kernel, type LogRecord } from '@vnet/kernel'
import { Sys, utf8, type SyscallCall, type SyscallHandler } from '@vnet/netlink'
import { kmsgLine } from '../log/records.ts'
import { copyOut, length32 } from './user-text.ts'

/** What is asked of the log. @kernel SYSLOG_ACTION_READ include/linux/syslog.h */
const Syslog = {
  CLOSE: 0,
  OPEN: 1,
  READ: 2,
  READ_ALL: 3,
  READ_CLEAR: 4,
  CLEAR: 5,
  CONSOLE_OFF: 6,
  CONSOLE_ON: 7,
  CONSOLE_LEVEL: 8,
  SIZE_UNREAD: 9,
  SIZE_BUFFER: 10,
} as const

/** Bytes of the log: enough for all it keeps. @kernel log_buf_len kernel/printk/printk.c */
const LOG_BUF_LEN = 1 << 20

/** How far `READ` has come; it takes each record once, whoever reads. @kernel syslog_seq kernel/printk/printk.c */
interface Taken {
  next: number
}

/** The call about the log. @kernel do_syslog() kernel/printk/printk.c */
export function syslogCalls(kernel: Kernel): ReadonlyMap<number, SyscallHandler> {
  const taken: Taken = { next: kernel.log.records[0]?.seq ?? kernel.log.nextSeq }
  return new Map<number, SyscallHandler>([[Sys.syslog, (call) => syslog(call, taken)]])
}

function syslog(call: SyscallCall, taken: Taken): number {
  const { log } = call.kernel
  const action = call.int(0)
  const reads = action === Syslog.READ_ALL || action === Syslog.SIZE_BUFFER
  if (!reads && !call.connection.capNetAdmin) throw new Errno('EPERM')
  switch (action) {
    case Syslog.CLOSE:
    case Syslog.OPEN:
    case Syslog.CONSOLE_OFF:
    case Syslog.CONSOLE_ON:
    case Syslog.CONSOLE_LEVEL:
      return 0
    case Syslog.READ:
      return readNew(call, taken)
    case Syslog.READ_ALL:
      return readAll(call)
    case Syslog.READ_CLEAR: {
      const length = readAll(call)
      log.clear()
      return length
    }
    case Syslog.CLEAR:
      log.clear()
      return 0
    case Syslog.SIZE_UNREAD:
      return textOfRecords(log.since(taken.next)).length
    case Syslog.SIZE_BUFFER:
      return LOG_BUF_LEN
    default:
      throw new Errno('EINVAL')
  }
}

function textOfRecords(records: readonly LogRecord[]): Uint8Array {
  return utf8(records.map(kmsgLine).join(''))
}

/** The newest records that fit, whole. @kernel syslog_print_all() kernel/printk/printk.c */
function readAll(call: SyscallCall): number {
  const max = length32(call, 2)
  const lines = call.kernel.log.records.map((record) => utf8(kmsgLine(record)))
  let first = lines.length
  let length = 0
  while (first > 0 && length + lines[first - 1]!.length <= max) length += lines[--first]!.length
  return copyOut(call, 1, concat(lines.slice(first), length))
}

/**
 * The next records that nobody read, or from the number in the fourth argument on, which leaves them to others. It
 * waits when there is none.
 *
 * @kernel syslog_print() kernel/printk/printk.c
 */
function readNew(call: SyscallCall, taken: Taken): number {
  const max = length32(call, 2)
  const asked = Number(call.args[3]!)
  const records = call.kernel.log.since(asked > 0 ? asked : taken.next)
  if (records.length === 0) return call.block((wake) => call.kernel.log.subscribe(wake))
  const lines: Uint8Array[] = []
  let length = 0
  for (const record of records) {
    const line = utf8(kmsgLine(record))
    if (length + line.length > max) break
    lines.push(line)
    length += line.length
  }
  if (lines.length === 0) throw new Errno('EINVAL')
  if (asked === 0) taken.next = records[lines.length - 1]!.seq + 1
  return copyOut(call, 1, concat(lines, length))
}

function concat(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    out.set(piece, at)
    at += piece.length
  }
  return out
}
