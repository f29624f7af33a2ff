import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { hostHas, Machines, said, skipUnless } from './machines.ts'
import { Cli, ROOT } from './run.ts'

/** A program that makes calls an ordinary one does not: fixtures/probe.c. */
const PROBE = join(ROOT, 'apps/cli/test/fixtures/probe.c')
const FAULTS = `send from nowhere: EFAULT
send from the kernel's half: EFAULT
sendmsg of nowhere: EFAULT
sendmsg, iov to nowhere: EFAULT
bind to nowhere: EFAULT
ioctl of nowhere: EFAULT
send past the end of memory: EFAULT
getsockname into read-only memory: EFAULT
getsockname with no length: EFAULT
recv into nowhere: EFAULT
recv into half a page: EFAULT
and afterwards a dump gives links: 2
`

// Each step starts processes, on a host that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const cli = new Cli()
const machines = new Machines(cli)
const probe = join(cli.dir, 'probe')

const gcc = skipUnless('no gcc on this host', hostHas('gcc'))

function compile(compiler: string, output: string, ...flags: string[]): void {
  const { status, stderr } = spawnSync(compiler, ['-O1', '-o', output, PROBE, '-pthread', ...flags], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
}

beforeAll(async () => {
  await cli.build()
  if (!gcc) compile('gcc', probe)
  await machines.vnet(['boot', '-d'])
  await machines.vnet(['insmod', 'vnet'])
})
afterAll(async () => {
  await machines.remove()
  cli.remove()
})

const printed = async (...words: string[]): Promise<string> => {
  const { stdout, stderr } = await machines.exec(...words)
  return stdout + stderr
}

describe.skipIf(gcc)('the shim', () => {
  it('answers EFAULT for pointers to nowhere, and goes on', async () => {
    expect(await printed(probe, 'bad-pointers')).toBe(FAULTS)
  })

  it('does so too where process_vm_readv() is forbidden', async () => {
    expect(await printed(probe, 'no-vm-readv')).toBe(FAULTS)
  })

  it('waits as the host waits: O_NONBLOCK, signals, time limits, poll', async () => {
    expect(await printed(probe, 'waiting')).toBe(`recv, nonblocking: EAGAIN
recv, MSG_DONTWAIT: EAGAIN
recv, interrupted: EINTR
recv, SO_RCVTIMEO: EAGAIN
recv, SA_RESTART and then a message: 1
poll, nothing: 0
poll, a message: 1
poll again: 1
poll, read empty: 0
peek at the length: 1
`)
  })

  it('keeps descriptors apart: dup, fork, threads, sockets of the host', async () => {
    expect(await printed(probe, 'sharing')).toBe(`sent on a dup: 2
read by the child: 2
threads failed: 0
getsockname while another thread waits: 0
the other thread got it: 1
a socket of the host, write: 1
a socket of the host, read: 1
writev: 32
and its answer: 2
FIONBIO is the descriptor's: 0
SIOCGIFMTU on an AF_UNIX socket: 1500
isatty: ENOTTY
`)
    expect(await printed(probe, 'inherit')).toBe('links: 2\n')
  })

  it('answers for the C library: if_nametoindex() and its kin', async () => {
    expect(await printed(probe, 'names')).toBe(`if_nametoindex: 1
if_nametoindex of nobody: ENODEV
if_indextoname: vnet0
if_indextoname of nobody: ENXIO
if_nameindex: lo
if_nameindex: vnet0
getifaddrs: lo family 17
getifaddrs: vnet0 family 17
getifaddrs: lo family 2
getifaddrs: lo family 10
`)
  })

  it('leaves other families, and other clients of the machine, to the host', async () => {
    expect(await printed(probe, 'foreign')).toBe(`AF_VSOCK is the host's: 1
netlink protocol 31: EPROTONOSUPPORT
connect to the machine as vnet does: 0
its write is a write: 56
its read is a read: 16
answer: 3 -38
`)
  })

  it('never asks the host when the machine is gone', async () => {
    const lab = ['--machine', 'gone']
    await machines.vnet([...lab, 'boot', '-d'])
    const child = machines.start([...lab, 'exec', '--', probe, 'gone'])
    let stdout = ''
    child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()))
    await said(child, 'opened')
    await machines.vnet([...lab, 'poweroff'])
    child.stdin.end('\n')
    await new Promise((resolve) => child.on('close', resolve))
    expect(stdout).toBe(`opened
send: ENETDOWN
recv: ENETDOWN
socket: ENETDOWN
ioctl on an AF_UNIX socket: ENETDOWN
if_nametoindex: ENETDOWN
`)
  })

  it('ends with a program that is killed while it waits', async () => {
    const child = machines.start(['exec', '--', probe, 'hang'])
    await said(child, 'waiting')
    spawnSync('pkill', ['-KILL', '-P', String(child.pid)])
    await new Promise((resolve) => child.on('exit', resolve))
    expect(await printed(probe, 'links')).toBe('links: 2\n')
  })

  it('serves 100 programs at once', async () => {
    const script = `for i in $(seq 100); do ${probe} links & done; wait`
    expect(await printed('sh', '-c', script)).toBe('links: 2\n'.repeat(100))
  })
})

const musl = skipUnless('no musl-gcc on this host (apt-get install musl-tools)', !gcc && hostHas('musl-gcc'))
const arm = skipUnless(
  'no arm64 compiler and emulator (apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static)',
  !gcc &&
    hostHas('qemu-aarch64-static') &&
    existsSync('/usr/aarch64-linux-gnu/include/stdio.h') &&
    process.arch === 'x64',
)

describe('the same shim', () => {
  it.skipIf(musl)('works with musl', async () => {
    const include = join(cli.dir, 'include')
    mkdirSync(include)
    symlinkSync('/usr/include/linux', join(include, 'linux'))
    symlinkSync('/usr/include/asm-generic', join(include, 'asm-generic'))
    symlinkSync('/usr/include/x86_64-linux-gnu/asm', join(include, 'asm'))
    compile('musl-gcc', `${probe}-musl`, '-idirafter', include)
    expect(await printed(`${probe}-musl`, 'bad-pointers')).toBe(FAULTS)
    expect(await printed(`${probe}-musl`, 'names')).toContain('if_indextoname: vnet0\n')
  })

  it.skipIf(arm)('works on arm64, emulated', async () => {
    compile('aarch64-linux-gnu-gcc', `${probe}-arm64`)
    const shim = join(cli.dir, 'arm64.so')
    copyFileSync(join(ROOT, 'apps/cli/shim/prebuilt/linux-arm64.so'), shim)
    const emulated = (what: string): string => {
      const args = ['-L', '/usr/aarch64-linux-gnu', '-E', `LD_PRELOAD=${shim}`, `${probe}-arm64`, what]
      const env = { ...machines.env, VNET_SOCKET: machines.file('default.sock') }
      return spawnSync('qemu-aarch64-static', args, { env, encoding: 'utf8' }).stdout
    }
    expect(emulated('bad-pointers')).toBe(FAULTS)
    expect(emulated('names')).toContain('if_indextoname: vnet0\n')
    expect(emulated('waiting')).toContain('poll, read empty: 0\n')
  })
})

describe('scripts/shim-build.mjs', () => {
  it('finds the committed files made of the committed source', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, 'scripts/shim-build.mjs'), '--check'],
      {
        encoding: 'utf8',
      },
    )
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^linux-x64\.so: as in the manifest.*\nlinux-arm64\.so: as in the manifest.*\n$/)
    expect(status).toBe(0)
  })
})
