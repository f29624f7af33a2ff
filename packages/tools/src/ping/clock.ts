import { Sys } from '@vnet/netlink'
import { scoped, syscall } from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'

const NS = 1_000_000_000n

/** Nanoseconds of a clock of the machine: 0 real time, 1 since boot. @throws Errno @kernel clock_gettime() kernel/time/posix-timers.c */
export function clockGettime(process: Process, id: 0 | 1): Syscalls<number> {
  return scoped(process, function* () {
    const at = process.memory.alloc(16)
    yield* syscall(null, Sys.clockGettime, [id, at])
    const bytes = process.memory.get(at, 16)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    return Number(view.getBigInt64(0, true) * NS + view.getBigInt64(8, true))
  })
}
