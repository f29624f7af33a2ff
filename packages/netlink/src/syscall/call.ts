import { Errno } from '@vnet/kernel'
import type { Kernel, Ktime } from '@vnet/kernel'
import type { UserMemory } from '../ioctl/memory.ts'
import type { SyscallConnection } from './connection.ts'
import { CallMemory } from './call-memory.ts'

/** How a call that waits is told to go on: given what wakes it, returns what takes that back. */
export type ArmWait = (wake: () => void) => () => void

/**
 * Does one operation. It runs in process context and may be run again from its start, when bytes of the program have
 * come or when what it waited for happened: copy in first, look whether to wait, and only then change anything.
 *
 * @returns what the program gets, 0 or more; a refusal is a thrown `Errno`
 */
export type SyscallHandler = (call: SyscallCall) => number | bigint

/** A system call, as its handler sees it. */
export interface SyscallCall {
  readonly kernel: Kernel
  readonly connection: SyscallConnection
  readonly op: number
  /** Six registers of 64 bits, unsigned. */
  readonly args: readonly bigint[]
  /** The program's memory. Copies out reach the program when the call ends. */
  readonly memory: UserMemory
  /** When the call began; the same each time the handler runs. */
  readonly started: Ktime
  /**
   * Parks the call. `arm` is called once; at the first `wake()` the handler is run again. It does not return.
   *
   * @throws Errno EINTR when the program does not want to wait any more
   */
  block(arm: ArmWait): never
  /** An argument as a signed 32-bit number, as an `int` arrives. */
  int(index: number): number
}

/** Thrown where a handler cannot go on now; made once, since it says nothing. */
const STOP = { reason: 'the handler is run again later' }

/** The state of a call between the runs of its handler. @kernel struct pt_regs arch/x86/include/asm/ptrace.h */
export class ActiveCall implements SyscallCall {
  readonly kernel: Kernel
  readonly connection: SyscallConnection
  readonly op: number
  readonly args: readonly bigint[]
  readonly memory = new CallMemory(STOP)
  readonly started: Ktime
  /** The program asked for an end of the wait. */
  interrupted = false
  /** What the last run wants to wait for. */
  wait: ArmWait | null = null

  constructor(connection: SyscallConnection, op: number, args: readonly bigint[]) {
    this.kernel = connection.server.kernel
    this.connection = connection
    this.op = op
    this.args = args
    this.started = this.kernel.clock.ktimeGet()
  }

  block(arm: ArmWait): never {
    if (this.interrupted) throw new Errno('EINTR')
    this.wait = arm
    throw STOP
  }

  int(index: number): number {
    return Number(BigInt.asIntN(32, this.args[index] ?? 0n))
  }

  /** Before the handler runs, again. */
  rewind(): void {
    this.wait = null
    this.memory.rewind()
  }

  /** True for what {@link block} and the memory throw. */
  isStop(error: unknown): boolean {
    return error === STOP
  }
}
