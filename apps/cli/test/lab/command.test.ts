import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { labProblem } from '../../src/lab/namespaces.ts'
import { isRoot, Machines, NOBODY, skipUnless, until } from '../machines.ts'
import { Cli, type Ended } from '../run.ts'

// Each step starts processes, on a host that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const run = promisify(execFile)
const problem = labProblem()
const needs = { skip: skipUnless(`vnet lab: ${problem ?? ''}`, problem === null) }
const NAME = `vnetcmd${process.pid}`

const cli = new Cli()
let machines: Machines

beforeAll(() => cli.build())
afterAll(() => cli.remove())

const vnet = (...words: string[]): Promise<Ended> => machines.vnet(words)
const inLab = (...words: string[]): Promise<Ended> => machines.vnet(['--machine', NAME, ...words])
const inside = async (side: string, ...words: string[]): Promise<string> =>
  (await run('ip', ['netns', 'exec', `${NAME}-${side}`, ...words], { timeout: 60_000 })).stdout
const spaces = (): string[] =>
  existsSync('/run/netns')
    ? readdirSync('/run/netns')
        .filter((name) => name.startsWith(NAME))
        .sort()
    : []
const left = (): string[] => (existsSync(machines.folder) ? readdirSync(machines.folder) : [])

describe('vnet lab', () => {
  beforeEach(() => {
    machines = new Machines(cli)
  })
  afterEach(async () => {
    await vnet('lab', 'down', NAME)
    await machines.remove()
  })

  it('up, look around, down: nothing is left', needs, async () => {
    const up = await vnet('lab', 'up', NAME, '--delay', '1ms')
    expect([up.stderr, up.code]).toEqual(['', 0])
    expect(up.stdout).toContain(`ip netns exec ${NAME}-a ping 10.78.0.2`)
    expect(await inside('a', 'ping', '-q', '-c', '3', '-i', '0.1', '10.78.0.2')).toContain('3 received')
    expect(await inside('b', 'ping', '-q', '-c', '1', 'fd78::1')).toContain('1 received')
    const links = (await inLab('ip', '-s', 'link')).stdout
    expect([...links.matchAll(/^\d+: (\w+): <.*LOWER_UP/gm)].map(([, name]) => name)).toEqual([
      'lo',
      'vnet0',
      'vnet1',
    ])
    expect((await inLab('dmesg')).stdout).toContain(`vnet_lab: ${NAME}-a and ${NAME}-b are joined`)
    expect((await vnet('lab', 'list')).stdout).toContain(`machines ${NAME}  namespaces ${NAME}-a ${NAME}-b`)
    expect(await vnet('lab', 'down', NAME)).toEqual({ stdout: '', stderr: '', code: 0 })
    expect([spaces(), left()]).toEqual([[], []])
    expect(await vnet('lab', 'list')).toEqual({
      stdout: '',
      stderr: 'there is no lab; vnet lab up makes one\n',
      code: 0,
    })
  })

  it(
    'its cable can be cut, mended and made worse; faults count on the command line, too',
    needs,
    async () => {
      await vnet('lab', 'up', NAME, 'drop=100%')
      await expect(inside('a', 'ping', '-q', '-c', '1', '-W', '1', '10.78.0.2')).rejects.toThrow()
      expect((await inLab('cable', 'list')).stdout).toMatch(
        new RegExp(`^vnet0 {2}patch:${NAME} {2}up {2}drop=100% .*dropped=[1-9]`),
      )
      await inLab('cable', 'plug', 'vnet0', `patch:${NAME}`)
      expect(await inside('a', 'ping', '-q', '-c', '1', '-W', '5', '10.78.0.2')).toContain('1 received')
      await inLab('cable', 'cut', 'vnet1')
      await expect(inside('a', 'ping', '-q', '-c', '1', '-W', '1', '10.78.0.2')).rejects.toThrow()
      expect((await inLab('cat', '/sys/class/net/vnet0/carrier')).stdout).toBe('0\n')
      await inLab('cable', 'repair', 'vnet1')
      await until(async () => (await inLab('cat', '/sys/class/net/vnet0/carrier')).stdout === '1\n')
      expect(await inside('a', 'ping', '-q', '-c', '1', '-W', '5', '10.78.0.2')).toContain('1 received')
    },
  )

  it('vnet poweroff ends it as well, and takes the namespaces along', needs, async () => {
    await vnet('lab', 'up', NAME)
    expect((await inLab('poweroff')).code).toBe(0)
    expect([spaces(), (await vnet('lab', 'list')).stdout]).toEqual([[], ''])
    expect(left().filter((file) => !file.endsWith('.log'))).toEqual([])
  })

  it('rmmod vnet_lab takes it apart and leaves nothing in the kernel', needs, async () => {
    await vnet('lab', 'up', NAME)
    expect((await inLab('rmmod', 'vnet_lab')).code).toBe(0)
    expect((await inLab('ip', 'link')).stdout).not.toContain('vnet0')
    expect((await inLab('dmesg')).stdout).not.toMatch(/leak|WARNING|was removed/)
  })

  it('what a killed process left is removed by the next up, or down', needs, async () => {
    for (const next of ['up', 'down']) {
      await vnet('lab', 'up', NAME)
      process.kill(machines.pid(NAME), 'SIGKILL')
      await until(async () => (await vnet('machines', '--json')).stdout === '[]\n')
      expect(spaces()).toHaveLength(2)
      expect((await vnet('lab', 'list')).stdout).toBe(
        `${NAME}  dead  vnet lab down ${NAME} removes what it left\n`,
      )
      expect(await vnet('lab', next, NAME)).toMatchObject({ stderr: '', code: 0 })
      if (next === 'up')
        expect(await inside('a', 'ping', '-q', '-c', '1', '10.78.0.2')).toContain('1 received')
      await vnet('lab', 'down', NAME)
      expect([spaces(), left()]).toEqual([[], []])
    }
  })

  it('refuses what is there already, and touches nothing of it', needs, async () => {
    await run('ip', ['netns', 'add', `${NAME}-b`])
    try {
      const { stderr, code } = await vnet('lab', 'up', NAME)
      expect([stderr, code]).toEqual([
        `vnet lab: there is a namespace ${NAME}-b already, which this lab did not make; choose another name: vnet lab up NAME\n`,
        1,
      ])
      expect(spaces()).toEqual([`${NAME}-b`])
    } finally {
      await run('ip', ['netns', 'del', `${NAME}-b`])
    }
    await vnet('lab', 'up', NAME)
    expect(await vnet('lab', 'up', NAME)).toEqual({
      stdout: '',
      stderr: `vnet lab: lab "${NAME}" is up already; vnet lab down ${NAME} ends it\n`,
      code: 1,
    })
    expect(await inside('a', 'ping', '-q', '-c', '1', '10.78.0.2')).toContain('1 received')
  })

  it('a machine that has the name stays as it is', needs, async () => {
    await vnet('--machine', NAME, 'boot', '-d')
    expect(await vnet('lab', 'up', NAME)).toMatchObject({
      stderr: expect.stringContaining(`machine "${NAME}" is already running`),
      code: 1,
    })
    expect([spaces(), (await inLab('uname', '-n')).stdout]).toEqual([[], `${NAME}\n`])
    expect((await vnet('lab', 'down', NAME)).code).toBe(1)
    expect((await inLab('uname', '-n')).stdout).toBe(`${NAME}\n`)
  })

  it.each([
    [['up', 'a', 'b'], 'write vnet lab up [NAME] [FAULTS…]'],
    [['up', 'drop=2'], 'drop=2 is not understood'],
    [['up', '--delay', '5'], '--delay: "5" is no time; write 1ms or 500us'],
    [['up', '--fast'], 'there is no option --fast'],
    [['up', '-x-'], 'there is no option -x-'],
    [['up', 'a b'], '"a b" is no name for a machine'],
    [['around'], 'there is no command around'],
    [[], 'Usage: vnet lab up'],
    [['check'], 'write vnet lab check FILE'],
  ])('lab %j is a mistake, told with exit code 2', async (words, sentence) => {
    const { stderr, code } = await vnet('lab', ...words)
    expect(stderr).toContain(sentence)
    expect(code).toBe(2)
  })

  it('down without a lab says so', async () => {
    expect(await vnet('lab', 'down', NAME)).toEqual({
      stdout: '',
      stderr: `vnet lab: there is no lab "${NAME}"; vnet lab list shows those there are\n`,
      code: 1,
    })
  })
})

describe('vnet lab without root', () => {
  it('says that it needs root', { skip: skipUnless('another user: needs root', isRoot) }, async () => {
    machines = new Machines(cli, NOBODY)
    try {
      const { stderr, stdout, code } = await vnet('lab', 'up', NAME)
      expect([stdout, stderr, code]).toEqual(['', `vnet lab: ${expectedProblem()}\n`, 1])
      expect(left()).toEqual([])
    } finally {
      await machines.remove()
    }
  })
})

function expectedProblem(): string {
  const source = readFileSync(new URL('../../src/lab/namespaces.ts', import.meta.url), 'utf8')
  return /'(making network namespaces needs root[^']*)'/.exec(source)![1]!
}
