import { spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tapBackend } from '@vnet/backend-tap'
import type { Netns } from '@vnet/linux'
import { bootMachine } from '@vnet/machine'
// An app is no package that could be imported by name.
// eslint-disable-next-line import-x/no-relative-packages
import { inlineMore } from '../../../../apps/cli/src/boot/inline-more.ts'
import { ip, ownNamespace, until } from '../host.ts'
import type { RoundContestant } from '../round.ts'
import { Twin } from './twin.ts'

const TAP = 'tap0'
const HERE = '10.9.1.1/24'
const THERE = '10.9.1.2'

/** The host's ping, answered by vnet0 of a machine in this process, whose cable is a TAP. */
export async function pingMachine([count]: readonly string[]): Promise<RoundContestant> {
  const netns = ownNamespace()
  let tap: ReturnType<typeof tapBackend> | null = null
  // As `vnet boot` does it.
  inlineMore()
  const machine = bootMachine({
    clock: 'real',
    strict: false,
    host: { cable: (_spec, kernel) => (tap = tapBackend(kernel, { name: TAP, netns })) },
  })
  machine.kernel.hold()
  const commands = [
    'insmod vnet.ko backend=tap:0',
    'ip link set vnet0 up',
    `ip addr add ${THERE}/24 dev vnet0`,
  ]
  for (const command of commands) {
    const { exitCode, stderr } = machine.run(command)
    if (exitCode !== 0) throw new Error(`${command}: ${stderr}`)
  }
  ip(netns, 'addr', 'add', HERE, 'dev', TAP)
  await until(() => tap!.linkUp, 'the link of the TAP')
  const close = (): void => {
    machine.poweroff()
    netns.close()
  }
  return { round: () => ping(netns, count!), close }
}

/** The same ping, answered by a C program. */
export async function pingTwin([count]: readonly string[]): Promise<RoundContestant> {
  const netns = ownNamespace()
  const twin = await netns.run(() => Twin.start('echo', [TAP, THERE]))
  ip(netns, 'addr', 'add', HERE, 'dev', TAP)
  const close = (): void => {
    twin.close()
    netns.close()
  }
  return { round: () => ping(netns, count!), close }
}

/** Of so many round trips, each sent when the last was answered: the mean of all but the slowest tenth. */
async function ping(netns: Netns, count: string): Promise<number> {
  // Into a file: who answers shall not have to read what ping prints.
  const file = join(tmpdir(), `vnet-ping-${process.pid}`)
  const out = openSync(file, 'w+', 0o600)
  unlinkSync(file)
  const words = ['-n', '-A', '-c', count, '-W', '1', THERE]
  const stdio: StdioOptions = ['ignore', out, 'inherit']
  await once(
    netns.run(() => spawn('ping', words, { stdio, env: { ...process.env, LC_ALL: 'C' } })),
    'close',
  )
  const text = readFileSync(`/proc/self/fd/${out}`, 'utf8')
  closeSync(out)
  const times = [...text.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms)).sort((a, b) => a - b)
  // It does not wait for what is under way when the last was sent.
  const counted = Math.floor(Number(count) * 0.9)
  if (times.length < counted) throw new Error(`${times.length} of ${count} were answered`)
  return (times.slice(0, counted).reduce((sum, ms) => sum + ms, 0) / counted) * 1e6
}
