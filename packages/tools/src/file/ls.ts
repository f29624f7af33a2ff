import { Errno } from '@vnet/kernel'
import { close } from '../proc/libc.ts'
import { getdents, open, stat } from '../proc/files.ts'
import type { Stat } from '../proc/files.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { badOption, parseOptions, said } from './options.ts'
import { linkAt, realpath } from './path.ts'

/** One line of the listing. */
interface Entry {
  readonly name: string
  readonly path: string
}

/** `ls [-l] [-a] [-d] [-1] [FILE…]` @kernel none */
export function* ls(process: Process): Syscalls<number> {
  const { flags, words, unknown } = parseOptions(process.argv, 'lad1F')
  if (unknown !== null) return badOption(process, unknown)
  const paths = words.length === 0 ? ['/'] : words
  let code = 0
  for (const path of paths) {
    const found = yield* said(process, `ls: ${path}`, () => entriesOf(process, path, flags.has('d')))
    if (found === null) code = 1
    else {
      if (paths.length > 1 && found.listed) process.stdout(`${path}:\n`)
      for (const entry of found.entries) yield* printEntry(process, entry, flags.has('l'))
    }
  }
  return code
}

interface Found {
  readonly entries: readonly Entry[]
  /** They are what is inside. */
  readonly listed: boolean
}

function* entriesOf(process: Process, path: string, itself: boolean): Syscalls<Found> {
  const one: Found = { entries: [{ name: path, path }], listed: false }
  const info = yield* stat(process, path)
  if (itself || info.kind === 'file') return one
  const target = info.kind === 'link' ? yield* realpath(process, path) : path
  if (info.kind === 'link' && (yield* stat(process, target)).kind !== 'dir') return one
  const names = yield* namesIn(process, target)
  const entries = names.map((name) => ({ name, path: `${path.replace(/\/$/, '')}/${name}` }))
  return { entries, listed: true }
}

/** Names in a directory, sorted. @throws Errno */
export function* namesIn(process: Process, path: string): Syscalls<readonly string[]> {
  const fd = yield* open(process, path)
  const names = yield* getdents(process, fd)
  yield* close(fd)
  return names.map((name) => name.replace(/\/$/, '')).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function* printEntry(process: Process, { name, path }: Entry, long: boolean): Syscalls<void> {
  if (!long) {
    process.stdout(`${name}\n`)
    return
  }
  const info = yield* said(process, `ls: ${path}`, () => stat(process, path))
  if (info === null) return
  const target = info.kind === 'link' ? yield* linkAt(process, path) : null
  const arrow = target === null ? '' : ` -> ${target}`
  const links = info.kind === 'dir' ? 2 : 1
  process.stdout(
    `${modeText(info)} ${String(links).padStart(4)} root     root     ${String(info.size).padStart(9)} ${name}${arrow}\n`,
  )
}

const KINDS: Readonly<Record<Stat['kind'], string>> = { file: '-', dir: 'd', link: 'l' }

function modeText({ kind, mode }: Stat): string {
  const bits = [...'rwxrwxrwx'].map((letter, i) => ((mode >> (8 - i)) & 1 ? letter : '-'))
  return KINDS[kind] + bits.join('')
}

/** `readlink [-f] [-n] FILE…` @kernel none */
export function* readlinkProgram(process: Process): Syscalls<number> {
  const { flags, words, unknown } = parseOptions(process.argv, 'fnevqs', { canonicalize: 'f' })
  if (unknown !== null) return badOption(process, unknown)
  if (words.length === 0) {
    process.stderr('readlink: missing operand\n')
    return 1
  }
  let code = 0
  const end = flags.has('n') ? '' : '\n'
  for (const path of words) {
    const target = yield* quiet(() =>
      flags.has('f') || flags.has('e') ? realpath(process, path) : linkAt(process, path),
    )
    if (target === null) code = 1
    else process.stdout(`${target}${end}`)
  }
  return code
}

/** A link that is none, or leads nowhere, is no words worth. */
function* quiet(step: () => Syscalls<string | null>): Syscalls<string | null> {
  try {
    return yield* step()
  } catch (error) {
    if (error instanceof Errno) return null
    throw error
  }
}
