import { newProcess, runProgram } from '@vnet/tools'
import { requireMachine } from '../boot/running.ts'
import { machinePaths } from '../boot/runtime.ts'
import { socketTransport } from '../programs/socket-transport.ts'
import { cable, CABLE_HELP } from './cable-program.ts'

/** `vnet cable …` on this terminal. */
export async function cableCommand(words: readonly string[], machine: string): Promise<number> {
  if (words.includes('--help') || words.includes('-h')) {
    process.stdout.write(CABLE_HELP)
    return 0
  }
  const paths = machinePaths(machine)
  requireMachine(paths)
  const task = newProcess(['cable', ...words], {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    pid: process.pid,
  })
  return await new Promise((resolve) => {
    runProgram(cable, task, socketTransport(paths.socket), resolve)
  })
}
