import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { hostHas, isRoot, Machines, NOBODY, said, skipUnless, until } from './machines.ts'
import { Cli } from './run.ts'

// Each step starts processes, on a host that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const cli = new Cli()
const bin = join(cli.dir, 'bin')
const machines = new Machines(cli)

beforeAll(async () => {
  await cli.build()
  mkdirSync(bin)
  await machines.vnet(['boot', '-d'])
  await machines.vnet(['insmod', 'vnet'])
})
afterAll(async () => {
  await machines.remove()
  cli.remove()
})

const script = (name: string, text: string, mode = 0o755): string => {
  const path = join(bin, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}
const compiled = (name: string, ...flags: string[]): string => {
  const path = join(bin, name)
  const source = script(
    `${name}.c`,
    '#include <unistd.h>\nint main(void) { return write(1, "ran\\n", 4) != 4; }\n',
  )
  const { stderr, status } = spawnSync('gcc', [...flags, '-o', path, source], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return path
}

const ip = { skip: skipUnless('no ip on this host (apt-get install iproute2)', hostHas('ip')) }
const ethtool = { skip: skipUnless('no ethtool on this host', hostHas('ethtool')) }
const busybox = { skip: skipUnless('no busybox on this host', hostHas('busybox')) }
const python = { skip: skipUnless('no python3 on this host', hostHas('python3')) }
const tcpdump = {
  skip: skipUnless('no tcpdump or ping on this host', hostHas('tcpdump') && hostHas('ping')),
}
const gcc = { skip: skipUnless('no gcc on this host', hostHas('gcc')) }

/** Needs root besides, to be another user. */
const asRoot = (needs: { skip: boolean }) => ({ ...needs, skip: needs.skip || !isRoot })

describe('vnet exec', () => {
  it('real ip sees the machine, changes it and says its errors', ip, async () => {
    const links = await machines.exec('ip', '-br', 'link')
    expect(links.stdout).toMatch(/^lo .*\nvnet0 +DOWN /)
    expect((await machines.exec('ip', 'link', 'set', 'vnet0', 'mtu', '1400')).code).toBe(0)
    expect((await machines.vnet(['ip', 'link', 'show', 'vnet0'])).stdout).toContain('mtu 1400')
    const refused = await machines.exec('ip', 'link', 'set', 'vnet0', 'mtu', '1')
    expect(refused.stderr).toMatch(/^Error: mtu .* than device minimum\.\n$/)
    expect(refused.code).toBe(2)
    expect((await machines.exec('ip', 'link', 'show', 'eth77')).stderr).toBe(
      'Device "eth77" does not exist.\n',
    )
    await machines.exec('ip', 'link', 'set', 'vnet0', 'mtu', '1500')
  })

  it('real ip manages addresses and routes', ip, async () => {
    const up = await machines.exec(
      'sh',
      '-c',
      'ip link set vnet0 up && ip addr add 10.9.0.1/24 dev vnet0 && ip route',
    )
    expect(up.stdout).toMatch(/^10\.9\.0\.0\/24 dev vnet0 proto kernel scope link src 10\.9\.0\.1/)
    expect((await machines.exec('ip', 'addr', 'del', '10.9.0.1/24', 'dev', 'vnet0')).code).toBe(0)
  })

  it('real ethtool asks the driver, by netlink and by ioctl', ethtool, async () => {
    expect((await machines.exec('ethtool', '-i', 'vnet0')).stdout).toMatch(/^driver: vnet\n/)
    expect((await machines.exec('ethtool', 'vnet0')).stdout).toContain('Settings for vnet0:')
    expect((await machines.exec('ethtool', '-S', 'vnet0')).stdout).toContain('NIC statistics:')
    expect((await machines.exec('ethtool', 'eth77')).stderr).toContain('No such device')
  })

  it('busybox ip writes and reads its netlink socket', busybox, async () => {
    expect((await machines.exec('busybox', 'ip', 'link')).stdout).toContain(': vnet0: <')
    expect((await machines.exec('busybox', 'ip', 'link', 'set', 'vnet0', 'mtu', '1399')).code).toBe(0)
    expect((await machines.vnet(['ip', 'link', 'show', 'vnet0'])).stdout).toContain('mtu 1399')
  })

  it('python’s names of interfaces are the machine’s', python, async () => {
    const { stdout } = await machines.exec('python3', '-c', 'import socket; print(socket.if_nameindex())')
    expect(stdout).toBe("[(1, 'lo'), (2, 'vnet0')]\n")
  })

  it('gives exit codes, signals and output through', async () => {
    expect(await machines.exec('sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      code: 7,
    })
    const killed = machines.start(['exec', '--', 'sh', '-c', 'kill -TERM $$'])
    expect(
      await new Promise((resolve) => killed.on('exit', (code, signal) => resolve([code, signal]))),
    ).toEqual([null, 'SIGTERM'])
    const waits = machines.start([
      'exec',
      '--',
      'sh',
      '-c',
      'trap "exit 5" TERM; echo here; while :; do sleep 0.05; done',
    ])
    await said(waits, 'here')
    waits.kill('SIGTERM')
    expect(await new Promise((resolve) => waits.on('exit', resolve))).toBe(5)
  })

  it('real ping and real tcpdump meet on lo', tcpdump, async () => {
    const dump = machines.start(['exec', '--', 'tcpdump', '-n', '-l', '-i', 'lo', '-c', '2', 'icmp'])
    const heard = new Promise<string>((resolve) => {
      let text = ''
      dump.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()))
      dump.on('close', () => resolve(text))
    })
    await until(
      () => existsSync(machines.folder) && readdirSync(machines.folder).some((f) => f.startsWith('ring-')),
    )
    const pinged = await machines.exec('ping', '-c', '2', '-i', '0.2', '127.0.0.1')
    expect(pinged.stdout).toContain('2 packets transmitted, 2 received, 0% packet loss')
    expect(await heard).toMatch(
      /^\S+ IP 127\.0\.0\.1 > 127\.0\.0\.1: ICMP echo request.*\n.*ICMP echo reply.*\n$/,
    )
    await until(() => !readdirSync(machines.folder).some((f) => f.startsWith('ring-')))
  })

  it('shows the machine’s files to who reads them', async () => {
    await machines.vnet(['ip', 'link', 'set', 'vnet0', 'mtu', '1500'])
    const { stdout } = await machines.exec('cat', '/sys/class/net/vnet0/mtu', '/proc/net/dev')
    expect(stdout).toMatch(/^1500\nInter-\|[^]* vnet0:/)
    expect((await machines.exec('cat', '/proc/net/nothing')).stderr).toContain('No such file or directory')
    expect((await machines.exec('sh', '-c', 'echo 1 > /sys/class/net/vnet0/mtu')).code).not.toBe(0)
    expect((await machines.exec('grep', '-c', 'lo:', '/proc/net/dev')).stdout).toBe('1\n')
  })

  it('ends on a signal though the machine does not answer', ip, async () => {
    const other = ['--machine', 'stuck']
    await machines.vnet([...other, 'boot', '-d'])
    process.kill(machines.pid('stuck'), 'SIGSTOP')
    const child = machines.start([...other, 'exec', '--', 'sh', '-c', 'echo here; exec ip link'])
    await said(child, 'here')
    child.kill('SIGTERM')
    expect(await new Promise((resolve) => child.on('exit', (_code, signal) => resolve(signal)))).toBe(
      'SIGTERM',
    )
    process.kill(machines.pid('stuck'), 'SIGCONT')
    await machines.vnet([...other, 'poweroff'])
  })

  it.each([
    [['nope'], 'vnet exec: nope: command not found\n', 127],
    [['./nope'], 'vnet exec: ./nope: No such file or directory\n', 127],
    [['/'], 'vnet exec: /: Is a directory\n', 126],
    [['/etc/passwd'], 'vnet exec: /etc/passwd: Permission denied\n', 126],
  ])('says about %s what a shell says', async (command, stderr, code) => {
    expect(await machines.exec(...command)).toEqual({ stdout: '', stderr, code })
  })

  it.each([[[]], [['--']], [['--fly', 'ip']]])('refuses %s', async (words) => {
    const { stderr, code } = await machines.vnet(['exec', ...words])
    expect(stderr).toMatch(/^vnet exec: /)
    expect(code).toBe(2)
  })

  it('refuses what changes something with --no-admin', ip, async () => {
    const { stderr, code } = await machines.vnet([
      'exec',
      '--no-admin',
      '--',
      'ip',
      'link',
      'set',
      'vnet0',
      'mtu',
      '1401',
    ])
    expect(stderr).toBe('RTNETLINK answers: Operation not permitted\n')
    expect(code).toBe(2)
  })

  it('works for an ordinary user', asRoot(ip), async () => {
    const theirs = new Machines(cli, NOBODY)
    await theirs.vnet(['boot', '-d'])
    await theirs.vnet(['insmod', 'vnet'])
    expect((await theirs.exec('ip', '-br', 'link')).stdout).toContain('vnet0')
    expect((await theirs.exec('ip', 'link', 'set', 'vnet0', 'up')).code).toBe(0)
    if (hostHas('tcpdump')) {
      // It drops privileges when it thinks it has some.
      const { stderr } = await theirs.exec('tcpdump', '-n', '-c', '1', '-i', 'vnet0')
      expect(stderr).toContain('1 packet captured')
    }
    if (hostHas('ping')) {
      // The host may have given it capabilities, which keep a preload out.
      const pinged = '1 packets transmitted, 1 received'
      expect((await theirs.exec('ping', '-c1', '127.0.0.1')).stdout).toContain(pinged)
      const { stdout } = await theirs.vnet(['shell', '-c', 'ping -c1 127.0.0.1; ip -br link'])
      expect(stdout).toContain(pinged)
      expect(stdout).toContain('vnet0')
    }
    await theirs.remove()
  })
})

