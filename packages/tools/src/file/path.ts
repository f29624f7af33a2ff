import { readlink, stat } from '../proc/files.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { Errno } from '@vnet/kernel'

const MAX_LINKS = 40

/** The path with every link followed, and no `.` or `..`. @throws Errno ENOENT, ELOOP @kernel realpath() none */
export function* realpath(process: Process, path: string): Syscalls<string> {
  const rest = path.split('/').filter((part) => part !== '')
  const done: string[] = []
  let links = 0
  while (rest.length > 0) {
    const part = rest.shift()!
    if (part === '.') continue
    if (part === '..') {
      done.pop()
      continue
    }
    const here = `/${[...done, part].join('/')}`
    const target = yield* linkAt(process, here)
    if (target === null) {
      done.push(part)
      continue
    }
    if (++links > MAX_LINKS) throw new Errno('ELOOP')
    if (target.startsWith('/')) done.length = 0
    rest.unshift(...target.split('/').filter((piece) => piece !== ''))
  }
  const full = `/${done.join('/')}`
  yield* stat(process, full)
  return full
}

/** Where a link points; null for what is no link. @throws Errno */
export function* linkAt(process: Process, path: string): Syscalls<string | null> {
  try {
    return yield* readlink(process, path)
  } catch (error) {
    if (error instanceof Errno && (error.code === 'EINVAL' || error.code === 'ENOENT')) return null
    throw error
  }
}
