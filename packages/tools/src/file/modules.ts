import { Errno } from '@vnet/kernel'
import { deleteModule, initModule, readFile } from '../proc/files.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { namesIn } from './ls.ts'
import { badOption, parseOptions } from './options.ts'

/** kmod has sentences of its own for some refusals. */
const INSERT_TEXTS: Readonly<Record<string, string>> = {
  ENOEXEC: 'Invalid module format',
  ENOENT: 'Unknown symbol in module, or unknown parameter (see dmesg)',
  ESRCH: 'Module has wrong symbol version',
  EINVAL: 'Invalid parameters',
}

/** `insmod FILE [NAME=VALUE…]` @kernel none */
export function* insmod(process: Process): Syscalls<number> {
  const [file, ...params] = process.argv.slice(1)
  if (file === undefined) {
    process.stderr('insmod: ERROR: missing filename.\n')
    return 1
  }
  try {
    yield* initModule(process, file, params.map(quoted).join(' '))
    return 0
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    if (error.code === 'ENOENT') {
      process.stderr(`insmod: ERROR: could not load module ${file}: No such file or directory\n`)
      return 1
    }
    const text = INSERT_TEXTS[error.code] ?? error.message
    process.stderr(`insmod: ERROR: could not insert module ${file}: ${text}\n`)
    return 1
  }
}

/** The kernel splits at blanks, unless there are quotes. */
function quoted(param: string): string {
  const [name, ...value] = param.split('=')
  return /\s/.test(param) && value.length > 0 ? `${name}="${value.join('=')}"` : param
}

function moduleName(word: string): string {
  return word
    .replace(/^.*\//, '')
    .replace(/\.ko(\..*)?$/, '')
    .replace(/-/g, '_')
}

/** `rmmod NAME…` @kernel none */
export function* rmmod(process: Process): Syscalls<number> {
  const { words, unknown } = parseOptions(process.argv, 'fsv', { force: 'f', syslog: 's', verbose: 'v' })
  if (unknown !== null) return badOption(process, unknown)
  if (words.length === 0) {
    process.stderr('rmmod: ERROR: missing module name.\n')
    return 1
  }
  let code = 0
  for (const word of words) if (!(yield* remove(process, moduleName(word)))) code = 1
  return code
}

/** Looks first, as kmod does: the kernel's refusals for modules in use have no names of users in them. */
function* remove(process: Process, name: string): Syscalls<boolean> {
  const complain = (text: string): false => {
    process.stderr(`rmmod: ERROR: ${text}\n`)
    return false
  }
  const loaded = (yield* loadedModules(process)).find((module) => module.name === name)
  if (loaded === undefined) return complain(`Module ${name} is not currently loaded`)
  if (loaded.users.length > 0) return complain(`Module ${name} is in use by: ${loaded.users.join(' ')}`)
  if (loaded.refcnt > 0) return complain(`Module ${name} is in use`)
  try {
    yield* deleteModule(process, name)
    return true
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    return complain(`could not remove module ${name}: ${error.message}`)
  }
}

interface Loaded {
  readonly name: string
  readonly size: number
  readonly refcnt: number
  readonly users: readonly string[]
}

/** /proc/modules: name, size, references, users with a comma each, state, address. */
function* loadedModules(process: Process): Syscalls<readonly Loaded[]> {
  const text = yield* readFile(process, '/proc/modules')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', size, refcnt, users = '-'] = line.split(' ')
      const names = users.split(',').filter((user) => user !== '' && user !== '-' && !user.startsWith('['))
      return { name, size: Number(size), refcnt: Number(refcnt), users: names }
    })
}

/** `lsmod` @kernel none */
export function* lsmod(process: Process): Syscalls<number> {
  process.stdout('Module                  Size  Used by\n')
  try {
    for (const { name, size, refcnt, users } of yield* loadedModules(process)) {
      const by = users.length === 0 ? '' : ` ${users.join(',')}`
      process.stdout(`${name.padEnd(19)} ${String(size).padStart(8)}  ${refcnt}${by}\n`)
    }
    return 0
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    process.stderr(`lsmod: ERROR: could not get list of modules: ${error.message}\n`)
    return 1
  }
}

/**
 * `modinfo NAME`: what a machine tells of a module that is loaded. What stands in a file is for the host to say.
 *
 * @kernel none
 */
export function* modinfo(process: Process): Syscalls<number> {
  const words = process.argv.slice(1)
  if (words.length === 0) {
    process.stderr('modinfo: ERROR: missing module or filename.\n')
    return 1
  }
  let code = 0
  for (const word of words) if (!(yield* describe(process, word))) code = 1
  return code
}

function* describe(process: Process, word: string): Syscalls<boolean> {
  const name = moduleName(word)
  const known = yield* existing(() => namesIn(process, `/sys/module/${name}`))
  if (known === null) {
    process.stderr(`modinfo: ERROR: Module ${word} not found.\n`)
    return false
  }
  const field = (key: string, value: string) => process.stdout(`${`${key}:`.padEnd(16)}${value}\n`)
  if (known.includes('version'))
    field('version', (yield* readFile(process, `/sys/module/${name}/version`)).trim())
  field('name', name)
  if (!known.includes('parameters')) return true
  for (const parm of yield* namesIn(process, `/sys/module/${name}/parameters`)) field('parm', parm)
  return true
}

function* existing<T>(step: () => Syscalls<T>): Syscalls<T | null> {
  try {
    return yield* step()
  } catch (error) {
    if (error instanceof Errno && error.code === 'ENOENT') return null
    throw error
  }
}
