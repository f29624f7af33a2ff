import { BaseBackend } from '@vnet/backend'
import { localTransport, newProcess, programs, runProgram, type Running } from '@vnet/tools'
import { textOf } from '@vnet/netlink'
import { createVnetModule } from '@vnet/vnet'
import { bootMachine, type CommandOutput, type Machine } from '../../src/index.ts'

const STEP_NS = 50_000

/** What becomes of a frame on the way: itself, several, or none. */
export type Tamper = (frame: Uint8Array) => readonly Uint8Array[]

/** One end of a cable between two machines, each with a clock of its own. */
class CableEnd extends BaseBackend {
  /** Frames that this end's machine sent, and those on the way to the other end. */
  readonly sent: Uint8Array[] = []
  readonly waiting: Uint8Array[] = []
  tamper: Tamper = (frame) => [frame]

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    const frame = mem.slice(offset, offset + length)
    this.taken(length)
    this.sent.push(frame)
    this.waiting.push(...this.tamper(frame))
    return true
  }

  deliver(frame: Uint8Array): void {
    this.offer(frame, 0, frame.length)
  }
}

/** A command under way on one of the machines. */
export interface Command extends CommandOutput {
  readonly over: boolean
  interrupt(): void
}

/** Two machines on one cable, 10.0.0.1 and 10.0.0.2, whose clocks go together. */
export class MachinePair {
  readonly a: Machine
  readonly b: Machine
  readonly endA = new CableEnd('cable:a')
  readonly endB = new CableEnd('cable:b')

  constructor() {
    this.a = boot('a', 1, this.endA)
    this.b = boot('b', 2, this.endB)
    this.run('ip addr add 10.0.0.1/24 dev vnet0')
    this.run('ip link set vnet0 up')
    this.runOn(this.b, 'ip addr add 10.0.0.2/24 dev vnet0')
    this.runOn(this.b, 'ip link set vnet0 up')
    this.runFor(4e9)
  }

  /** Lets both machines run. */
  runFor(ns: number): void {
    for (let left = ns; left > 0; left -= STEP_NS) this.#step(Math.min(left, STEP_NS))
  }

  #step(ns: number): void {
    for (const machine of [this.a, this.b]) if (machine.running) machine.kernel.runFor(ns)
    this.#carry(this.endA, this.b, this.endB)
    this.#carry(this.endB, this.a, this.endA)
  }

  #carry(from: CableEnd, machine: Machine, to: CableEnd): void {
    for (const frame of from.waiting.splice(0)) {
      if (machine.running) machine.kernel.hardware(() => to.deliver(frame))
    }
  }

  /** Runs a command on the first machine until it ends. */
  run(line: string, limitNs = 30e9): CommandOutput {
    return this.runOn(this.a, line, limitNs)
  }

  runOn(machine: Machine, line: string, limitNs = 30e9): CommandOutput {
    const command = this.start(line, machine)
    for (let left = limitNs; left > 0 && !command.over; left -= STEP_NS) this.#step(STEP_NS)
    if (!command.over) throw new Error(`${line}: does not end; it said ${command.stdout}${command.stderr}`)
    const { stdout, stderr, exitCode } = command
    return { stdout, stderr, exitCode }
  }

  /** Starts a command, and lets it do what does not wait. */
  start(line: string, machine = this.a): Command {
    const argv = line.split(' ')
    const state = { stdout: '', stderr: '', exitCode: -1, over: false, interrupt: () => running.interrupt() }
    const process = newProcess(argv, {
      stdout: (text) => (state.stdout += typeof text === 'string' ? text : textOf(text, 0, text.length)),
      stderr: (text) => (state.stderr += text),
    })
    const transport = localTransport(machine.syscalls)
    const running: Running = runProgram(programs[argv[0]!]!, process, transport, (code) => {
      state.exitCode = code
      state.over = true
    })
    return state
  }

  end(): void {
    for (const machine of [this.a, this.b]) if (machine.running) machine.poweroff()
  }
}

function boot(name: string, nr: number, end: CableEnd): Machine {
  const machine = bootMachine({ name, seed: nr })
  const vnet = createVnetModule({ backend: () => end })
  machine.kernel.modules.insmod(vnet, [`mac=02:00:00:00:00:0${nr}`])
  return machine
}

/** Times stand in no recording: they become T. */
export function masked(text: string): string {
  return text
    .replace(/time=[\d.]+ ms/g, 'time=T ms')
    .replace(/(min\/avg\/max\/mdev = )[\d./]+/g, '$1T')
    .replace(/ipg\/ewma [\d./]+/g, 'ipg/ewma T')
    .replace(/, time \d+ms/g, ', time T')
    .replace(/^\[\d+\.\d{6}\]/gm, '[T]')
    .replace(/ {2}\d+\.\d{3}ms/g, '  Tms')
}
