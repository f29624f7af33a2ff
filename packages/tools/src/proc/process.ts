import type { ProcessMemory } from './memory.ts'

/**
 * What a program is given: its words, its memory and where its texts go.
 *
 * @kernel struct task_struct include/linux/sched.h
 */
export interface Process {
  /** `argv[0]` is the name it was called by. */
  readonly argv: readonly string[]
  readonly memory: ProcessMemory
  stdout(text: string | Uint8Array): void
  stderr(text: string): void
  readonly env: Readonly<Record<string, string>>
  /** Width of the terminal; absent: no terminal. */
  readonly columns?: number
  /** What the program reads as its input; absent: nothing. */
  readonly stdin?: string | Uint8Array
  /** Ctrl-C came: a call that waits returns -EINTR. */
  interrupted: boolean
  /** The process id that sockets are bound by; absent: the kernel chooses. */
  readonly pid?: number
  /** Absent or true: it may change the network. */
  readonly capNetAdmin?: boolean
}

/**
 * A system call that a program asks for.
 *
 * `fd: null` opens a descriptor, or needs none. With `timeoutNs` the call waits that long for the descriptor to become
 * readable and then gives -EAGAIN; a poll gives 0.
 *
 * @kernel none
 */
export interface SysRequest {
  readonly fd: number | null
  readonly op: number
  readonly args: readonly (number | bigint)[]
  readonly timeoutNs?: number
}

/** A part of a program: it yields system calls and gets their results. @kernel none */
export type Syscalls<T> = Generator<SysRequest, T, bigint>

/** A program: it yields system calls and returns its exit code. @kernel none */
export type Program = (process: Process) => Syscalls<number>
