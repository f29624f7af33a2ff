import { localTransport, newProcess, runProgram, type Process, type Syscalls } from '@vnet/tools'
import type { SyscallServer } from '@vnet/netlink'
import type { Kernel } from '@vnet/kernel'

/** Runs system calls as a program of the same process does, on the kernel's clock; what the program returns. */
export function calls<T>(
  server: SyscallServer,
  program: (process: Process) => Syscalls<T>,
  options: { readonly capNetAdmin?: boolean; readonly ns?: number } = {},
): T {
  let result: { value: T } | null = null
  let failed: unknown = null
  const process = newProcess(['test'])
  const run = function* (): Syscalls<number> {
    try {
      result = { value: yield* program(process) }
    } catch (error) {
      failed = error
    }
    return 0
  }
  runProgram(run, process, localTransport(server, { capNetAdmin: options.capNetAdmin ?? true }), () => {})
  const kernel: Kernel = server.kernel
  kernel.runUntil(() => result !== null || failed !== null, options.ns ?? 10e9)
  if (failed !== null) throw failed
  if (result === null) throw new Error('the program still waits')
  return (result as { value: T }).value
}
