import { BaseBackend } from '@vnet/backend'
import { dmesg, Errno, type Kernel } from '@vnet/kernel'
import { devChangeName, devGetByName } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import {
  bootMachine,
  builtinModules,
  type FrameTap,
  type Machine,
  type MachineHost,
} from '../../src/index.ts'

const FILE = '/sys/kernel/debug/vnet/cables'

/** A cable of the host, which must be given back. */
class HostCable extends BaseBackend {
  closed = 0

  transmit(_mem: Uint8Array, _offset: number, length: number): boolean {
    this.taken(length)
    this.counters.downFrames++
    return true
  }

  /** A frame comes from outside. */
  bring(kernel: Kernel, frame: Uint8Array): void {
    this.counters.upFrames++
    kernel.hardware(() => this.offer(frame, 0, frame.length))
  }

  close(): void {
    expect(this.port).toBeNull()
    this.closed++
  }
}

function setup(
  args = 'devices=2 backend=null',
  host: MachineHost = {},
): { machine: Machine; write(line: string): void } {
  const machine = bootMachine({ host, modules: builtinModules(host) })
  expect(machine.run(`insmod vnet ${args}`)).toMatchObject({ exitCode: 0 })
  return { machine, write: (line) => machine.vfs.write(FILE, line) }
}

function withHostCables(): ReturnType<typeof setup> & { made: HostCable[] } {
  const made: HostCable[] = []
  const cable = (spec: string): HostCable => {
    if (spec === 'wire:broken') throw new Errno('ENOENT', 'there is no such wire')
    made.push(new HostCable(spec))
    return made.at(-1)!
  }
  return { made, ...setup('backend=wire:0', { cable }) }
}

const lines = (machine: Machine): string[] => machine.vfs.read(FILE).trimEnd().split('\n')
const states = (machine: Machine): string[] =>
  lines(machine).map((line) => line.split('  ').slice(1, 3).join(' '))
const carrier = (machine: Machine, dev: string): string => {
  machine.kernel.runFor(2e9)
  return machine.vfs.read(`/sys/class/net/${dev}/carrier`).trim()
}

function refusal(machine: Machine, line: string): [code: string, sentence: string | undefined] {
  try {
    machine.vfs.write(FILE, line)
  } catch (error) {
    const last = dmesg(machine.kernel, { time: false }).trimEnd().split('\n').at(-1)
    return [(error as Errno).code, last?.replace(/^cables: /, '')]
  }
  throw new Error(`${line} was not refused`)
}

