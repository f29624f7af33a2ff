import { describe, expect, it } from 'vitest'
import { devGetByName, forEachNetdev } from '@vnet/netdev'
import { localTransport, newProcess, programs, runProgram } from '@vnet/tools'
import { bootMachine, splitWords } from '../src/index.ts'
import { configured, machineWithVnet } from './helpers/machine.ts'
import { recordOf } from './helpers/oracle.ts'
import { setUp } from './helpers/tree.ts'

describe('a machine', () => {
  it('boots with lo up and says so in its log', () => {
    const lines: string[] = []
    const machine = bootMachine({ name: 'box', console: (record) => lines.push(record.text) })
    expect(lines[0]).toBe('Linux version 6.1.0-vnet (vnet) (TypeScript) #1 vnet')
    expect(forEachNetdev(machine.kernel).map((dev) => [dev.ifindex, dev.name])).toEqual([[1, 'lo']])
    expect(machine.run('ip addr').stdout).toBe(
      '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000\n' +
        '    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n' +
        '    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n' +
        '    inet6 ::1/128 scope host \n       valid_lft forever preferred_lft forever\n',
    )
    expect(machine.run(['uname', '-n'])).toEqual({ stdout: 'box\n', stderr: '', exitCode: 0 })
  })

  it('loads its module by name; the device is number 2', () => {
    const machine = bootMachine()
    expect(machine.run('insmod vnet.ko backend=null').exitCode).toBe(0)
    expect(devGetByName(machine.kernel, 'vnet0')?.ifindex).toBe(2)
    expect(machine.run('insmod vnet').stderr).toBe(
      'insmod: ERROR: could not insert module vnet: File exists\n',
    )
    expect(machine.run('rmmod vnet').exitCode).toBe(0)
    expect(machine.run('rmmod vnet').exitCode).toBe(1)
  })

  it.each([
    'ip maddr show dev vnet0',
    'ip route show dev vnet0',
    'ip -6 route show dev vnet0',
    'ip route show table local dev vnet0',
    'ip neigh show dev vnet0',
    'ip netconf show dev vnet0',
  ])('%s prints what was recorded', (command) => {
    const { machine } = configured()
    expect(machine.run(command).stdout).toBe(recordOf('vnet7', command).stdout)
  })

  it('an unknown command is not found', () => {
    expect(bootMachine().run('frobnicate now')).toEqual({
      stdout: '',
      stderr: 'frobnicate: command not found\n',
      exitCode: 127,
    })
  })

  it('a command that waits for ever is given up', () => {
    const machine = bootMachine()
    expect(() => machine.run('ip monitor')).toThrow('still waits')
    expect(machine.syscalls.open).toBe(0)
  })

  it('on the virtual clock the same seed gives the same log', () => {
    const log = (seed: number): string => {
      const { machine } = configured({ seed })
      machine.run('ping -c 2 10.0.0.9')
      return machine.run('dmesg').stdout + machine.vfs.read('/proc/net/dev')
    }
    expect(log(7)).toBe(log(7))
  })
})

describe('switching off', () => {
  it('leaves nothing, after traffic and with a device that is up', () => {
    const { machine } = configured()
    machine.run('ping -c 1 127.0.0.1')
    machine.run('ping -c 1 10.0.0.2')
    let told = 0
    machine.onPoweroff = () => told++
    machine.poweroff()
    expect(machine.kernel.census.take()).toEqual([])
    expect(machine.kernel.violations).toEqual([])
    expect([machine.running, told]).toEqual([false, 1])
    machine.poweroff()
    expect(told).toBe(1)
  })

  it('ends programs that wait', () => {
    const { machine } = machineWithVnet()
    let code: number | null = null
    runProgram(
      programs['sleep']!,
      newProcess(['sleep', '100']),
      localTransport(machine.syscalls),
      (exit) => (code = exit),
    )
    expect(machine.syscalls.open).toBeGreaterThan(0)
    machine.poweroff()
    expect(machine.syscalls.open).toBe(0)
    expect(code).not.toBeNull()
    expect(machine.kernel.census.take()).toEqual([])
  })

  it('is what the command poweroff does', () => {
    const { machine } = machineWithVnet()
    machine.run('poweroff')
    expect(machine.running).toBe(false)
    expect(machine.kernel.log.records.at(-1)?.text).toBe('reboot: Power down')
    expect(() => machine.run('uname')).toThrow('is off')
  })

  it('removes modules before those they need', () => {
    const machine = bootMachine()
    const gone: string[] = []
    const { modules } = machine.kernel
    modules.insmod({ name: 'base', license: 'GPL', init: () => {}, exit: () => gone.push('base') })
    modules.insmod({
      name: 'top',
      license: 'GPL',
      depends: ['base'],
      init: () => {},
      exit: () => gone.push('top'),
    })
    machine.poweroff()
    expect(gone).toEqual(['top', 'base'])
  })
})

describe('two machines in one process', () => {
  it('know nothing of each other', () => {
    const a = machineWithVnet({ name: 'a' })
    const b = bootMachine({ name: 'b' })
    setUp(a.dev, true)
    expect(b.vfs.list('/sys/class/net')).toEqual(['lo'])
    expect(b.run('ip link show vnet0').exitCode).toBe(1)
    a.machine.poweroff()
    expect(b.run('ping -c 1 127.0.0.1').exitCode).toBe(0)
    expect(b.running).toBe(true)
  })
})

describe('a command line', () => {
  it.each([
    ['ip  link show', ['ip', 'link', 'show']],
    ["echo 'a b' \"c 'd\"", ['echo', 'a b', "c 'd"]],
    ['a\\ b ""', ['a b', '']],
    ['', []],
  ])('%j is split as a shell splits it', (line, words) => {
    expect(splitWords(line)).toEqual(words)
  })

  it('a quote must end', () => {
    expect(() => splitWords("echo 'a")).toThrow('unterminated quote')
  })
})

describe('a machine on the real clock', () => {
  it('runs commands, and ends', () => {
    const machine = bootMachine({ clock: 'real', wallClock: 1_700_000_000_000_000_000n })
    const { stdout, exitCode } = machine.run('ping -c 1 127.0.0.1')
    expect(stdout).toContain('1 received')
    expect(exitCode).toBe(0)
    machine.poweroff()
    expect(machine.kernel.census.take()).toEqual([])
  })
})
