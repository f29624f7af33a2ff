import { createKernel } from '@vnet/kernel'
import { SharedCables, type Machine } from '@vnet/machine'
import { runMachine } from '../../boot/machine-process.ts'
import { dropPidFile } from '../../boot/pid-file.ts'
import { machinePaths } from '../../boot/runtime.ts'
import { dropRecord, writeRecord } from '../record.ts'
import { buildMachine } from './build.ts'
import type { NamedLab } from './read.ts'

/** Is all machines of a file, until each is powered off. @returns the exit code @throws CommandError */
export async function runFileLab({ name, lab }: NamedLab, file: string, ready: () => void): Promise<number> {
  // In its time are the cables between machines; it has no devices of its own.
  const hub = createKernel({ clock: 'real', strict: false })
  const shared = new SharedCables(hub)
  for (const [cable, { delay }] of Object.entries(lab.cables)) shared.describePatch(cable, { delayNs: delay })
  // Each machine listens for the signals that end it.
  process.setMaxListeners(lab.machines.length * 4 + 16)
  try {
    return await runAll(
      lab.machines.length,
      (index, booted, isReady) => {
        const { name: machine, seed = index + 1 } = lab.machines[index]!
        const paths = machinePaths(machine)
        const setUp = (made: Machine): void => {
          booted(made)
          if (index === 0)
            writeRecord({ name, machines: lab.machines.map((one) => one.name), namespaces: [], file })
          buildMachine(made, lab, index)
        }
        const running = runMachine(paths, {
          seed,
          console: () => {},
          ready: isReady,
          setUp,
          host: { shared },
        })
        return running.finally(() => dropPidFile(paths.pid))
      },
      ready,
    )
  } finally {
    dropRecord(name)
    hub.shutdown()
  }
}

type Run = (index: number, booted: (machine: Machine) => void, isReady: () => void) => Promise<number>

/** Runs machines side by side; when one cannot be, none is. @returns the largest exit code */
async function runAll(count: number, run: Run, ready: () => void): Promise<number> {
  const machines: Machine[] = []
  let waiting = count
  let failed: { error: unknown } | null = null
  const isReady = (): void => {
    if (--waiting === 0) ready()
  }
  const one = async (index: number): Promise<number> => {
    try {
      return await run(
        index,
        (machine) => {
          if (failed !== null) throw failed.error
          machines.push(machine)
        },
        isReady,
      )
    } catch (error) {
      failed ??= { error }
      for (const machine of machines) machine.poweroff()
      return 1
    }
  }
  const codes = await Promise.all(Array.from({ length: count }, (_, index) => one(index)))
  if (failed !== null) throw (failed as { error: unknown }).error
  return Math.max(...codes)
}
