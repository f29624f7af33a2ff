import type { ModuleDefinition } from '@vnet/kernel'
import { bootMachine, type Machine } from '@vnet/machine'
import { localTransport, newProcess, programs, runProgram } from '@vnet/tools'
import type { Output } from './records.ts'
import type { World } from './world.ts'

const NS = 1_000_000_000
/** Kernel time after which a command is stuck. */
const PATIENCE_NS = 600 * NS

/** A machine in this process, on the virtual clock, with our own commands. */
export class MachineWorld implements World {
  readonly machine: Machine

  /** @param modules - by the path the transcript loads them from */
  constructor(modules: ReadonlyMap<string, ModuleDefinition>) {
    this.machine = bootMachine({
      name: 'oracle',
      modules: {
        find: (path, done) => done(modules.get(path) ?? null),
        names: () => [...modules.keys()],
      },
    })
  }

  run(argv: readonly string[], stdin?: string): Promise<Output> {
    const started = this.#start(argv, stdin)
    const { kernel } = this.machine
    kernel.runUntil(() => started.done(), 0)
    if (!started.done() && !kernel.runUntil(() => started.done(), PATIENCE_NS))
      return Promise.reject(new Error(`${argv.join(' ')} does not end`))
    return Promise.resolve(started.output())
  }

  sleep(seconds: number): Promise<void> {
    this.machine.kernel.runFor(seconds * NS)
    return Promise.resolve()
  }

  background(argv: readonly string[]): { done(): boolean; end(): Promise<Output> } {
    const started = this.#start(argv)
    return {
      done: () => started.done(),
      end: () => {
        if (!started.done()) started.interrupt()
        this.machine.kernel.runUntil(() => started.done(), NS)
        return Promise.resolve(started.output())
      },
    }
  }

  #start(argv: readonly string[], stdin?: string) {
    let stdout = ''
    let stderr = ''
    let exitCode: number | null = null
    const program = programs[argv[0]!]
    if (program === undefined) throw new Error(`there is no command ${argv[0]}`)
    const decoder = new TextDecoder()
    const process = newProcess(argv, {
      stdout: (text) => (stdout += typeof text === 'string' ? text : decoder.decode(text)),
      stderr: (text) => (stderr += text),
      ...(stdin !== undefined && { stdin }),
    })
    const running = runProgram(
      program,
      process,
      localTransport(this.machine.syscalls),
      (code) => (exitCode = code),
    )
    return {
      done: () => exitCode !== null,
      interrupt: () => running.interrupt(),
      output: (): Output => ({ stdout, stderr, exitCode: exitCode ?? -1 }),
    }
  }
}
