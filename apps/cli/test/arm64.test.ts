import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { hostHas, isRoot, Machines, NOBODY, skipUnless } from './machines.ts'
import { Cli, ROOT } from './run.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** A folder with Debian's arm64 packages unpacked; .ci/run makes one. */
const DEBIAN = process.env['VNET_ARM64_ROOT'] ?? join(ROOT, '.tools/arm64')
const PROGRAMS = ['bin/ip', 'sbin/ethtool', 'bin/busybox', 'usr/bin/python3.11', 'usr/bin/tcpdump']
const absent = skipUnless(
  `Debian's arm64 programs: no qemu-aarch64-static, or no ${DEBIAN} (VNET_ARM64_ROOT; .ci/run makes it)`,
  process.arch === 'x64' &&
    hostHas('qemu-aarch64-static') &&
    PROGRAMS.every((program) => existsSync(join(DEBIAN, program))),
)

const reachable = (uid: number): boolean =>
  spawnSync('test', ['-x', join(DEBIAN, 'bin/ip')], { uid, gid: uid }).status === 0
const users: [string, number | undefined][] = [['this user', undefined]]
if (!absent && isRoot && !skipUnless(`arm64 as nobody: cannot reach ${DEBIAN}`, reachable(NOBODY)))
  users.push(['nobody', NOBODY])

describe.skipIf(absent).each(users)(
  "Debian's unmodified programs for arm64, emulated, as %s",
  (_name, uid) => {
    const cli = new Cli()
    const machines = new Machines(cli, uid)
    const shim = join(cli.dir, 'arm64.so')

    beforeAll(async () => {
      await cli.build()
      copyFileSync(join(ROOT, 'apps/cli/shim/prebuilt/linux-arm64.so'), shim)
      chmodSync(shim, 0o755)
      await machines.vnet(['boot', '-d'])
      await machines.vnet(['insmod', 'vnet', 'mac=02:00:00:00:00:99'])
      await machines.vnet(['ip', 'link', 'set', 'vnet0', 'up'])
    })
    afterAll(async () => {
      await machines.remove()
      cli.remove()
    })

    const emulated = (program: string, ...words: string[]): { out: string; err: string; code: unknown } => {
      const args = ['-L', DEBIAN, '-E', `LD_PRELOAD=${shim}`, join(DEBIAN, program), ...words]
      const env = { ...machines.env, VNET_SOCKET: machines.file('default.sock') }
      const who = uid === undefined ? {} : { uid, gid: uid }
      const { stdout, stderr, status } = spawnSync('qemu-aarch64-static', args, {
        ...who,
        env,
        encoding: 'utf8',
        timeout: 60_000,
      })
      return { out: stdout, err: stderr, code: status }
    }

    it('ip shows and changes the device', async () => {
      expect(emulated('bin/ip', 'link', 'set', 'vnet0', 'mtu', '1400')).toEqual({ out: '', err: '', code: 0 })
      const { stdout } = await machines.vnet(['ip', '-s', 'link', 'show', 'lo'])
      expect(emulated('bin/ip', '-s', 'link', 'show', 'lo').out).toBe(stdout)
      expect(emulated('bin/ip', '-br', 'link').out).toMatch(/^lo .*\nvnet0 +UP +02:00:00:00:00:99 /)
      expect(emulated('bin/ip', 'link', 'set', 'vnet0', 'mtu', '1')).toEqual({
        out: '',
        err: 'Error: mtu less than device minimum.\n',
        code: 2,
      })
    })

    it('ethtool asks the driver', async () => {
      const { stdout } = await machines.vnet(['ethtool', '-g', 'vnet0'])
      expect(emulated('sbin/ethtool', '-g', 'vnet0').out).toBe(stdout)
      expect(emulated('sbin/ethtool', '-i', 'vnet0').out).toMatch(/^driver: vnet\n/)
    })

    it('busybox ip, and Python', () => {
      expect(emulated('bin/busybox', 'ip', 'link').out).toMatch(
        /\n2: vnet0: <BROADCAST,MULTICAST,UP,LOWER_UP> /,
      )
      const script = 'import socket; print(socket.if_nameindex())'
      expect(emulated('usr/bin/python3.11', '-c', script).out).toBe("[(1, 'lo'), (2, 'vnet0')]\n")
    })

    it('tcpdump hears a frame', async () => {
      const pings = machines.start(['ping', '-i', '0.2', 'ff02::1%vnet0'])
      const { out, err, code } = emulated('usr/bin/tcpdump', '-n', '-e', '-i', 'vnet0', '-c', '1', 'ip6')
      expect(err).toContain('1 packet captured')
      expect(out).toContain('02:00:00:00:00:99')
      expect(code).toBe(0)
      pings.kill('SIGINT')
      await once(pings, 'close')
    })
  },
)
