import { Errno } from '@vnet/kernel'
import { Sys } from '@vnet/netlink'
import { Descriptor } from './descriptor.ts'
import type { Process, Program, SysRequest, Syscalls } from './process.ts'
import { SYS_CLOSE } from './sys.ts'
import type { Transport } from './transport.ts'

const EINTR = -4n
const EBADF = -9n
const EAGAIN = -11n

/** A program that runs. @kernel none */
export interface Running {
  /** Ctrl-C: the call that waits returns -EINTR. */
  interrupt(): void
}

/**
 * Runs a program against a machine. Everything that does not wait has happened when it returns.
 *
 * @param onExit - called once, with the exit code; every descriptor is closed by then
 * @kernel do_execveat_common() fs/exec.c
 */
export function runProgram(
  program: Program,
  process: Process,
  transport: Transport,
  onExit: (code: number) => void,
): Running {
  const runner = new Runner(program(process), process, transport, onExit)
  runner.start()
  return { interrupt: () => runner.interrupt() }
}

/** What the program waits for: a result, or a descriptor that becomes readable and then perhaps a result. */
type Wait = 'nothing' | 'result' | 'arm' | 'wake'

class Runner {
  readonly #steps: Syscalls<number>
  readonly #process: Process
  readonly #transport: Transport
  readonly #onExit: (code: number) => void
  readonly #files = new Map<number, Descriptor>()
  #nextFd = 3
  #wait: Wait = 'nothing'
  #request: SysRequest | null = null
  #current: Descriptor | null = null
  #timer: Descriptor | null = null
  #result: bigint | null = null
  #woken = false
  #stepping = false
  #over = false

  constructor(
    steps: Syscalls<number>,
    process: Process,
    transport: Transport,
    onExit: (code: number) => void,
  ) {
    this.#steps = steps
    this.#process = process
    this.#transport = transport
    this.#onExit = onExit
  }

  start(): void {
    this.#resume(0n)
  }

  interrupt(): void {
    this.#process.interrupted = true
    if (this.#over || this.#wait === 'nothing') return
    if (this.#wait === 'wake') this.#finishCall(EINTR)
    else this.#current?.interrupt()
  }

  /** Gives a result to the program; never inside itself, so that a thousand quick calls need no deep stack. */
  #resume(value: bigint): void {
    this.#result = value
    if (this.#stepping) return
    this.#stepping = true
    try {
      while (this.#result !== null && !this.#over) {
        const result = this.#result
        this.#result = null
        this.#step(result)
      }
    } finally {
      this.#stepping = false
    }
  }

  #step(value: bigint): void {
    try {
      const next = this.#steps.next(value)
      if (next.done === true) this.#exit(next.value)
      else this.#issue(next.value)
    } catch (error) {
      this.#close()
      if (!(error instanceof Errno)) throw error
      this.#process.stderr(`${this.#process.argv[0] ?? ''}: ${error.message}\n`)
      this.#onExit(1)
    }
  }

  #exit(code: number): void {
    this.#close()
    this.#onExit(code)
  }

  #close(): void {
    this.#over = true
    this.#stopTimer()
    for (const file of this.#files.values()) file.close()
    this.#files.clear()
    if (this.#current !== null) this.#current.close()
  }

  // ── calls

  #issue(request: SysRequest): void {
    this.#request = request
    this.#woken = false
    if (request.op === SYS_CLOSE) return this.#resume(this.#closeFile(request.fd))
    const file = request.fd === null ? this.#open() : this.#files.get(request.fd)
    if (file === undefined) return this.#resume(EBADF)
    this.#current = file
    if (request.op === Sys.pollArm || request.timeoutNs !== undefined) this.#poll(file)
    else this.#call(file, request)
  }

  #call(file: Descriptor, request: SysRequest): void {
    this.#wait = 'result'
    file.call(request.op, request.args)
  }

  #poll(file: Descriptor): void {
    if (this.#process.interrupted) return this.#finishCall(EINTR)
    this.#wait = 'arm'
    file.call(Sys.pollArm, [])
  }

  #open(): Descriptor {
    const file: Descriptor = new Descriptor(this.#transport, this.#process.memory, {
      returned: (value) => {
        if (file === this.#current) this.#returned(value)
      },
      woken: () => {
        if (file === this.#current) this.#readable()
      },
    })
    return file
  }

  #closeFile(fd: number | null): bigint {
    const file = fd === null ? undefined : this.#files.get(fd)
    if (fd === null || file === undefined) return EBADF
    this.#files.delete(fd)
    if (file === this.#current) this.#current = null
    file.close()
    return 0n
  }

  #returned(value: bigint): void {
    if (this.#wait === 'arm' && value >= 0n) return this.#armed()
    if (this.#wait !== 'nothing') this.#finishCall(value)
  }

  #armed(): void {
    this.#wait = 'wake'
    if (this.#woken) return this.#readable()
    const limit = this.#request?.timeoutNs
    if (limit !== undefined) this.#startTimer(limit)
  }

  /** The descriptor has something: the poll is over, and the call it was for can be made. */
  #readable(): void {
    this.#woken = true
    if (this.#wait !== 'wake') return
    this.#stopTimer()
    const request = this.#request
    if (request === null || this.#current === null) return
    if (request.op === Sys.pollArm) this.#finishCall(1n)
    else this.#call(this.#current, request)
  }

  #startTimer(ns: number): void {
    const timer = new Descriptor(this.#transport, this.#process.memory, {
      returned: () => {
        if (timer !== this.#timer) return
        this.#stopTimer()
        if (this.#wait === 'wake') this.#finishCall(this.#request?.op === Sys.pollArm ? 0n : EAGAIN)
      },
      woken: () => {},
    })
    this.#timer = timer
    timer.call(Sys.nanosleep, [Math.max(0, Math.trunc(ns))])
  }

  #stopTimer(): void {
    this.#timer?.close()
    this.#timer = null
  }

  #finishCall(value: bigint): void {
    this.#stopTimer()
    this.#wait = 'nothing'
    this.#resume(this.#request?.fd === null ? this.#opened(value) : value)
  }

  /** A new descriptor gets its number; the connection of any other call without one ends. */
  #opened(value: bigint): bigint {
    const op = this.#request?.op
    const file = this.#current
    if (file === null) return value
    if (value >= 0n && (op === Sys.socket || op === Sys.open)) {
      const fd = this.#nextFd++
      this.#files.set(fd, file)
      return BigInt(fd)
    }
    this.#current = null
    file.close()
    return value
  }
}
