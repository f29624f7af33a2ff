import { existsSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ModuleDefinition } from '@vnet/kernel'
import { CommandError } from './errors.ts'
import { linkModules } from './module-link.ts'

/**
 * Loads the module of another author from a JavaScript file: its default export, or its export `module`. What it imports
 * from `@vnet/…` is this process's own.
 *
 * @throws CommandError in insmod's words, exit code 1
 */
export async function loadModuleFile(path: string): Promise<ModuleDefinition> {
  const refuse = (why: string): CommandError =>
    new CommandError(`insmod: ERROR: could not load module ${path}: ${why}`)
  if (!existsSync(path)) throw refuse('No such file or directory')
  const file = statSync(path)
  if (file.isDirectory()) throw refuse('Is a directory')
  let exported: Record<string, unknown>
  try {
    linkModules()
    const { href } = pathToFileURL(resolve(path))
    // The time makes it another file to Node once it was changed.
    exported = (await import(`${href}?${file.mtimeMs}`)) as Record<string, unknown>
  } catch (error) {
    throw refuse(`it throws when it is imported: ${(error as Error).message}`)
  }
  const def = exported['default'] ?? exported['module']
  if (def === undefined)
    throw refuse('it exports no module; export default { name, license, init(ctx) {}, exit(ctx) {} }')
  const wrong = whatIsWrong(def)
  if (wrong !== undefined) throw refuse(wrong)
  return { ...(def as ModuleDefinition), filename: basename(path) }
}

/** Says what keeps an export from being a module definition. */
function whatIsWrong(def: unknown): string | undefined {
  if (typeof def !== 'object' || def === null) return `its export is ${typeof def}, not a module definition`
  const { name, license, init, exit } = def as Record<string, unknown>
  if (typeof name !== 'string' || !/^\w{1,55}$/.test(name))
    return 'its name must be 1 to 55 letters, digits or _'
  if (typeof license !== 'string') return 'it says no license, for instance "GPL"'
  if (typeof init !== 'function') return 'it has no function init(ctx)'
  if (exit !== undefined && typeof exit !== 'function') return 'its exit is no function'
  return undefined
}
