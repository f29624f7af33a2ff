import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import * as v from 'valibot'
import { CommandError } from '../../errors.ts'
import { contradictions } from './contradictions.ts'
import { EXPECTED, LabSchema, type LabFile } from './schema.ts'

/** A lab of a file, with its name. */
export interface NamedLab {
  readonly name: string
  readonly lab: LabFile
}

/** Reads a lab. @throws CommandError with one line for each thing that is wrong: where, and what is expected */
export function readLabFile(path: string): NamedLab {
  const result = v.safeParse(LabSchema, jsonOf(path))
  const problems = result.success ? contradictions(result.output) : result.issues.map(issueText)
  if (problems.length > 0) throw new CommandError(problems.map((line) => `${path}: ${line}`).join('\n'))
  const lab = result.output as LabFile
  const name: string = lab.name ?? basename(path).replace(/\.json$/i, '')
  if (!v.safeParse(LabSchema.entries.name, name).success)
    throw new CommandError(
      `${path}: name: "${name}" is no name for a lab; write one into the file: ${EXPECTED['name']}`,
    )
  return { name, lab }
}

function jsonOf(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new CommandError(`vnet lab: ${path}: ${why(error as NodeJS.ErrnoException)}`)
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new CommandError(`${path}: this is no JSON: ${(error as Error).message}`)
  }
}

function why({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such file'
  return code === 'EISDIR' ? 'this is a folder' : message
}

function issueText(issue: v.BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map(({ key }) => key as string | number)
  const path = keys
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${key}`))
    .join('')
  const where = path === '' ? 'the file' : path
  // Ours: the check that the value itself failed has a sentence of its own.
  if (issue.type === 'raw_check') return `${where}: ${issue.message}`
  if (issue.expected === 'never') return `${where}: there is no such entry; known are ${knownBeside(issue)}`
  const expected = expectedOf(keys)
  if (issue.input === undefined) return `${where}: is missing; expected ${expected}`
  return `${where}: expected ${expected}, found ${shown(issue.input)}`
}

/** By the last name on the way, and whether it goes into a list there. */
function expectedOf(keys: readonly (string | number)[]): string {
  const last = keys.at(-1)
  if (last === undefined) return EXPECTED['']!
  const parent = keys.at(-2)
  if (typeof last === 'number') return EXPECTED[`${parent}[]`] ?? 'something else'
  if (parent === 'cables') return EXPECTED['cables[]']!
  if (parent === 'parameters') return 'a number or a text'
  return EXPECTED[last] ?? 'something else'
}

/** The entries that the object could have. */
function knownBeside(issue: v.BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map(({ key }) => key as string | number)
  let at: unknown = LabSchema
  for (const key of keys.slice(0, -1)) at = below(at as v.GenericSchema, key)
  return Object.keys((at as { entries?: object } | undefined)?.entries ?? {}).join(', ')
}

/** The schema of what stands under a key. */
function below(schema: unknown, key: string | number): unknown {
  const { entries, item, value, wrapped } = schema as {
    entries?: Record<string, unknown>
    item?: unknown
    value?: unknown
    wrapped?: unknown
  }
  if (wrapped !== undefined) return below(wrapped, key)
  const next = typeof key === 'number' ? item : (entries?.[key] ?? value)
  const inner = (next as { wrapped?: unknown } | undefined)?.wrapped
  return inner ?? next
}

function shown(input: unknown): string {
  const text = JSON.stringify(input) ?? String(input)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
