import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { CommandError } from '../../src/errors.ts'
import { readLabFile } from '../../src/lab/file/read.ts'
import { isRoot, Machines, NOBODY, until } from '../machines.ts'
import { Cli, ROOT, type Ended } from '../run.ts'

// Each step starts processes, on a host that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const EXAMPLE = join(ROOT, 'fixtures', 'lab-router.json')
const folder = mkdtempSync(join(tmpdir(), 'vnet-labfile-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A file with this in it. */
function labFile(content: unknown, name = 'test.json'): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

/** What is wrong with a file, line by line, without its path. */
function problems(content: unknown, name?: string): string[] {
  const path = labFile(content, name)
  try {
    readLabFile(path)
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError)
    return (error as Error).message.split('\n').map((line) => line.replace(`${path}: `, ''))
  }
  return []
}

/** A lab of one machine with one card, with changes. */
const one = (card: object, machine: object = {}, lab: object = {}): object => ({
  switches: ['lan'],
  machines: [{ name: 'a', cards: [{ cable: 'switch:lan', ...card }], ...machine }],
  ...lab,
})

describe('the file of a lab', () => {
  it('the example is right', () => {
    const { name, lab } = readLabFile(EXAMPLE)
    expect([name, lab.machines.map((machine) => machine.cards.length)]).toEqual(['router', [1, 1, 2, 1]])
    expect(lab.cables['uplink']!.delay).toBe(5e6)
  })

  it('is named after the file when it has no name', () => {
    expect(readLabFile(labFile(one({}), 'office.json')).name).toBe('office')
    expect(problems(one({}), 'my lab.json')[0]).toContain('name: "my lab" is no name for a lab')
  })

  it.each<[what: string, content: unknown, ...expected: string[]]>([
    ['no JSON', '{', expect.stringMatching(/^this is no JSON: /) as unknown as string],
    ['a text', '"lab"', 'the file: expected an object with "machines", found "lab"'],
    ['nothing', {}, 'machines: is missing; expected a list of machines, at least one'],
    ['no machine', { machines: [] }, 'machines: expected a list of machines, at least one, found []'],
    [
      'a number',
      { machines: [7] },
      'machines[0]: expected a machine, such as { "name": "a", "cards": [] }, found 7',
    ],
    [
      'an unknown entry',
      one({ speed: 1 }),
      'machines[0].cards[0].speed: there is no such entry; known are cable, faults, addresses, parameters, mac, mtu, up',
    ],
    [
      'an unknown word above',
      one({}, {}, { switch: [] }),
      'switch: there is no such entry; known are name, faults, switches, cables, machines',
    ],
    [
      'an address without a length',
      one({ addresses: ['10.0.0.1', 'fd00::1/129'] }),
      'machines[0].cards[0].addresses[0]: expected an address with the length of its network, such as "10.0.0.1/24" or "fd00::1/64", found "10.0.0.1"',
      'machines[0].cards[0].addresses[1]: expected an address with the length of its network, such as "10.0.0.1/24" or "fd00::1/64", found "fd00::1/129"',
    ],
    [
      'faults nobody knows',
      one({ faults: 'drop=1%,burn=2%' }),
      expect.stringMatching(
        /^machines\[0\]\.cards\[0\]\.faults: faults: unknown fault "burn"; known are drop, /,
      ) as unknown as string,
    ],
    [
      'faults that are no text',
      one({}, {}, { faults: 5 }),
      'faults: expected faults, such as "drop=1%,delay=5ms", found 5',
    ],
    [
      'a ring of 100',
      one({ parameters: { rx_ring: 100 } }),
      expect.stringMatching(
        /^machines\[0\]\.cards\[0\]\.parameters\.rx_ring: rx_ring: /,
      ) as unknown as string,
    ],
    [
      '17 queues',
      one({ parameters: { queues: 17 } }),
      'machines[0].cards[0].parameters.queues: queues: must be at most 16',
    ],
    [
      'a parameter nobody has',
      one({ parameters: { backend: 'null' } }),
      expect.stringContaining(
        'machines[0].cards[0].parameters.backend: there is no such entry; known are tx_ring',
      ) as unknown as string,
    ],
    [
      'a route to nowhere',
      one({}, { routes: [{ to: 'there', via: '10.0.0.1' }] }),
      'machines[0].routes[0].to: expected "default", or a network such as "10.1.0.0/24", found "there"',
    ],
    [
      'a route without a way',
      one({}, { routes: [{ to: 'default' }] }),
      'machines[0].routes[0].via: is missing; expected an address, such as "10.0.0.1"',
    ],
    [
      'a group as address',
      one({ mac: '01:00:00:00:00:01' }),
      'machines[0].cards[0].mac: expected an Ethernet address of one card, such as "02:00:00:00:00:01", found "01:00:00:00:00:01"',
    ],
    [
      'a delay without a unit',
      one({}, {}, { cables: { ab: { delay: '5' } } }),
      'cables.ab.delay: expected a time, such as "1ms" or "500us", found "5"',
    ],
    [
      'a cable that is no object',
      one({}, {}, { cables: { ab: 5 } }),
      'cables.ab: expected how the cable is, such as { "delay": "1ms" }, found 5',
    ],
    [
      'two of one name',
      {
        machines: [
          { name: 'a', cards: [] },
          { name: 'a', cards: [] },
        ],
      },
      'machines[1].name: expected a name of its own, found "a" again',
    ],
    [
      'a switch that is not there',
      one({ cable: 'switch:wan' }),
      'machines[0].cards[0].cable: expected one of "switch:lan", found "switch:wan"',
    ],
    [
      'a patch cable that is not there',
      one({ cable: 'patch:ab' }),
      'machines[0].cards[0].cable: expected a patch of the list "cables", which is empty, found "patch:ab"',
    ],
    [
      'a cable with one end',
      one({ cable: 'patch:ab' }, {}, { cables: { ab: {} } }),
      'cables.ab: expected two cards with the cable "patch:ab", found 1',
    ],
    [
      'a cable nobody makes',
      one({ cable: 'rope:1' }),
      expect.stringMatching(
        /^machines\[0\]\.cards\[0\]\.cable: expected null, loopback, generator, switch:…, patch:…, tap:…, .*found "rope:1"$/,
      ) as unknown as string,
    ],
    [
      'a tap without a name',
      one({ cable: 'tap:' }),
      expect.stringContaining('found "tap:"') as unknown as string,
    ],
  ])('%s', (_what, content, ...expected) => {
    expect(problems(content)).toEqual(expected)
  })

  it('cables named like what every object has are not known, either', () => {
    expect(problems(one({ cable: 'toString' }))[0]).toContain('found "toString"')
    expect(problems(one({ cable: 'constructor:x' }))[0]).toContain('found "constructor:x"')
  })
})

describe('vnet lab up FILE', () => {
  const cli = new Cli()
  let machines: Machines

  beforeAll(() => cli.build())
  afterAll(() => cli.remove())
  beforeEach(() => {
    // Nobody special is needed for this.
    machines = new Machines(cli, isRoot ? NOBODY : undefined)
  })
  afterEach(() => machines.remove())

  const vnet = (...words: string[]): Promise<Ended> => machines.vnet(words)
  const on = (machine: string, ...words: string[]): Promise<Ended> => vnet('--machine', machine, ...words)
  const running = async (): Promise<string[]> =>
    (JSON.parse((await vnet('machines', '--json')).stdout) as { name: string }[]).map(({ name }) => name)

  /** The example where everybody may read it. */
  function example(change: (text: string) => string = (text) => text): string {
    const path = join(machines.cli.dir, 'lab-router.json')
    copyFileSync(EXAMPLE, path)
    writeFileSync(path, change(readFileSync(EXAMPLE, 'utf8')))
    return path
  }

  it('check says what is in it, or what is wrong', async () => {
    const path = example()
    expect(await vnet('lab', 'check', path)).toEqual({
      stdout: `${path}: lab "router": 4 machines, 5 cards\n`,
      stderr: '',
      code: 0,
    })
    const wrong = example((text) => text.replace('10.0.0.2/24', '10.0.0.2'))
    const { stderr, code } = await vnet('lab', 'check', wrong)
    expect(stderr).toMatch(
      /^.*lab-router\.json: machines\[1\]\.cards\[0\]\.addresses\[0\]: expected an address /,
    )
    expect(code).toBe(1)
    expect(await vnet('lab', 'check', '/nowhere.json')).toMatchObject({
      stderr: 'vnet lab: /nowhere.json: there is no such file\n',
      code: 1,
    })
  })

  it('brings up every machine with its cards, and packets go over switch, router and cable', async () => {
    const { stdout, stderr, code } = await vnet('lab', 'up', example())
    expect([stderr, code]).toEqual(['', 0])
    expect(stdout).toContain('vnet --machine alice ping 10.0.0.2')
    expect(await running()).toEqual(['alice', 'bob', 'gate', 'server'])
    expect((await on('alice', 'ping', '-c', '2', '-i', '0.2', '10.0.0.2')).stdout).toContain('2 received')
    expect((await on('alice', 'ping', '-c', '1', 'fd00::fe')).stdout).toContain('1 received')
    // Over the router; the cable loses one frame of a hundred.
    await until(async () => (await on('alice', 'ping', '-c', '1', '-W', '2', '10.1.0.1')).code === 0)
    const { stdout: rtt } = await on('server', 'ping', '-c', '1', '-W', '2', '10.1.0.254')
    expect(Number(/time=([\d.]+) ms/.exec(rtt)?.[1] ?? 10)).toBeGreaterThanOrEqual(10)
    expect((await on('bob', 'ethtool', '-g', 'vnet0')).stdout).toMatch(
      /Current hardware settings:\nRX:\t\t64\n/,
    )
    expect((await on('bob', 'ls', '/sys/class/net/vnet0/queues')).stdout).toContain('rx-1')
    expect((await on('server', 'cat', '/sys/class/net/vnet0/mtu')).stdout).toBe('1400\n')
    expect((await on('gate', 'cable', 'list')).stdout).toMatch(
      /^vnet1 {2}patch:uplink {3}up {2}drop=1%,seed=7 /m,
    )
    expect((await vnet('lab', 'list')).stdout).toContain('machines alice bob gate server')
    expect(await vnet('lab', 'down', 'router')).toEqual({ stdout: '', stderr: '', code: 0 })
    expect([await running(), (await vnet('lab', 'list')).stdout]).toEqual([[], ''])
  })

  it('one machine is switched off by itself, and the others go on', async () => {
    await vnet('lab', 'up', example())
    expect(await on('server', 'poweroff')).toEqual({ stdout: '', stderr: '', code: 0 })
    expect(await running()).toEqual(['alice', 'bob', 'gate'])
    expect((await on('gate', 'cable', 'list')).stdout).toMatch(/^vnet1 {2}patch:uplink {3}down /m)
    expect((await on('bob', 'ping', '-c', '1', '10.0.0.1')).stdout).toContain('1 received')
    for (const name of await running()) await on(name, 'poweroff')
    await until(async () => (await vnet('lab', 'list')).stdout === '')
  })

  it('a name that is taken by another machine: none of the lab is there, the other stays', async () => {
    await on('gate', 'boot', '-d')
    const { stderr, code } = await vnet('lab', 'up', example())
    expect([stderr, code]).toEqual([expect.stringContaining('machine "gate" is already running'), 1])
    expect(await running()).toEqual(['gate'])
    expect((await vnet('lab', 'list')).stdout).toBe('')
  })

  it('what a machine refuses is told with its name, and nothing is left', async () => {
    const path = example((text) => text.replace('"via": "10.1.0.254"', '"via": "172.16.0.1"'))
    const { stderr, code } = await vnet('lab', 'up', path)
    expect([stderr, code]).toEqual([
      expect.stringMatching(/^vnet lab: server: ip route add default via 172\.16\.0\.1: /),
      1,
    ])
    expect(await running()).toEqual([])
  })

  it('a killed one is seen, and its files are removed', async () => {
    await vnet('lab', 'up', example())
    process.kill(machines.pid('alice'), 'SIGKILL')
    await until(async () => (await running()).length === 0)
    expect((await vnet('lab', 'list')).stdout).toBe(
      'router  dead  vnet lab down router removes what it left\n',
    )
    expect((await vnet('lab', 'up', example())).code).toBe(0)
    expect((await on('alice', 'ping', '-c', '1', '10.0.0.254')).stdout).toContain('1 received')
    await vnet('lab', 'down', 'router')
    expect((await vnet('machines')).stderr).toContain('no machine runs')
  })
})
