import { close } from '../proc/libc.ts'
import { open, OpenFlag, read, write } from '../proc/files.ts'
import { utf8 } from '@vnet/netlink'
import type { Process, Syscalls } from '../proc/process.ts'
import { badOption, parseOptions, said } from './options.ts'

/** `cat FILE…`: as busybox says it, which Debian's small systems have. @kernel none */
export function* cat(process: Process): Syscalls<number> {
  const { words, unknown } = parseOptions(process.argv, 'uv')
  if (unknown !== null) return badOption(process, unknown)
  let code = 0
  for (const path of words.length === 0 ? ['-'] : words) {
    if (path === '-') process.stdout(process.stdin ?? '')
    else if (!(yield* copyOut(process, path))) code = 1
  }
  return code
}

/** True when all of it could be read. */
function* copyOut(process: Process, path: string): Syscalls<boolean> {
  const fd = yield* said(process, `cat: can't open '${path}'`, () => open(process, path))
  if (fd === null) return false
  for (;;) {
    const bytes = yield* said(process, 'cat: read error', () => read(process, fd))
    if (bytes !== null && bytes.length > 0) process.stdout(bytes)
    else {
      yield* close(fd)
      return bytes !== null
    }
  }
}

/** `tee [-a] FILE…`: the input goes to the files and to the output. @kernel none */
export function* tee(process: Process): Syscalls<number> {
  const { flags, words, unknown } = parseOptions(process.argv, 'ai', { append: 'a' })
  if (unknown !== null) return badOption(process, unknown)
  const input = process.stdin ?? ''
  const bytes = typeof input === 'string' ? utf8(input) : input
  const mode = OpenFlag.WRONLY | OpenFlag.CREAT | (flags.has('a') ? OpenFlag.APPEND : OpenFlag.TRUNC)
  process.stdout(input)
  let code = 0
  for (const path of words) {
    const fd = yield* said(process, `tee: ${path}`, () => open(process, path, mode))
    const done = fd === null ? null : yield* said(process, `tee: ${path}`, () => write(process, fd, bytes))
    if (fd !== null) yield* close(fd)
    if (done === null) code = 1
  }
  return code
}
