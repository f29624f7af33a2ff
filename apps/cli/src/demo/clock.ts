import type { Kernel } from '@vnet/kernel'
import { setTimeout as sleep } from 'node:timers/promises'

/** How often a waiting step looks up, in ms. */
const LOOK_MS = 5

/** Lets a kernel go on until `done`, or for `limitNs` at most: at once on a virtual clock, in real time otherwise. */
export async function until(kernel: Kernel, done: () => boolean, limitNs: number): Promise<boolean> {
  if (!kernel.clock.real) return kernel.runUntil(done, limitNs)
  const end = kernel.clock.ktimeGet() + limitNs
  while (!done() && kernel.clock.ktimeGet() < end) await sleep(LOOK_MS)
  return done()
}