describe('the cables of a machine', () => {
  it('lists each card with its cable, state, faults and counters', () => {
    const { machine, write } = setup()
    write('plug vnet1 null drop=10% delay=1ms\n')
    expect(machine.vfs.read(FILE)).toBe(
      'vnet0  null  up  -  tx=0 rx=0 dropped=0 missed=0\n' +
        'vnet1  null  up  drop=10%,delay=1ms  tx=0 rx=0 dropped=0 missed=0\n',
    )
    machine.run('rmmod vnet')
    expect(machine.vfs.read(FILE)).toBe('')
  })

  it('the device loses its carrier when its cable is pulled or cut, and has it back with a new or mended one', () => {
    const { machine, write } = setup()
    machine.run('ip link set vnet0 up')
    expect(carrier(machine, 'vnet0')).toBe('1')
    write('cut vnet0')
    expect([states(machine)[0], carrier(machine, 'vnet0')]).toEqual(['null cut', '0'])
    write('repair vnet0')
    expect([states(machine)[0], carrier(machine, 'vnet0')]).toEqual(['null up', '1'])
    write('unplug vnet0')
    expect([states(machine)[0], carrier(machine, 'vnet0')]).toEqual(['- down', '0'])
    write('plug vnet0 loopback')
    expect([states(machine)[0], carrier(machine, 'vnet0')]).toEqual(['loopback up', '1'])
  })

  it('a patch cable joins two cards: one sends, the other receives; a third finds no place', () => {
    const { machine, write } = setup('devices=3 backend=null')
    write('plug vnet0 patch:ab')
    expect(states(machine)[0]).toBe('patch:ab down')
    write('plug vnet1 patch:ab')
    expect(states(machine)).toEqual(['patch:ab up', 'patch:ab up', 'null up'])
    expect(refusal(machine, 'plug vnet2 patch:ab')).toEqual([
      'EBUSY',
      'patch:ab has 2 places, and all are taken',
    ])
    machine.run('ip link set vnet0 up')
    machine.run('ip link set vnet1 up')
    machine.kernel.runFor(5e9)
    const [a, b] = lines(machine).map((line) => /tx=(\d+) rx=(\d+)/.exec(line)!.slice(1))
    expect(Number(a![0])).toBeGreaterThan(0)
    expect([b![1], a![1]]).toEqual([a![0], b![0]])
    write('unplug vnet0')
    expect(states(machine)[1]).toBe('patch:ab down')
    write('plug vnet2 patch:ab')
    expect(states(machine)[1]).toBe('patch:ab up')
  })

  it('the same cable again changes its faults; frames lost by them are counted', () => {
    const { machine, write } = setup('devices=2 backend=patch:ab')
    write('plug vnet0 patch:ab drop=100%')
    machine.run('ip link set vnet0 up')
    machine.kernel.runFor(5e9)
    const [, tx, rx, dropped] = /tx=(\d+) rx=(\d+) dropped=(\d+)/.exec(lines(machine)[0]!)!
    expect(Number(tx)).toBeGreaterThan(0)
    expect([rx, dropped]).toEqual(['0', tx])
    write('plug vnet0 patch:ab')
    expect(lines(machine)[0]).toMatch(/^vnet0 {2}patch:ab {2}up {2}- /)
  })

  it('a card hangs until it recovers, or for a time', () => {
    const { machine, write } = setup()
    write('hang vnet0')
    write('hang vnet1 6s')
    machine.kernel.runFor(5.9e9)
    expect(states(machine)).toEqual(['null up,hung', 'null up,hung'])
    machine.kernel.runFor(0.2e9)
    expect(states(machine)).toEqual(['null up,hung', 'null up'])
    write('recover vnet0')
    expect(states(machine)).toEqual(['null up', 'null up'])
  })

  it.each([
    ['plug vnet9 null', 'ENODEV', 'there is no vnet device "vnet9"'],
    ['plug lo null', 'ENODEV', 'there is no vnet device "lo"'],
    ['plug vnet0', 'EINVAL', 'write plug DEV SPEC [FAULTS…]'],
    ['unplug', 'EINVAL', 'write unplug DEV'],
    ['cut vnet0 now', 'EINVAL', 'write cut DEV'],
    [
      'toString vnet0',
      'EINVAL',
      'there is no "toString"; known are plug, unplug, cut, repair, hang, recover',
    ],
    ['hang vnet0 6', 'EINVAL', '"6" is no time; write 6s or 500ms'],
    [
      'plug vnet0 tap:x',
      'EINVAL',
      '"tap:x" is no cable: one of null, loopback, generator, switch:NAME, patch:NAME',
    ],
    ['plug vnet0 switch:', 'EINVAL', '"switch:" is no shared cable: write switch:NAME or patch:NAME'],
    ['plug vnet0 null drop=2', 'EINVAL', 'faults: drop=2 is not understood, write drop=10%'],
    ['plug vnet0 null drop', 'EINVAL', 'faults: drop needs a value, like drop=10%'],
  ])('refuses %s', (line, code, sentence) => {
    const { machine } = setup()
    expect(refusal(machine, line)).toEqual([code, sentence])
    expect(states(machine)).toEqual(['null up', 'null up'])
  })

  it('nothing can be cut, mended or pulled where nothing is plugged in', () => {
    const { machine, write } = setup()
    write('unplug vnet0')
    for (const verb of ['unplug', 'cut', 'repair'])
      expect(refusal(machine, `${verb} vnet0`)).toEqual(['ENOLINK', 'vnet0: nothing is plugged in'])
  })

  it('frames of the host reach the card, whatever was plugged in before', () => {
    const { machine, made, write } = withHostCables()
    machine.run('ip link set vnet0 up')
    write('plug vnet0 wire:1')
    machine.kernel.runFor(1e9)
    made[1]!.bring(machine.kernel, new Uint8Array(60).fill(0xff))
    machine.kernel.runFor(1e6)
    expect(machine.vfs.read('/sys/class/net/vnet0/statistics/rx_packets')).toBe('1\n')
  })

  it('a cable of the host is closed once: when it is replaced, pulled, or its device goes', () => {
    const { machine, made, write } = withHostCables()
    write('plug vnet0 wire:1')
    expect(made.map(({ closed }) => closed)).toEqual([1, 0])
    write('plug vnet0 wire:1 drop=1%')
    write('cut vnet0')
    write('repair vnet0')
    expect(made.map(({ closed }) => closed)).toEqual([1, 0])
    write('unplug vnet0')
    expect(made.map(({ closed }) => closed)).toEqual([1, 1])
    write('plug vnet0 wire:2')
    write('cut vnet0')
    machine.run('rmmod vnet')
    expect(made.map(({ closed }) => closed)).toEqual([1, 1, 1])
  })

  it('the old cable stays when the new one cannot be made', () => {
    const { machine, made } = withHostCables()
    expect(refusal(machine, 'plug vnet0 wire:broken')).toEqual(['ENOENT', 'there is no such wire'])
    expect([states(machine), made[0]!.closed]).toEqual([['wire:0 up'], 0])
  })

  it('a module that cannot be loaded leaves no cable behind, and says why', () => {
    const made: HostCable[] = []
    const cable = (spec: string): HostCable => {
      if (made.length === 2) throw new Errno('EMFILE', 'no third one')
      made.push(new HostCable(spec))
      return made.at(-1)!
    }
    const machine = bootMachine({ host: { cable } })
    expect(machine.run('insmod vnet devices=3 backend=wire:x').exitCode).toBe(1)
    expect(made.map(({ closed }) => closed)).toEqual([1, 1])
    expect(dmesg(machine.kernel)).toContain('vnet: wire:x: no third one')
    expect(machine.vfs.read(FILE)).toBe('')
    machine.poweroff()
    expect(machine.kernel.census.take()).toEqual([])
  })

  it('the host serves each device by its name, until it has another one or goes', () => {
    const told: string[] = []
    const taps: FrameTap[] = []
    const wire: MachineHost['wire'] = (name, tap) => {
      told.push(`+${name}`)
      taps.push(tap)
      return () => told.push(`-${name}`)
    }
    const { machine, write } = setup('devices=2 backend=null', { wire })
    const { kernel } = machine
    kernel.rtnl.run(() => devChangeName(devGetByName(kernel, 'vnet1')!, 'eth7'))
    write('plug eth7 loopback')
    const client = taps[1]!.open()
    expect(lines(machine)[1]).toMatch(/^eth7 .* wire=1 lost=0$/)
    machine.run('ip link set eth7 up')
    kernel.runFor(3e9)
    expect(client.waiting).toBeGreaterThan(0)
    machine.poweroff()
    expect(told).toEqual(['+vnet0', '+vnet1', '-vnet1', '+eth7', '-eth7', '-vnet0'])
    expect([taps[1]!.clients, kernel.census.take(), kernel.violations]).toEqual([0, [], []])
  })
})
