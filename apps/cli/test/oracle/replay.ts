import { expect } from 'vitest'
import { ALSO_EQUAL, DIFFERENCES } from './differences.ts'
import { masked } from './mask.ts'
import { oracleRecords, type OracleRecord, type Output } from './records.ts'
import { Shell, type World } from './world.ts'

/** What came of a replay. */
export interface Replay {
  readonly equal: number
  /** Differ, and stand on the list. */
  readonly listed: OracleRecord[]
  /** Differ, and do not. */
  readonly surprises: { record: OracleRecord; want: Output; got: Output }[]
}

/** Runs every command of a transcript, in its order and with its pauses. */
export async function replay(
  name: '10-vnet7' | '11-vnet6',
  world: World,
  pause: (record: OracleRecord) => Promise<void>,
): Promise<Replay> {
  const shell = new Shell(world)
  const monitor = world.background(['ip', '-ts', 'monitor'])
  await world.sleep(0.5)
  const result = { equal: 0, listed: [] as OracleRecord[], surprises: [] as Replay['surprises'] }
  let heard: Output | null = null
  for (const record of oracleRecords(name)) {
    await pause(record)
    let got: Output
    if (record.command.startsWith('cat /tmp/monitor')) {
      heard ??= await monitor.end()
      got = { stdout: record.command.endsWith('.out') ? heard.stdout : heard.stderr, stderr: '', exitCode: 0 }
    } else got = await shell.run(record.command)
    const want = masked(record.command, record)
    const told = masked(record.command, got)
    const same = want.stdout === told.stdout && want.stderr === told.stderr && want.exitCode === told.exitCode
    const listed = DIFFERENCES.some(
      ({ of, command }) => (of ?? name) === name && command.test(record.command),
    )
    if (same && (!listed || ALSO_EQUAL.test(record.command))) result.equal++
    else if (!same && listed) result.listed.push(record)
    else result.surprises.push({ record, want, got: told })
  }
  return result
}

/** Everything equal but what stands on the list; the first surprise is shown. */
export function expectNoSurprises({ equal, listed, surprises }: Replay): void {
  const first = surprises[0]
  if (first !== undefined) {
    const names = surprises.map(({ record }) => `${record.n} ${record.command}`)
    expect(first.got, `${names.join('\n')}\n\nthe first of these:`).toEqual(first.want)
    // Equal, and yet listed as different.
    expect(names, 'on the list of differences, and equal').toEqual([])
  }
  expect(equal).toBeGreaterThanOrEqual(230)
  expect(equal + listed.length).toBe(266)
}
