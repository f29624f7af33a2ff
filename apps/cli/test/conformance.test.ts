import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cli, ROOT } from './run.ts'

const cli = new Cli()

const file = (name: string, text: string): string => {
  const path = join(cli.dir, name)
  writeFileSync(path, text)
  return path
}

const GOOD = `import { refSpec } from '@vnet/conformance'
export const driver = refSpec('mine')
`
const BROKEN = `import { RefDriver, refSpec } from '@vnet/conformance'
export default refSpec('mine', class extends RefDriver {
  deliver(skb) {
    this.counters.rxBytes -= 14n
    super.deliver(skb)
  }
})
`
const FORGETFUL = `import { RefDriver, refSpec } from '@vnet/conformance'
export default refSpec('mine', class extends RefDriver {
  changeMtu(mtu) {
    super.changeMtu(mtu)
    this.counters.rxPackets = 0n
  }
})
`

/** What stands beside the file of somebody's driver: the kit, installed. */
async function installKit(): Promise<void> {
  const folder = join(cli.dir, 'node_modules', '@vnet', 'conformance')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'package.json'),
    '{ "name": "@vnet/conformance", "type": "module", "exports": "./index.js" }',
  )
  await build({
    entryPoints: [join(ROOT, 'packages/conformance/src/index.ts')],
    outfile: join(folder, 'index.js'),
    bundle: true,
    format: 'esm',
    conditions: ['@vnet/source'],
    logLevel: 'silent',
  })
}

beforeAll(async () => {
  await cli.build()
  await installKit()
})
afterAll(() => cli.remove())

describe('vnet conformance', () => {
  it('runs rules on vnet, one line each', async () => {
    const { stdout, stderr, code } = await cli.run(['conformance', '--only', 'TXQ-12,STAT-01', 'mtu-01'])
    expect(stderr).toBe('')
    expect(stdout).toMatch(
      /^ok {4}TXQ-12 .*\nok {4}STAT-01 .*\nok {4}MTU-01 .*\n\nvnet keeps the rules: 3 checks passed, 0 failed, 0 skipped \(seed 1\)\n$/,
    )
    expect(code).toBe(0)
  })

  it('finds the rule that somebody’s driver breaks, with exit code 1', async () => {
    const { stdout, code } = await cli.run([
      'conformance',
      file('broken.mjs', BROKEN),
      '--only',
      'STAT-01,STAT-02',
      '--seed',
      '7',
    ])
    expect(stdout).toContain('FAIL  STAT-01')
    expect(stdout).toContain('ok    STAT-02')
    expect(stdout).toContain('mine breaks 1 rule: 1 checks passed, 1 failed, 0 skipped (seed 7)')
    expect(code).toBe(1)
  })

  it('takes a driver that is exported by name, and prints JSON', async () => {
    const { stdout, code } = await cli.run([
      'conformance',
      file('good.mjs', GOOD),
      '--only',
      'STAT-01',
      '--json',
    ])
    expect(JSON.parse(stdout)).toMatchObject({
      driver: 'mine',
      seed: 1,
      passed: 1,
      failed: 0,
      broken: {},
      checks: [{ id: 'STAT-01', status: 'pass' }],
    })
    expect(code).toBe(0)
  })

  it('prints the table of rules and mutants', async () => {
    const { stdout, code } = await cli.run(['conformance', '--mutants', '--only', 'LINK-07,LINK-08'])
    expect(stdout).toMatch(
      /LINK-07 {2}not applicable: .*\nLINK-08 {2}checked, no mutant: .*\n\nrules 2: 1 checked, 0 with a mutant caught, 1 not applicable\n$/,
    )
    expect(code).toBe(0)
  })

  it.each([
    ['a file that is not there', 'nowhere.mjs', undefined, 'No such file or directory'],
    ['an empty file', 'empty.mjs', '', 'it exports no driver; export default { name, create'],
    [
      'a file that throws',
      'throws.mjs',
      'throw new Error("no card")',
      'it throws when it is imported: no card',
    ],
    ['a number', 'number.mjs', 'export default 3', 'its export is number, not a description of a driver'],
    ['a driver without a name', 'nameless.mjs', 'export default { create() {} }', 'it has no name'],
    [
      'a driver that cannot be made',
      'unmade.mjs',
      'export default { name: "x" }',
      'it has no function create',
    ],
  ])('refuses %s', async (_what, name, text, sentence) => {
    const path = text === undefined ? join(cli.dir, name) : file(name, text)
    const { stdout, stderr, code } = await cli.run(['conformance', path])
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^vnet: could not load driver \S+: /)
    expect(stderr).toContain(sentence)
    expect(code).toBe(1)
  })

  it('refuses a folder', async () => {
    const { stderr, code } = await cli.run(['conformance', cli.dir])
    expect(stderr).toContain('Is a directory')
    expect(code).toBe(1)
  })

  it.each([
    [['--only', 'TXQ-99'], 'there is no rule TXQ-99'],
    [['--seed', 'x'], '--seed is a whole number'],
    [['a.mjs', 'b.mjs'], 'one driver at a time'],
    [['a.mjs', '--mutants'], '--mutants tests the kit itself'],
  ])('refuses %j with exit code 2', async (words, sentence) => {
    const { stderr, code } = await cli.run(['conformance', ...words])
    expect(stderr).toContain(sentence)
    expect(code).toBe(2)
  })
})

describe('vnet soak', () => {
  it('lives so many lives and finds nothing wrong with vnet', async () => {
    const { stdout, code } = await cli.run(['soak', '--episodes', '2', '--seed', '5'])
    expect(stdout).toMatch(/^vnet: 2 lives of the driver, 400 operations, .*\nnothing broken: /)
    expect(code).toBe(0)
  })

  it('prints the shortest way to a failure', async () => {
    const { stdout, code } = await cli.run(['soak', file('forgetful.mjs', FORGETFUL), '--episodes', '5'])
    expect(stdout).toMatch(/^STAT-05 is broken: rxPackets went back from \d+ to 0/)
    expect(stdout).toMatch(
      / {2}receive .*\n(.*\n)* {2}mtu \d+\nagain: vnet soak \S+forgetful.mjs --episodes 1 --seed \d+ /,
    )
    expect(code).toBe(1)
  })

  it('ends at Ctrl-C with what it did so far', async () => {
    const running = cli.run(['soak', '--minutes', '5'], { when: 'soak:', signal: 'SIGINT', on: 'stderr' })
    const { stdout, code } = await running
    expect(stdout).toContain('nothing broken')
    expect(code).toBe(130)
  })

  it('refuses a time that is none', async () => {
    const { stderr, code } = await cli.run(['soak', '--minutes', 'long'])
    expect(stderr).toContain("--minutes is a number above 0, not 'long'")
    expect(code).toBe(2)
  })
})
