import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { joinTaps, tapBackend } from '@vnet/backend-tap'
import { createKernel } from '@vnet/kernel'
import { Netns } from '@vnet/linux'
// An app is no package that could be imported by name.
// eslint-disable-next-line import-x/no-relative-packages
import { Lab, LAB_IFNAME } from '../../../../apps/cli/src/lab/lab.ts'
import { ip, ownNamespace, until } from '../host.ts'
import type { RoundContestant } from '../round.ts'
import { Twin } from './twin.ts'

type Two = readonly [Netns, Netns]
const ADDRESSES = ['10.9.0.1', '10.9.0.2'] as const

/** TCP from one namespace to the other through `joinTaps`. */
export async function wireTaps(args: readonly string[]): Promise<RoundContestant> {
  const two: Two = [ownNamespace(), ownNamespace()]
  const kernel = createKernel({ clock: 'real', strict: false })
  const [a, b] = two.map((netns) => tapBackend(kernel, { name: LAB_IFNAME, netns, offload: true }))
  kernel.hold()
  joinTaps(a!, b!)
  await until(() => a!.linkUp && b!.linkUp, 'the links of the TAPs')
  const close = (): void => {
    a!.close()
    b!.close()
    kernel.shutdown()
  }
  return talk(two, args, close)
}

/** The same through a C program. */
export async function wireTwin(args: readonly string[]): Promise<RoundContestant> {
  const two: Two = [ownNamespace(), ownNamespace()]
  const descriptors = two.map((netns) => netns.run(() => openSync('/proc/thread-self/ns/net', 'r')))
  const twin = await Twin.start('join', [LAB_IFNAME], descriptors)
  descriptors.forEach(closeSync)
  return talk(two, args, () => twin.close())
}

/** The same through the lab: host, driver, card, cable, card, driver, host. */
export async function wireLab(args: readonly string[]): Promise<RoundContestant> {
  inOwnRun('wire-lab', args)
  const names = ['a', 'b'] as const
  names.forEach((name) => spawnSync('ip', ['netns', 'add', name]))
  const two: Two = [Netns.named(names[0]), Netns.named(names[1])]
  const kernel = createKernel({ clock: 'real', strict: false })
  kernel.hold()
  const lab = new Lab(kernel, { namespaces: names })
  await until(() => lab.sides.every(({ tap }) => tap.linkUp), 'the links of the lab')
  const close = (): void => {
    lab.close()
    kernel.shutdown()
  }
  return talk(two, args, close)
}

/**
 * The lab's namespaces have names, which would stay after a kill. So this process runs itself again where /run is its
 * own: with the last process in there the names are gone, however it ends.
 */
function inOwnRun(name: string, args: readonly string[]): void {
  if (process.env['VNET_BENCH_OWN_RUN'] !== undefined) return
  const script = 'mount -t tmpfs tmpfs /run && exec "$@"'
  const words = ['-m', 'sh', '-c', script, 'sh', process.execPath, process.argv[1]!, name, ...args]
  const env = { ...process.env, VNET_BENCH_OWN_RUN: '1' }
  const { status } = spawnSync('unshare', words, { stdio: 'inherit', env })
  process.exit(status ?? 1)
}

async function talk(two: Two, [seconds]: readonly string[], closeWire: () => void): Promise<RoundContestant> {
  for (const [i, netns] of two.entries()) ip(netns, 'addr', 'add', `${ADDRESSES[i]!}/24`, 'dev', LAB_IFNAME)
  // It goes when this process does, however that ends.
  const words = ['--pdeathsig', 'KILL', 'iperf3', '-s', '--forceflush']
  const server = two[1].run(() => spawn('setpriv', words, { stdio: ['ignore', 'pipe', 'inherit'] }))
  await once(server.stdout, 'data')
  server.stdout.resume()
  const close = (): void => {
    server.kill('SIGKILL')
    closeWire()
    two.forEach((netns) => netns.close())
  }
  return { round: () => stream(two[0], seconds!), close }
}

/** Nanoseconds for a KiB of a TCP stream, as its receiver saw it. */
async function stream(netns: Netns, seconds: string): Promise<number> {
  const words = ['--pdeathsig', 'KILL', 'iperf3', '-J', '-c', ADDRESSES[1], '-t', seconds]
  const { stdout } = await netns.run(() => promisify(execFile)('setpriv', words, { maxBuffer: 1 << 24 }))
  const report = JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } }
  return (8192 * 1e9) / report.end.sum_received.bits_per_second
}
