import { readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import type { Koffi } from './koffi.ts'

const RTLD_NOW = 2
const RTLD_NOLOAD = 4
const RTLD_NODELETE = 0x1000

/**
 * Keeps koffi's binary in memory until the process ends.
 *
 * Node takes it out with the last thread that loaded it, before the loop of that thread has closed what is watched; if
 * that is a worker thread which ends without closing everything, the process would end with it.
 */
export function stayLoaded(koffi: Koffi): void {
  if (isMainThread) return
  const file = koffiBinary()
  if (file === null) return
  const dlopen = koffi.load(null).func('int64_t dlopen(const char *file, int flags)')
  dlopen(file, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE)
}

/** Where this process has it from. */
function koffiBinary(): string | null {
  const maps = readFileSync('/proc/self/maps', 'utf8')
  return /(\/.*koffi[^/\n]*\.node)$/m.exec(maps)?.[1] ?? null
}
