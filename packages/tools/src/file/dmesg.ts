import { Errno } from '@vnet/kernel'
import { ClockId, clockGettime, syslog, SyslogAction, syslogNumber } from '../proc/files.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { longTime } from '../text/time.ts'
import { badOption, parseOptions } from './options.ts'

const LEVELS: readonly string[] = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug']
const USEC = 1_000_000
const BUFFER = 1 << 20

/** A record of the log. */
interface LogLine {
  readonly level: number
  readonly seq: number
  readonly usec: number
  readonly text: string
}

/** How records are shown. */
interface View {
  /** `-t`: without; `-T`: as a date. */
  readonly time: 'since boot' | 'none' | 'date'
  readonly levels: ReadonlySet<number> | null
  /** `-x`: with the words for facility and level. */
  readonly decode: boolean
  /** Seconds since 1970 at boot. */
  readonly boot: number
}

/** `dmesg [-w] [-t] [-T] [-x] [-c] [-C] [-l LEVELS]` @kernel none */
export function* dmesg(process: Process): Syscalls<number> {
  const long = {
    follow: 'w',
    notime: 't',
    clear: 'C',
    'read-clear': 'c',
    ctime: 'T',
    level: 'l',
    decode: 'x',
    'follow-new': 'W',
  }
  const { flags, values, words, unknown } = parseOptions(process.argv, 'wWtCcTxHLPl:', long)
  if (unknown !== null) return badOption(process, unknown)
  if (words.length > 0) {
    process.stderr("dmesg: bad usage\nTry 'dmesg --help' for more information.\n")
    return 1
  }
  try {
    return yield* run(process, flags, values.get('l'))
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    const what = flags.has('C') || flags.has('c') ? 'clear kernel buffer failed' : 'read kernel buffer failed'
    process.stderr(`dmesg: ${what}: ${error.message}\n`)
    return 1
  }
}

function* run(process: Process, flags: ReadonlySet<string>, levelList: string | undefined): Syscalls<number> {
  if (flags.has('C')) {
    yield* syslogNumber(SyslogAction.CLEAR)
    return 0
  }
  const levels = levelList === undefined ? null : levelSet(levelList)
  if (levels === 'unknown') {
    process.stderr(`dmesg: unknown level '${levelList ?? ''}'\n`)
    return 1
  }
  const view: View = {
    time: flags.has('t') ? 'none' : flags.has('T') ? 'date' : 'since boot',
    levels,
    decode: flags.has('x'),
    boot: flags.has('T') ? yield* bootTime(process) : 0,
  }
  const size = Math.max(BUFFER, yield* syslogNumber(SyslogAction.SIZE_BUFFER))
  const records = parse(yield* syslog(process, SyslogAction.READ_ALL, size))
  if (!flags.has('W')) print(process, records, view)
  if (flags.has('c')) yield* syslogNumber(SyslogAction.CLEAR)
  if (flags.has('w') || flags.has('W')) yield* follow(process, view, (records.at(-1)?.seq ?? 0) + 1)
  return 0
}

/** Waits for what comes next, until Ctrl-C. */
function* follow(process: Process, view: View, from: number): Syscalls<void> {
  let next = from
  while (!process.interrupted) {
    try {
      const records = parse(yield* syslog(process, SyslogAction.READ, BUFFER, next))
      print(process, records, view)
      next = (records.at(-1)?.seq ?? next - 1) + 1
    } catch (error) {
      if (!(error instanceof Errno) || error.code !== 'EINTR') throw error
    }
  }
}

/** The levels of a list: `err,warn`. */
function levelSet(list: string): ReadonlySet<number> | 'unknown' {
  const levels = new Set<number>()
  for (const word of list.split(',')) {
    const level = LEVELS.indexOf(word.replace(/\+$/, ''))
    if (level < 0) return 'unknown'
    levels.add(level)
    if (word.endsWith('+')) for (let i = 0; i < level; i++) levels.add(i)
  }
  return levels
}

function* bootTime(process: Process): Syscalls<number> {
  const real = yield* clockGettime(process, ClockId.REALTIME)
  const mono = yield* clockGettime(process, ClockId.MONOTONIC)
  return real.sec - mono.sec + (real.nsec - mono.nsec) / 1e9
}

/** Lines as /dev/kmsg gives them: `level,seq,microseconds,-;text`; others are passed over. */
function parse(text: string): LogLine[] {
  const out: LogLine[] = []
  for (const line of text.split('\n')) {
    const match = /^(\d+),(\d+),(\d+),[^;]*;(.*)$/.exec(line)
    if (match === null) continue
    const [, level, seq, usec, rest = ''] = match
    out.push({ level: Number(level) & 7, seq: Number(seq), usec: Number(usec), text: unescape(rest) })
  }
  return out
}

function unescape(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

function print(process: Process, records: readonly LogLine[], view: View): void {
  for (const record of records) {
    if (view.levels !== null && !view.levels.has(record.level)) continue
    const facility = view.decode ? `kern  :${LEVELS[record.level]!.padEnd(6)}: ` : ''
    const lines = record.text.split('\n').map((line) => `${facility}${stamp(record, view)}${line}\n`)
    process.stdout(lines.join(''))
  }
}

function stamp({ usec }: LogLine, { time, boot }: View): string {
  if (time === 'none') return ''
  if (time === 'date') return `[${longTime(Math.floor(boot + usec / USEC))}] `
  return `[${String(Math.floor(usec / USEC)).padStart(5)}.${String(usec % USEC).padStart(6, '0')}] `
}
