import { readdirSync } from 'node:fs'
import { isAlive, readPidFile } from './pid-file.ts'
import { machinePaths, runtimeDir } from './runtime.ts'

/** `vnet machines`: the machines of this user. */
export function machinesCommand(json: boolean): number {
  const list = readdirSync(runtimeDir())
    .filter((file) => file.endsWith('.pid'))
    .map((file) => file.slice(0, -'.pid'.length))
    .sort()
    .flatMap((name) => {
      const { pid, socket, log } = machinePaths(name)
      const holder = readPidFile(pid)
      return holder !== null && isAlive(holder) ? [{ name, pid: holder.pid, socket, log }] : []
    })
  if (json) process.stdout.write(`${JSON.stringify(list, null, 2)}\n`)
  else if (list.length === 0) process.stderr.write('no machine runs; vnet boot -d starts one\n')
  else for (const { name, pid, socket } of list) process.stdout.write(`${name}  pid ${pid}  ${socket}\n`)
  return 0
}
