import { readFileSync } from 'node:fs'

/** One command that a real kernel was given, and what it printed. */
export interface OracleRecord {
  readonly n: number
  readonly command: string
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** The records of a file in `test/fixtures`. */
export function oracle(name: string): OracleRecord[] {
  return JSON.parse(
    readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8'),
  ) as OracleRecord[]
}

/** The record of one command. */
export function recordOf(name: string, command: string): OracleRecord {
  const found = oracle(name).find((record) => record.command === command)
  if (found === undefined) throw new Error(`no record of ${command}`)
  return found
}

/** Numbers that depend on time and load, made equal; lengths of columns stay out of it, too. */
export function maskNumbers(text: string): string {
  return text.replace(/[ \t]*\b\d+\b/g, ' N')
}
