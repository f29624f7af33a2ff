import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError } from '../errors.ts'
import { isAlive, readPidFile, type ProcessId } from './pid-file.ts'
import { machinePaths } from './runtime.ts'

const SYS_REBOOT = 33n
const POWER_OFF = 0x4321fedcn
const PATIENCE_MS = 5000

/** `vnet poweroff`: asks the machine, then its process, and returns when it is gone. */
export async function poweroffCommand(name: string): Promise<number> {
  const paths = machinePaths(name)
  const holder = readPidFile(paths.pid)
  if (holder === null || !isAlive(holder)) throw new CommandError(`vnet poweroff: no machine "${name}" runs`)
  ask(paths.socket)
  if (await gone(holder, paths.pid)) return 0
  process.kill(holder.pid, 'SIGTERM')
  if (await gone(holder, paths.pid)) return 0
  process.kill(holder.pid, 'SIGKILL')
  await gone(holder, paths.pid)
  process.stderr.write(`vnet poweroff: machine "${name}" did not answer and was killed\n`)
  return 0
}

/** The request that reboot(LINUX_REBOOT_CMD_POWER_OFF) is; there may be nobody left to answer it. */
function ask(path: string): void {
  const request = new BigUint64Array([SYS_REBOOT, POWER_OFF, 0n, 0n, 0n, 0n, 0n])
  const socket = connect(path, () => socket.write(new Uint8Array(request.buffer)))
  socket.on('error', () => socket.destroy())
  socket.unref()
}

/** The process ended, or the machine alone, of several in one process: then the name is free. */
async function gone(holder: ProcessId, pidFile: string): Promise<boolean> {
  const over = (): boolean => !isAlive(holder) || readPidFile(pidFile)?.pid !== holder.pid
  for (let waited = 0; waited < PATIENCE_MS; waited += 20) {
    if (over()) return true
    await sleep(20)
  }
  return over()
}
