import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as Conformance from '@vnet/conformance'
import type { DriverSpec } from '@vnet/conformance'
import { CommandError } from '../errors.ts'

/** The kit as a module: the one of this program, or the one beside a driver's file. */
export type Kit = typeof Conformance

/** A driver to test, and the kit to test it with. */
export interface LoadedDriver {
  readonly kit: Kit
  readonly spec: DriverSpec
}

/**
 * Loads the driver of another author from a JavaScript file: its default export, or its export `driver`.
 *
 * The kit is taken from beside the file: a driver and a kit must share one copy of the packages.
 *
 * @throws CommandError with a sentence, exit code 1
 */
export async function loadDriverFile(path: string): Promise<LoadedDriver> {
  const refuse = (why: string): CommandError =>
    new CommandError(`vnet: could not load driver ${path}: ${why}`)
  if (!existsSync(path)) throw refuse('No such file or directory')
  if (statSync(path).isDirectory()) throw refuse('Is a directory')
  let exported: Record<string, unknown>
  try {
    exported = (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>
  } catch (error) {
    throw refuse(`it throws when it is imported: ${(error as Error).message}`)
  }
  const spec = exported['default'] ?? exported['driver']
  if (spec === undefined)
    throw refuse(
      'it exports no driver; export default { name, create(kernel, cable, options) {}, supports: {} }',
    )
  const wrong = whatIsWrong(spec)
  if (wrong !== undefined) throw refuse(wrong)
  return { kit: await kitBeside(resolve(path), refuse), spec: spec as DriverSpec }
}

/** Says what keeps an export from being a `DriverSpec`. */
function whatIsWrong(spec: unknown): string | undefined {
  if (typeof spec !== 'object' || spec === null)
    return `its export is ${typeof spec}, not a description of a driver`
  const { name, create, supports } = spec as Record<string, unknown>
  if (typeof name !== 'string' || name === '') return 'it has no name'
  if (typeof create !== 'function') return 'it has no function create(kernel, cable, options)'
  if (supports !== undefined && (typeof supports !== 'object' || supports === null))
    return 'its supports is no object'
  return undefined
}

async function kitBeside(file: string, refuse: (why: string) => CommandError): Promise<Kit> {
  let at: string
  try {
    at = createRequire(file).resolve('@vnet/conformance')
  } catch {
    throw refuse('@vnet/conformance is not installed beside it; run npm install @vnet/conformance there')
  }
  return (await import(pathToFileURL(at).href)) as Kit
}
