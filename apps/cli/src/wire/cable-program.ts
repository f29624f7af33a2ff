import { Errno } from '@vnet/kernel'
import {
  close,
  open,
  OpenFlag,
  readFile,
  syslog,
  SyslogAction,
  syslogNumber,
  write,
  type Process,
  type Syscalls,
} from '@vnet/tools'

const FILE = '/sys/kernel/debug/vnet/cables'
/** What the file's log lines begin with. */
const PREFIX = 'cables: '
const LOG_BUFFER = 1 << 20

/** What can be done, and with how many words: least and most. */
const VERBS: Readonly<Record<string, readonly [number, number]>> = {
  plug: [2, Infinity],
  unplug: [1, 1],
  cut: [1, 1],
  repair: [1, 1],
  hang: [1, 2],
  recover: [1, 1],
}

export const CABLE_HELP = `Usage: vnet cable list
       vnet cable plug DEV CABLE [FAULTS…]    vnet cable unplug DEV
       vnet cable cut DEV                     vnet cable repair DEV
       vnet cable hang DEV [TIME]             vnet cable recover DEV

CABLE:  null, loopback, generator; switch:NAME and patch:NAME join cards; tap:NAME, packet:IFACE, listen:AT, connect:TO,
        ws://…, udp:LOCAL,REMOTE and vxlan:VNI,REMOTE… lead out of this machine
FAULTS: drop=10% corrupt=0.1% duplicate=1% reorder=5% delay=5ms jitter=1ms rate=10mbit seed=7 direction=rx
Plugging in the same cable again changes its faults.
`

/** `vnet cable …` over the machine's files: 0, 1 the machine refused, 2 it makes no sense. */
export function* cable(process: Process): Syscalls<number> {
  const [verb = 'list', ...words] = process.argv.slice(1)
  if (words.includes('--help') || ['--help', '-h', 'help'].includes(verb)) {
    process.stdout(CABLE_HELP)
    return 0
  }
  if (verb === 'list' && words.length === 0) return yield* list(process)
  const [least, most] = (Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined) ?? [Infinity, 0]
  if (words.length < least || words.length > most) {
    process.stderr(CABLE_HELP)
    return 2
  }
  return yield* change(process, [verb, ...words].join(' '))
}

function* list(process: Process): Syscalls<number> {
  try {
    const text = yield* readFile(process, FILE)
    if (text === '') process.stderr('vnet cable: there is no vnet device; vnet insmod vnet makes one\n')
    else process.stdout(columns(text))
    return 0
  } catch (error) {
    return complain(process, error, null)
  }
}

/** Puts the first columns below one another. */
function columns(text: string): string {
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split('  '))
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function* change(process: Process, line: string): Syscalls<number> {
  const before = yield* lastSaid(process)
  try {
    const fd = yield* open(process, FILE, OpenFlag.WRONLY)
    yield* write(process, fd, new TextEncoder().encode(`${line}\n`))
    yield* close(fd)
    return 0
  } catch (error) {
    const after = yield* lastSaid(process)
    return complain(process, error, after !== null && after.seq > (before?.seq ?? -1) ? after.text : null)
  }
}

function complain(process: Process, error: unknown, sentence: string | null): number {
  if (!(error instanceof Errno)) throw error
  process.stderr(`vnet cable: ${sentence ?? error.message}\n`)
  return 1
}

/** The last thing the file said in the log. */
function* lastSaid(process: Process): Syscalls<{ seq: number; text: string } | null> {
  try {
    const size = Math.max(LOG_BUFFER, yield* syslogNumber(SyslogAction.SIZE_BUFFER))
    const log = yield* syslog(process, SyslogAction.READ_ALL, size)
    for (const line of log.trimEnd().split('\n').reverse()) {
      const [, seq, text] = /^\d+,(\d+),[^;]*;(.*)$/.exec(line) ?? []
      if (text?.startsWith(PREFIX) === true) return { seq: Number(seq), text: text.slice(PREFIX.length) }
    }
  } catch (error) {
    if (!(error instanceof Errno)) throw error
  }
  return null
}