describe('the guard of vnet exec', () => {
  it('refuses a static program, which the shim cannot get into', gcc, async () => {
    const { stdout, stderr, code } = await machines.exec(compiled('static', '-static'))
    expect(stdout).toBe('')
    expect(stderr).toContain('it is linked statically')
    expect(code).toBe(126)
    expect((await machines.exec(compiled('static-pie', '-static-pie'))).code).toBe(126)
    expect((await machines.exec(compiled('dynamic'))).stdout).toBe('ran\n')
  })

  it('looks at the interpreter of a script', gcc, async () => {
    const file = compiled('interpreter', '-static')
    expect((await machines.exec(script('direct', `#!${file}\n`))).stderr).toContain('linked statically')
    expect((await machines.exec(script('by-env', `#!/usr/bin/env -S ${file}\n`))).stderr).toContain(
      'linked statically',
    )
    const chain = script('chain', `#!${script('first', '#!/bin/sh\necho "$2"\n')} word\n`)
    expect((await machines.exec(chain, 'x')).stdout).toBe(`${chain}\n`)
  })

  it('refuses a program for another processor, and what is no program', async () => {
    const elf = Buffer.alloc(128)
    elf.write('\x7fELF\x02\x01\x01', 'latin1')
    elf.writeUInt16LE(243, 18)
    writeFileSync(join(bin, 'riscv'), elf, { mode: 0o755 })
    expect((await machines.exec(join(bin, 'riscv'))).stderr).toContain('another processor')
    const text = await machines.exec(script('text', 'just a text\n'))
    expect(text.stderr).toContain('Exec format error')
    expect(text.code).toBe(126)
  })

  it('refuses a program that is run as somebody else', asRoot(gcc), async () => {
    const file = compiled('setuid')
    spawnSync('chown', ['65534', file])
    chmodSync(file, 0o4755)
    const { stderr, code } = await machines.exec(file)
    expect(stderr).toContain('it is setuid')
    expect(code).toBe(126)
  })

  it('finds another folder when the path of the runtime folder has a space', async () => {
    const spaced = new Machines(cli)
    const folder = join(spaced.runtime, 'a b')
    mkdirSync(folder, { mode: 0o700 })
    const env = { XDG_RUNTIME_DIR: folder, HOME: spaced.runtime }
    await spaced.vnet(['boot', '-d'], { env })
    const { stdout } = await spaced.vnet(['exec', '--', 'sh', '-c', 'echo "$LD_PRELOAD"'], { env })
    expect(stdout).toMatch(/^\S+\/vnet-shim\.so\n$/)
    await spaced.vnet(['poweroff'], { env })
    await spaced.remove()
  })

  it.skipIf(!isRoot)('finds another folder when the runtime folder is mounted noexec', () => {
    const script = `mount -t tmpfs -o noexec,mode=700 none "$XDG_RUNTIME_DIR" &&
      "$0" "$1" boot -d && "$0" "$1" insmod vnet && "$0" "$1" exec -- sh -c 'echo "$LD_PRELOAD"'
      "$0" "$1" shell -c lsmod; "$0" "$1" poweroff`
    const apart = new Machines(cli)
    const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, process.execPath, cli.file], {
      env: apart.env,
      encoding: 'utf8',
    })
    rmSync(apart.runtime, { recursive: true })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^\/tmp\/vnet-0\/shim-\w+\/vnet-shim\.so\nModule .*\nvnet /)
  })

  it('says with -v, and only then, that there is no namespace', async () => {
    const env = { PATH: '/nowhere' }
    expect(await machines.vnet(['exec', '--', '/bin/true'], { env })).toEqual({
      stdout: '',
      stderr: '',
      code: 0,
    })
    const { stderr } = await machines.vnet(['exec', '-v', '--', '/bin/true'], { env })
    expect(stderr).toMatch(
      /^vnet exec: \/bin\/true on machine default.*\nvnet exec: no namespace of its own: .*\n$/,
    )
  })

  it('takes the shim again when the copy was damaged', ip, async () => {
    const { stdout } = await machines.exec('sh', '-c', 'echo "$LD_PRELOAD"')
    const copy = stdout.trim()
    chmodSync(copy, 0o600)
    copyFileSync('/dev/null', copy)
    expect((await machines.exec('ip', '-br', 'link')).stdout).toContain('vnet0')
  })

  it('leaves what slips past in an empty network', { skip: ip.skip || !isRoot }, async () => {
    // Without the environment there is no shim; without the shim there is nothing but lo.
    const { stdout } = await machines.exec('env', '-i', 'ip', '-br', 'link')
    expect(stdout).toMatch(/^lo +DOWN .*\n$/)
  })
})

describe('vnet shell', () => {
  it('has the commands about the kernel and the real ones', ip, async () => {
    const { stdout } = await machines.vnet(['shell'], {
      input: 'lsmod; ip -br link; dmesg | tail -n 1; command -v ip; exit 3\n',
    })
    expect(stdout).toMatch(/^Module/)
    expect(stdout).toContain('vnet0')
    expect(stdout).not.toContain('/bin-default/ip')
  })

  it('ends with the shell’s exit code', async () => {
    expect((await machines.vnet(['shell', '-c', 'exit 3'])).code).toBe(3)
  })

  it('has vnet itself, which is no program of the machine', async () => {
    expect((await machines.vnet(['shell', '-c', 'vnet ip -br link'])).stdout).toContain('vnet0')
  })
})
