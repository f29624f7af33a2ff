import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DRV_VERSION } from '@vnet/vnet'
import { CAPTURE, Cli, capture, type Ended } from './run.ts'

const cli = new Cli()
const file = (name: string, bytes: Uint8Array | string): string => {
  const path = join(cli.dir, name)
  writeFileSync(path, bytes)
  return path
}
const replay = (...args: string[]): Promise<Ended> => cli.run(['replay', CAPTURE, ...args])

beforeAll(async () => {
  await cli.build()
  mkdirSync(join(cli.dir, 'fixtures'))
  copyFileSync(CAPTURE, join(cli.dir, 'fixtures', 'office.pcap'))
})
afterAll(() => cli.remove())

describe('vnet', () => {
  it('says its version, which is that of the driver', async () => {
    const { stdout, code } = await cli.run(['--version'])
    expect(stdout).toBe(`vnet ${DRV_VERSION} (node ${process.version})\n`)
    expect(code).toBe(0)
  })

  it('helps, without colour when piped', async () => {
    const { stdout, code } = await cli.run(['--help'])
    expect(stdout).toMatch(/demo .*\n.*replay .*\n/)
    expect(stdout).toMatch(/modinfo .*\n/)
    expect(stdout).not.toContain('\u001B')
    expect(code).toBe(0)
  })

  it.each(['insmod', 'dmesg', 'modinfo', 'tee'])(
    'says how %s is used, also while no machine runs',
    async (name) => {
      const { stdout, code } = await cli.run([name, '--help'])
      expect(stdout).toMatch(new RegExp(`^Usage: ${name} `))
      expect(code).toBe(0)
    },
  )

  it.each([['fly'], ['replay', 'x', '--fly'], ['replay']])(
    'refuses %s %s %s with exit code 2',
    async (...args) => {
      const { stderr, code } = await cli.run(args)
      expect(stderr).toContain('--help')
      expect(stderr.split('\n')).toHaveLength(2)
      expect(code).toBe(2)
    },
  )

  it('prints the module like modinfo', async () => {
    const { stdout } = await cli.run(['modinfo'])
    expect(stdout).toContain('license:        Dual MIT/GPL\n')
    expect(stdout).toContain('parm:           tx_ring:')
  })
})

describe('vnet replay', () => {
  it('receives exactly what the capture holds', async () => {
    const { stdout, stderr, code } = await replay('--json')
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      file: CAPTURE,
      offered: { frames: 1890, bytes: 617_448 },
      received: { frames: 1890, bytes: 617_448 },
      missed: 0,
      dropped: 0,
      duplicated: 0,
      errors: 0,
      etherTypes: [
        { type: '0x0800', frames: 1855 },
        { type: '0x86dd', frames: 19 },
        { type: '0x88b6', frames: 8 },
        { type: '0x0806', frames: 4 },
        { type: '802.3', frames: 1 },
        { type: '0x8100', frames: 1 },
        { type: '0x88b5', frames: 1 },
        { type: '0x88cc', frames: 1 },
      ],
      balanced: true,
      damage: null,
      violations: [],
      leaked: [],
    })
  })

  it('RX-06 counts what a ring of 8 misses without pauses', async () => {
    const { stdout } = await replay('--json', '--rx-ring', '8', '--no-pauses')
    const { received, missed, balanced } = JSON.parse(stdout) as {
      received: { frames: number }
      missed: number
      balanced: boolean
    }
    expect(received.frames + missed).toBe(1890)
    expect(missed).toBeGreaterThan(0)
    expect(balanced).toBe(true)
  })

  it('agrees with itself byte for byte under a seed, and not under another', async () => {
    const faults = ['drop=10%', 'duplicate=2%', 'reorder=5%', 'corrupt=1%', 'delay=1ms', '--frames']
    const [a, b, c] = await Promise.all([
      replay(...faults, '--seed', '7'),
      replay(...faults, '--seed', '7'),
      replay(...faults, '--seed', '8'),
    ])
    expect(a.code).toBe(0)
    expect(a.stdout).toBe(b.stdout)
    expect(a.stdout).not.toBe(c.stdout)
  })

  it('keeps the time of the capture, and repeats it', async () => {
    const { stdout, code } = await replay('--speed', 'original', '--loop', '3')
    expect(stdout).toContain('5,670 frames, 1,852,344 bytes\n')
    expect(code).toBe(0)
  })

  it('writes what reached the card, and reads that again', async () => {
    const copy = join(cli.dir, 'copy.pcapng')
    await replay('--write', copy)
    const { stdout } = await cli.run(['replay', copy])
    expect(stdout).toContain('1,890 frames, 617,448 bytes\n')
  })

  it.each<[string, () => string, RegExp]>([
    ['a missing file', () => '/no/such.pcap', /no such file/],
    ['a directory', () => cli.dir, /is a directory/],
    ['an empty file', () => file('empty.pcap', ''), /empty/],
    ['a text', () => file('text.pcap', 'hello, world, this is no capture'), /neither pcap nor pcapng/],
    ['a gzip', () => file('x.pcap.gz', gzipSync(capture())), /gunzip first/],
  ])('says what is wrong with %s', async (_what, path, message) => {
    const { stdout, stderr, code } = await cli.run(['replay', path()])
    expect(stderr).toMatch(message)
    expect(stderr.split('\n')).toHaveLength(2)
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })

  it('delivers what stands before the damage of a truncated file', async () => {
    const { stdout, stderr, code } = await cli.run([
      'replay',
      file('cut.pcap', capture().subarray(0, 100_000)),
    ])
    expect(stdout).toContain('140 frames')
    expect(stderr).toMatch(/cut short.*at byte 100000/)
    expect(code).toBe(1)
  })

  it.each(['0', '3', '1048576', '-8', 'many'])('refuses a receive ring of %s', async (size) => {
    const { stderr, code } = await replay(`--rx-ring=${size}`)
    expect(stderr).toMatch(/--rx-ring/)
    expect(code).toBe(2)
  })

  it.each(['drop=200%', 'shake=1%', 'drop', 'seed=-1'])('refuses the fault %s', async (fault) => {
    const { stderr, code } = await replay('--faults', fault)
    expect(stderr).toMatch(/^vnet replay: /)
    expect(code).toBe(2)
  })
})

