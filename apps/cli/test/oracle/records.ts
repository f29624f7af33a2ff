import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a command printed on a real kernel. */
export interface OracleRecord {
  readonly n: number
  readonly command: string
  readonly exitCode: number
  /** Seconds since boot when it began. */
  readonly uptime: number
  readonly stdout: string
  readonly stderr: string
}

export interface Output {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/** The commands of a transcript, in order; the notes between them are for readers. */
export function oracleRecords(name: '10-vnet7' | '11-vnet6'): OracleRecord[] {
  const file = join(import.meta.dirname, 'fixtures', `${name}.json`)
  const all = JSON.parse(readFileSync(file, 'utf8')) as (OracleRecord | { note: string })[]
  return all.filter((one): one is OracleRecord => !('note' in one))
}
