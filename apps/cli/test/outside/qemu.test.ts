import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hostHas, skipUnless } from '../machines.ts'
import { Cli } from '../run.ts'
import { buildGuest, guestKernel } from './guest.ts'
import { House, noNamespaces, until } from './house.ts'

const QEMU = 'qemu-system-x86_64'
const streams =
  (spawnSync(QEMU, ['-netdev', 'help'], { encoding: 'utf8' }).stdout as string | null)?.includes('stream') ??
  false
const qemu = { skip: skipUnless(`no ${QEMU} with -netdev stream`, streams), timeout: 60_000 }
const kernel = guestKernel()
const guest = {
  timeout: 90_000,
  skip:
    qemu.skip ||
    skipUnless(
      'no kernel for a guest (VNET_GUEST_KERNEL, or /boot/vmlinuz and its modules)',
      kernel !== null,
    ),
}
const lacking = noNamespaces() ?? (hostHas('passt') ? undefined : 'no passt')
const passt = { skip: skipUnless(`passt: ${lacking ?? ''}`, lacking === undefined), timeout: 60_000 }

describe('vnet0 on a stream cable', () => {
  const cli = new Cli()
  let house: House
  let socket: string

  beforeAll(() => cli.build())
  afterAll(() => cli.remove())
  beforeEach(() => {
    house = new House(cli)
    socket = join(house.folder, 'wire')
  })
  afterEach(() => house.remove())

  const ping = (machine: string, ...words: string[]) =>
    house.vnet(null, '--machine', machine, 'ping', ...words)

  it("reaches the router of QEMU's user network", qemu, async () => {
    await house.machine(null, 'm', `listen:${socket}`, '10.0.2.15/24')
    house.start(
      null,
      QEMU,
      ...['-machine', 'none', '-nodefaults', '-display', 'none'],
      ...['-netdev', `stream,id=n0,server=off,addr.type=unix,addr.path=${socket}`],
      ...['-netdev', 'hubport,id=h0,hubid=0,netdev=n0'],
      ...['-netdev', 'user,id=n1', '-netdev', 'hubport,id=h1,hubid=0,netdev=n1'],
    )
    await until(async () => (await ping('m', '-c', '1', '-W', '1', '10.0.2.2')).code === 0)
    const { stdout } = await ping('m', '-c', '5', '-i', '0.1', '10.0.2.2')
    expect(stdout).toContain('5 packets transmitted, 5 received, 0% packet loss')
  })

  it('a Debian guest and vnet0 ping each other', guest, async () => {
    await house.machine(null, 'm', `listen:${socket}`, '10.0.0.1/24')
    const initrd = buildGuest(kernel!, house.folder)
    const child = house.start(
      null,
      QEMU,
      ...['-m', '256', '-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot'],
      ...['-kernel', kernel!.image, '-initrd', initrd, '-append', 'console=ttyS0 quiet panic=-1'],
      ...[
        '-netdev',
        `stream,id=n,server=off,addr.type=unix,addr.path=${socket}`,
        '-device',
        'virtio-net-pci,netdev=n',
      ],
    )
    let console = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (console += text))
    await until(() => console.includes('guest: pinged'))
    expect(console).toContain('3 packets transmitted, 3 packets received, 0% packet loss')
    const { stdout } = await ping('m', '-c', '3', '-i', '0.2', '10.0.0.2')
    expect(stdout).toContain('3 packets transmitted, 3 received, 0% packet loss')
  })

  it('passt gives it a way out of the namespace it runs in', passt, async () => {
    const [here, there] = [await house.namespace('p'), await house.namespace('q')]
    await house.host(
      'ip',
      '-n',
      here,
      'link',
      'add',
      'name',
      'z0',
      'type',
      'veth',
      'peer',
      'name',
      'q0',
      'netns',
      there,
    )
    for (const [space, dev, address] of [
      [here, 'z0', '10.9.0.1/24'],
      [there, 'q0', '10.9.0.2/24'],
    ] as const) {
      await house.host('ip', '-n', space, 'addr', 'add', address, 'dev', dev)
      await house.host('ip', '-n', space, 'link', 'set', dev, 'up')
    }
    await house.host('ip', '-n', here, 'route', 'add', 'default', 'via', '10.9.0.2')
    await house.inside(here, 'sysctl', '-qw', 'net.ipv4.ping_group_range=0 2147483647')
    house.start(here, 'passt', '-f', '--socket', socket, '--runas', '0', '-4')
    await until(() => existsSync(socket))
    await house.machine(here, 'm', `connect:${socket}`, '10.9.0.1/24')
    await until(async () => (await ping('m', '-c', '1', '-W', '1', '10.9.0.2')).code === 0)
    const { stdout } = await ping('m', '-c', '5', '-i', '0.1', '10.9.0.2')
    expect(stdout).toContain('5 packets transmitted, 5 received, 0% packet loss')
  })
})
