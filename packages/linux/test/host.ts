import { execFileSync } from 'node:child_process'
import type { Netns } from '../src/netns.ts'

/** Runs a command of the host inside. */
export function host(netns: Netns, command: string): string {
  const [program, ...args] = command.split(' ')
  return run(netns, program!, ...args)
}

/** The same with arguments that have blanks. */
export function run(netns: Netns, program: string, ...args: string[]): string {
  return netns.run(() => execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }))
}

/** Waits until something is so. The limit is for what never comes, not for what is slow. */
export async function until(done: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 10_000
  while (!done()) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
