import { describe, expect, it } from 'vitest'
import { localTransport, newProcess, programs, runProgram } from '../../src/index.ts'
import { bootMachine, vnetMain7, type Machine } from '../elsewhere.ts'
import { words } from '../run.ts'

/** Starts `ip monitor …` and gives what it has printed, and how to end it. */
function listen(machine: Machine, line: string) {
  const heard = { text: '', code: -1 }
  const process = newProcess(words(line), {
    stdout: (text) => (heard.text += text as string),
    stderr: (text) => (heard.text += `E:${text}`),
  })
  const running = runProgram(
    programs['ip']!,
    process,
    localTransport(machine.syscalls),
    (code) => (heard.code = code),
  )
  return { heard, stop: () => running.interrupt() }
}

const boot = (): Machine =>
  bootMachine({ modules: { find: (_name, done) => done(vnetMain7), names: () => ['vnet_main'] } })

describe('ip monitor', () => {
  it('stamps with the machine’s clock, labels with `all`, and keeps to one device', () => {
    const machine = boot()
    machine.run('insmod vnet_main.ko')
    const short = listen(machine, 'ip -ts monitor link')
    const long = listen(machine, 'ip -t monitor all')
    const lo = listen(machine, 'ip monitor link dev lo')
    machine.kernel.runFor(1.25e9)
    machine.run('ip link set vnet0 txqueuelen 5')
    machine.run('ip link set vnet0 mtu 1400')
    for (const one of [short, long, lo]) one.stop()
    const head = '2: vnet0: <BROADCAST,MULTICAST> mtu 1400 qdisc noop state DOWN group default '
    expect(short.heard.text).toContain(`[1970-01-01T00:00:01.250000] ${head}\n`)
    expect(long.heard.text).toContain(`Timestamp: Thu Jan  1 00:00:01 1970 250000 usec\n[LINK]${head}\n`)
    expect(lo.heard.text).toBe('')
  })

  it('refuses what it does not know', () => {
    const machine = boot()
    expect(machine.run('ip monitor nosuch')).toEqual({
      stdout: '',
      stderr: 'Argument "nosuch" is unknown, try "ip monitor help".\n',
      exitCode: 255,
    })
  })
})