describe('vnet demo', () => {
  it('shows the driver at work, and accounts for every frame', async () => {
    const { stdout, stderr, code } = await cli.run(['demo', '--virtual'])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(stdout.match(/"Hello from vnet RX"/g)).toHaveLength(5)
    expect(stdout).toContain('ring ████████████████████████████████ 16/16')
    expect(stdout).toContain('1,890 frames, 617,448 bytes received, 0 missed')
    expect(stdout).toContain('in    1,895 = 1,895 received + 0 missed + 0 dropped')
    expect(stdout).toMatch(/Every frame accounted for, nothing leaked, no rule broken\.\n$/)
    expect(stdout).not.toContain('\u001B')
    const stops = /stopped (\d+) times and woke (\d+) times/.exec(stdout)!
    expect(Number(stops[1])).toBeGreaterThan(0)
    expect(stops[1]).toBe(stops[2])
    // iproute2's own first line is longer than a terminal is wide.
    expect(stdout.split('\n').filter((l) => l.length > 80 && !l.includes('<BROADCAST'))).toEqual([])
  })

  it('is the same each time on the virtual clock', async () => {
    const [a, b] = await Promise.all([cli.run(['demo', '--virtual']), cli.run(['demo', '--virtual'])])
    expect(a.stdout).toBe(b.stdout)
  })

  it('runs in real time too', async () => {
    const { stdout, code } = await cli.run(['demo'])
    expect(stdout).toContain('Every frame accounted for')
    expect(code).toBe(0)
  })

  it('unloads and accounts when it is interrupted', async () => {
    const { stdout, code } = await cli.run(['demo'], { when: 'Hello from vnet RX', signal: 'SIGINT' })
    expect(stdout).toContain('interrupted: unloading')
    expect(stdout).toContain('unregistering device vnet0')
    expect(stdout).toContain('Every frame accounted for')
    expect(code).toBe(130)
  })

  const GOOD = `export default { name: 'probe', license: 'GPL', params: { n: { type: 'int', default: 1, description: 'a number' } },
    init(ctx) { ctx.data = ctx.params.n }, exit() {} }`

  it('loads a module file of another author, and unloads it', async () => {
    const { stdout, stderr, code } = await cli.run([
      'demo',
      '--virtual',
      '--insmod',
      file('probe.mjs', GOOD),
      'n=3',
    ])
    expect(stderr).toBe('')
    expect(stdout).toContain('probe.mjs n=3')
    expect(code).toBe(0)
  })

  it.each<[string, string, RegExp]>([
    ['throws', 'throw new Error("boom")', /it throws when it is imported: boom/],
    ['exports nothing', 'const a = 1', /exports no module/],
    ['exports a number', 'export default 7', /its export is number/],
    ['has no init', 'export default { name: "x", license: "GPL" }', /no function init/],
    [
      'fails in init',
      'export default { name: "x", license: "GPL", init() { throw new Error("no card") } }',
      /no card/,
    ],
  ])('refuses a module file that %s', async (what, text, message) => {
    const { stdout, stderr, code } = await cli.run([
      'demo',
      '--virtual',
      '--insmod',
      file(`${what.replace(/ /g, '-')}.mjs`, text),
    ])
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^insmod: ERROR: /)
    expect(stderr.split('\n')).toHaveLength(2)
    expect(stdout).not.toContain('TypeError')
    expect(code).toBe(1)
  })

  it('refuses a module file that is not there', async () => {
    const { stderr, code } = await cli.run(['demo', '--virtual', '--insmod', '/no/such.js'])
    expect(stderr).toBe('insmod: ERROR: could not load module /no/such.js: No such file or directory\n')
    expect(code).toBe(1)
  })
})
