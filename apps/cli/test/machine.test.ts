import { spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { isRoot, Machines, NOBODY, said, skipUnless, until } from './machines.ts'
import { Cli, type Ended } from './run.ts'

// Each step starts processes, on a host that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const cli = new Cli()
let machines: Machines

beforeAll(() => cli.build())
afterAll(() => cli.remove())
beforeEach(() => {
  machines = new Machines(cli)
})
afterEach(() => machines.remove())

const ALIVE = (pid: number): boolean => {
  try {
    return process.kill(pid, 0) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

describe('vnet boot', () => {
  it('starts a machine in the background, and poweroff ends it without a trace', async () => {
    expect(await machines.vnet(['boot', '-d'])).toEqual({ stdout: '', stderr: '', code: 0 })
    const pid = machines.pid()
    const links = await machines.vnet(['ip', 'link'])
    expect(links.stdout).toMatch(/^1: lo: </)
    expect(links.code).toBe(0)
    expect(await machines.vnet(['poweroff'])).toEqual({ stdout: '', stderr: '', code: 0 })
    expect(ALIVE(pid)).toBe(false)
    expect(existsSync(machines.file('default.sock'))).toBe(false)
    expect(existsSync(machines.file('default.pid'))).toBe(false)
    expect(readFileSync(machines.file('default.log'), 'utf8')).toContain('Power down')
  })

  it('lets nobody else connect', async () => {
    await machines.vnet(['boot', '-d'])
    expect(statSync(machines.file('default.sock')).mode & 0o777).toBe(0o600)
    expect(statSync(machines.folder).mode & 0o777).toBe(0o700)
    expect(statSync(machines.file('default.log')).mode & 0o777).toBe(0o600)
  })

  it('refuses a second machine of the same name, and leaves the first alone', async () => {
    await machines.vnet(['boot', '-d'])
    for (const args of [['boot'], ['boot', '-d']]) {
      const { stderr, code } = await machines.vnet(args)
      expect(stderr).toBe(
        `vnet boot: machine "default" is already running (pid ${machines.pid()}); vnet poweroff ends it\n`,
      )
      expect(code).toBe(1)
    }
    expect((await machines.vnet(['ip', 'link'])).code).toBe(0)
  })

  it('starts one of ten that are started at once', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => machines.vnet(['boot', '-d'])))
    expect(all.filter(({ code }) => code === 0)).toHaveLength(1)
    expect((await machines.vnet(['ip', 'link'])).code).toBe(0)
  })

  it('runs two machines that know nothing of each other', async () => {
    await Promise.all([
      machines.vnet(['--machine', 'a', 'boot', '-d']),
      machines.vnet(['--machine=b', 'boot', '-d']),
    ])
    await machines.vnet(['--machine', 'a', 'insmod', 'vnet'])
    expect((await machines.vnet(['--machine', 'a', 'ip', 'link'])).stdout).toContain('vnet0')
    expect((await machines.vnet(['ip', 'link'], { env: { VNET_MACHINE: 'b' } })).stdout).not.toContain(
      'vnet0',
    )
    expect((await machines.vnet(['machines'])).stdout).toMatch(/^a {2}pid \d+ .*\nb {2}pid \d+ .*\n$/)
  })

  it('recovers what a machine that was killed left behind', async () => {
    await machines.vnet(['boot', '-d'])
    const pid = machines.pid()
    process.kill(pid, 'SIGKILL')
    await until(() => !ALIVE(pid))
    expect(existsSync(machines.file('default.sock'))).toBe(true)
    expect((await machines.vnet(['ip', 'link'])).stderr).toBe(
      'vnet: no machine runs; start one: vnet boot -d\n',
    )
    expect((await machines.vnet(['boot', '-d'])).code).toBe(0)
    expect(machines.pid()).not.toBe(pid)
    expect((await machines.vnet(['ip', 'link'])).code).toBe(0)
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends cleanly on %s, with its log on the terminal',
    async (signal) => {
      const { stdout, code } = await machines.vnet(['boot'], { interrupt: { when: 'Linux version', signal } })
      expect(stdout).toContain(`vnet: ${signal}: powering off\n`)
      expect(code).toBe(0)
      expect(existsSync(machines.file('default.sock'))).toBe(false)
      expect(existsSync(machines.file('default.pid'))).toBe(false)
    },
  )

  it('survives a full disk under its log', async () => {
    mkdirSync(machines.folder, { mode: 0o700 })
    symlinkSync('/dev/full', machines.file('default.log'))
    expect((await machines.vnet(['boot', '-d'])).code).toBe(0)
    expect((await machines.vnet(['insmod', 'vnet'])).code).toBe(0)
    expect((await machines.vnet(['dmesg'])).stdout).toContain('registered device vnet0')
  })

  it.each(['', '../x', 'a b', 'x'.repeat(33)])('refuses the name "%s"', async (name) => {
    const { stderr, code } = await machines.vnet([`--machine=${name}`, 'boot', '-d'])
    expect(stderr).toContain('is no name for a machine')
    expect(code).toBe(2)
  })

  it('refuses a folder that could be somebody else’s', async () => {
    symlinkSync('/tmp', machines.folder)
    const { stderr, code } = await machines.vnet(['boot', '-d'])
    expect(stderr).toContain('is no folder')
    expect(code).toBe(1)
  })

  it('takes a folder back that others could read', async () => {
    mkdirSync(machines.folder)
    chmodSync(machines.folder, 0o777)
    expect((await machines.vnet(['boot', '-d'])).code).toBe(0)
    expect(statSync(machines.folder).mode & 0o777).toBe(0o700)
  })

  it.skipIf(skipUnless('a machine of another user needs root', isRoot))(
    'is an ordinary user’s, too',
    async () => {
      const theirs = new Machines(cli, NOBODY)
      expect(await theirs.vnet(['boot', '-d'])).toEqual({ stdout: '', stderr: '', code: 0 })
      expect(statSync(theirs.file('default.sock')).uid).toBe(NOBODY)
      expect((await theirs.vnet(['insmod', 'vnet'])).code).toBe(0)
      expect((await theirs.vnet(['ip', 'link'])).stdout).toContain('vnet0')
      await theirs.remove()
    },
  )

  it('says what to do when no machine runs', async () => {
    for (const args of [['ip', 'link'], ['exec', '--', 'true'], ['shell'], ['dmesg']]) {
      const { stderr, code } = await machines.vnet(args)
      expect(stderr).toBe('vnet: no machine runs; start one: vnet boot -d\n')
      expect(code).toBe(1)
    }
    expect((await machines.vnet(['poweroff'])).stderr).toBe('vnet poweroff: no machine "default" runs\n')
    expect((await machines.vnet(['machines', '--json'])).stdout).toBe('[]\n')
  })
})

describe('a machine and its clients', () => {
  beforeEach(async () => {
    await machines.vnet(['boot', '-d'])
    await machines.vnet(['insmod', 'vnet'])
  })

  it('closes the connection of a client that talks nonsense, and no other', async () => {
    const socket = connect(machines.file('default.sock')).resume()
    socket.on('error', () => {})
    // socket(AF_NETLINK), a bind that wants 12 bytes copied in, and then no status but noise.
    const words = new BigUint64Array([
      0n,
      16n,
      3n,
      0n,
      0n,
      0n,
      0n,
      1n,
      4096n,
      12n,
      0n,
      0n,
      0n,
      0n,
      77n,
      77n,
      77n,
    ])
    socket.write(new Uint8Array(words.buffer))
    await new Promise((resolve) => socket.on('close', resolve))
    expect((await machines.vnet(['ip', 'link'])).code).toBe(0)
  })

  it('serves others while one floods, one half-closes and one never reads', async () => {
    const path = machines.file('default.sock')
    const uname = new BigUint64Array([34n, 4096n, 390n, 0n, 0n, 0n, 0n])
    const flood = connect(path)
    const mute = connect(path)
    const half = connect(path)
    for (const socket of [flood, mute, half]) socket.on('error', () => {})
    half.end(new Uint8Array(uname.buffer, 0, 20))
    mute.pause()
    const many = new Uint8Array(56 * 4000)
    for (let at = 0; at < many.length; at += 56) many.set(new Uint8Array(uname.buffer), at)
    for (let i = 0; i < 40; i++) {
      flood.write(many)
      mute.write(many)
    }
    const all = await Promise.all([machines.vnet(['ip', 'link']), machines.vnet(['ip', 'link'])])
    expect(all.map(({ code }) => code)).toEqual([0, 0])
    const memory = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${machines.pid()}/status`, 'utf8'))!
    expect(Number(memory[1])).toBeLessThan(300_000)
    for (const socket of [flood, mute]) socket.destroy()
  })

  it('survives noise', async () => {
    const noise = new Uint8Array(4096)
    let state = 1
    const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16
    for (let round = 0; round < 200; round++) {
      // Half of them begin as a request does: a small number.
      for (let i = 0; i < noise.length; i++) noise[i] = random()
      if (round % 2 === 0) noise.set([random() % 40, 0, 0, 0, 0, 0, 0, 0])
      const socket = connect(machines.file('default.sock')).resume()
      socket.on('error', () => {})
      await new Promise((resolve) => {
        socket.on('close', resolve)
        socket.end(noise.subarray(0, random() % noise.length), () => socket.destroy())
      })
    }
    expect((await machines.vnet(['ip', 'link'])).code).toBe(0)
    expect((await machines.vnet(['dmesg'])).stdout).not.toMatch(/syscall: \d+:/)
  })

  it('has 200 clients at once', async () => {
    const request = new Uint8Array(new BigUint64Array([0n, 16n, 3n, 0n, 0n, 0n, 0n]).buffer)
    const sockets = await Promise.all(
      Array.from(
        { length: 200 },
        () =>
          new Promise<ReturnType<typeof connect>>((resolve, reject) => {
            const socket = connect(machines.file('default.sock'), () => socket.write(request))
            socket.on('data', () => resolve(socket))
            socket.on('error', reject)
          }),
      ),
    )
    expect((await machines.vnet(['ip', 'link'])).code).toBe(0)
    for (const socket of sockets) socket.destroy()
  })

  it('gives back everything of a client that was killed in the middle of a call', async () => {
    const monitor = machines.start(['ip', 'monitor', 'link'])
    const tail = machines.start(['dmesg', '-w'])
    await said(tail, 'registered device vnet0')
    await machines.vnet(['ip', 'link', 'set', 'vnet0', 'up'])
    for (const child of [monitor, tail]) child.kill('SIGKILL')
    expect((await machines.vnet(['ip', 'link', 'set', 'vnet0', 'down'])).code).toBe(0)
    expect((await machines.vnet(['rmmod', 'vnet'])).code).toBe(0)
  })

  it('ends programs with the machine', async () => {
    const tail = machines.start(['dmesg', '-w'])
    await said(tail, 'registered device vnet0')
    const ended = new Promise((resolve) => tail.on('exit', () => resolve('ended')))
    await machines.vnet(['poweroff'])
    expect(await ended).toBe('ended')
  })
})

describe('the cables of the host', () => {
  it('join two machines', async () => {
    const a = (...words: string[]): Promise<Ended> => machines.vnet(['--machine', 'a', ...words])
    const b = (...words: string[]): Promise<Ended> => machines.vnet(['--machine', 'b', ...words])
    const cable = join(machines.runtime, 'cable.sock')
    await Promise.all([a('boot', '-d'), b('boot', '-d')])
    expect((await a('insmod', 'vnet', `backend=listen:${cable}`)).code).toBe(0)
    expect((await b('insmod', 'vnet', `backend=connect:${cable}`)).code).toBe(0)
    for (const vnet of [a, b]) await vnet('ip', 'link', 'set', 'vnet0', 'up')
    const up = async (): Promise<boolean> =>
      (await a('ip', 'link', 'show', 'vnet0')).stdout.includes('LOWER_UP')
    await until(up)
    expect(await up()).toBe(true)
  })

  it('say in the log why one cannot be had', async () => {
    await machines.vnet(['boot', '-d'])
    expect((await machines.vnet(['insmod', 'vnet', 'backend=string:x'])).stderr).toContain(
      'Invalid parameters',
    )
    expect((await machines.vnet(['dmesg'])).stdout).toContain(
      'vnet: string:x: there is no cable "string:x" here',
    )
  })
})

describe('our own programs', () => {
  beforeEach(async () => {
    await machines.vnet(['boot', '-d'])
    await machines.vnet(['insmod', 'vnet'])
  })

  it('take their words as they are, and give their exit codes', async () => {
    expect((await machines.vnet(['ip', '-br', 'link', 'show', 'vnet0'])).stdout).toMatch(/^vnet0 +DOWN /)
    const missing = await machines.vnet(['ip', 'link', 'show', 'eth77'])
    expect(missing).toEqual({ stdout: '', stderr: 'Device "eth77" does not exist.\n', code: 1 })
    expect((await machines.vnet(['ip', 'link', 'set', 'vnet0', 'mtu', '1'])).code).toBe(2)
    expect((await machines.vnet(['ethtool', '-i', 'vnet0'])).stdout).toMatch(/^driver: vnet\n/)
    expect((await machines.vnet(['ip', '-V'])).stdout).toMatch(/^ip utility/)
  })

  it('write files of the machine', async () => {
    const mtu = '/sys/class/net/vnet0/mtu'
    expect(await machines.vnet(['tee', mtu], { input: '1400\n' })).toEqual({
      stdout: '1400\n',
      stderr: '',
      code: 0,
    })
    expect((await machines.vnet(['cat', mtu])).stdout).toBe('1400\n')
  })

  it('end on Ctrl-C, and their socket with them', async () => {
    const { stdout, stderr } = await machines.vnet(['dmesg', '-w'], {
      interrupt: { when: 'registered device vnet0', signal: 'SIGINT' },
    })
    expect(stdout).toContain('registered device vnet0')
    expect(stderr).toBe('')
  })

  it('ping until Ctrl-C, and then sum up', async () => {
    const { stdout, code } = await machines.vnet(['ping', '127.0.0.1'], {
      interrupt: { when: 'icmp_seq=1', signal: 'SIGINT' },
    })
    expect(stdout).toMatch(/^PING 127\.0\.0\.1[^]*\n1 packets transmitted, 1 received, 0% packet loss/)
    expect(code).toBe(0)
  })

  it('say nothing when their reader leaves', async () => {
    const command = `"$0" "$1" dmesg | head -n 1; "$0" "$1" ip monitor link | head -n 1 & sleep 0.5; "$0" "$1" ip link set vnet0 up; wait`
    const { stdout, stderr, status } = spawnSync('sh', ['-c', command, process.execPath, cli.file], {
      env: machines.env,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(stdout.split('\n')).toHaveLength(3)
    expect(status).toBe(0)
  })
})

describe('modules', () => {
  const HELLO = `export default { name: 'hello', license: 'GPL', description: 'Says hello',
    params: { who: { type: 'charp', default: 'world', description: 'whom' } },
    init(ctx) { ctx.printk ? 0 : 0; ctx.data = ctx.params.who }, exit() {} }`

  beforeEach(() => machines.vnet(['boot', '-d']))

  it('are loaded by name and unloaded', async () => {
    expect((await machines.vnet(['insmod', 'vnet', 'tx_ring=64'])).code).toBe(0)
    expect((await machines.vnet(['lsmod'])).stdout).toMatch(/^Module .*\nvnet /)
    expect((await machines.vnet(['rmmod', 'vnet'])).code).toBe(0)
    expect((await machines.vnet(['lsmod'])).stdout).not.toContain('vnet ')
  })

  it('of other authors are loaded from a path, also a relative one', async () => {
    const path = join(machines.runtime, 'hello.mjs')
    writeFileSync(path, HELLO)
    expect(await machines.vnet(['insmod', path, 'who=you'])).toEqual({ stdout: '', stderr: '', code: 0 })
    expect((await machines.vnet(['lsmod'])).stdout).toContain('hello')
    expect((await machines.vnet(['modinfo', path])).stdout).toContain('Says hello')
    await machines.vnet(['rmmod', 'hello'])
    writeFileSync(path, HELLO.replace("name: 'hello'", "name: 'hello_again'"))
    expect((await machines.vnet(['insmod', path])).code).toBe(0)
    expect((await machines.vnet(['lsmod'])).stdout).toContain('hello_again')
  })

  it.each([
    ['a file that is no module', 'const a = 1', /could not insert module .*: Invalid module format/],
    ['a file that throws', 'throw new Error("boom")', /could not insert module .*: Invalid module format/],
  ])('refuse %s, and say why in the log', async (_what, text, message) => {
    const path = join(machines.runtime, 'bad.mjs')
    writeFileSync(path, text)
    const { stderr, code } = await machines.vnet(['insmod', path])
    expect(stderr).toMatch(message)
    expect(code).toBe(1)
    expect((await machines.vnet(['dmesg'])).stdout).toMatch(/bad\.mjs: it (throws|exports no module)/)
  })

  it('that are not there are refused in insmod’s words', async () => {
    const { stderr, code } = await machines.vnet(['insmod', './nope.mjs'])
    expect(stderr).toContain('No such file or directory')
    expect(code).toBe(1)
  })
})
