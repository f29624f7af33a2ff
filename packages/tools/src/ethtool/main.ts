import { CliExit, findCommand, takeFlags } from '@vnet/ethtool'
import type { CommandName } from '@vnet/ethtool'
import type { Process, Syscalls } from '../proc/process.ts'
import { EthtoolRun } from './context.ts'
import { setFeatures, showFeatures } from './features.ts'
import * as get from './get.ts'
import type { EthtoolCommand } from './get.ts'
import * as ioctl from './ioctls.ts'
import { monitor } from './monitor.ts'
import { showPause } from './pause.ts'
import { setRules, showRules } from './rules.ts'
import { setRxfh, showRxfh } from './rxfh.ts'
import * as set from './set.ts'
import { showSettings } from './settings.ts'
import { statistics } from './std-stats.ts'

/** A function is called as its command is. */
const COMMANDS: Readonly<Record<CommandName, EthtoolCommand>> = {
  ...get,
  ...ioctl,
  ...set,
  setFeatures,
  setRules,
  setRxfh,
  showFeatures,
  showPause,
  showRules,
  showRxfh,
  showSettings,
  statistics,
}

/** `ethtool`, as version 6.1 prints and ends. @kernel none */
export function* ethtool(process: Process): Syscalls<number> {
  const run = new EthtoolRun(process)
  const words = process.argv.slice(1)
  try {
    takeFlags(run, words)
    if (words[0] === '--monitor') return yield* monitor(run, words.slice(1))
    return yield* COMMANDS[findCommand(run, words)](run)
  } catch (error) {
    if (error instanceof CliExit) return error.exitCode
    throw error
  }
}
