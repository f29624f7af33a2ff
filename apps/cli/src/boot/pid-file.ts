import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'

/** A process, told apart from a later one with the same number by when it began. */
export interface ProcessId {
  readonly pid: number
  /** Empty where the host does not tell. */
  readonly began: string
}

/** When a process began, in ticks since the host started; null when there is none or it is a zombie. */
function beganOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : (fields[19] ?? '')
  } catch {
    return null
  }
}

/** True while the process runs. */
export function isAlive({ pid, began }: ProcessId): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return began === '' || beganOf(pid) === began
}

/** Who a pid file names; null when it is missing or damaged. */
export function readPidFile(path: string): ProcessId | null {
  try {
    const [pid, began = ''] = readFileSync(path, 'utf8').trim().split(' ')
    return /^[1-9]\d*$/.test(pid ?? '') ? { pid: Number(pid), began } : null
  } catch {
    return null
  }
}

/**
 * Puts this process into a pid file, which is the lock of the machine's name.
 *
 * @returns null, or the process that has the name
 */
export function claimPidFile(path: string): ProcessId | null {
  const own = `${path}.${process.pid}`
  writeFileSync(own, `${process.pid} ${beganOf(process.pid) ?? ''}\n`, { mode: 0o600 })
  try {
    for (let tries = 0; ; tries++) {
      try {
        linkSync(own, path)
        return null
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries > 9) throw error
      }
      const holder = readPidFile(path)
      if (holder !== null && isAlive(holder)) return holder
      takeAway(path)
    }
  } finally {
    unlinkSync(own)
  }
}

/** Removes a dead process's file, unless another one was faster and it is a live one's by now. */
function takeAway(path: string): void {
  const aside = `${path}.${process.pid}.old`
  try {
    renameSync(path, aside)
    const holder = readPidFile(aside)
    if (holder !== null && isAlive(holder)) linkSync(aside, path)
  } catch {
  } finally {
    rmSync(aside, { force: true })
  }
}

/** Removes the pid file of this process. */
export function dropPidFile(path: string): void {
  if (readPidFile(path)?.pid === process.pid) rmSync(path, { force: true })
}
