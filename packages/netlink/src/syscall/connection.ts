import {
  cancelWork,
  Errno,
  hrtimerCancel,
  hrtimerSetup,
  hrtimerStart,
  prErr,
  RuleViolation,
  workSetup,
} from '@vnet/kernel'
import type { Ktime, WorkStruct } from '@vnet/kernel'
import { ByteQueue } from './byte-queue.ts'
import { ActiveCall } from './call.ts'
import type { ArmWait } from './call.ts'
import { encodeAnswers } from './answers.ts'
import type { CopyOut } from './call-memory.ts'
import { decodeRequest, Sys, SYS_REQUEST_LEN, SYS_STATUS_LEN, SysAnswer } from './protocol.ts'
import type { SyscallHead } from './protocol.ts'
import type { SyscallServer } from './server.ts'
import type { Sock } from './sock.ts'

/** The other end of a connection. */
export interface SyscallPeer {
  /** Bytes for the program. They are not changed afterwards. */
  send(bytes: Uint8Array): void
  /** The server ends the connection. Not called after `end()`. */
  close(): void
}

const EFAULT = -14n

/** What a connection is doing: waiting for a request, in a handler, waiting for bytes, or for something to happen. */
type State = 'idle' | 'running' | 'copyin' | 'parked' | 'ended'

/**
 * One descriptor of a program: requests come in as bytes, in any split, and answers go out. It owns the socket, and
 * whatever else calls have left with it, and gives everything back when the program is gone.
 *
 * @kernel struct file include/linux/fs.h
 */
export class SyscallConnection {
  readonly server: SyscallServer
  /** The process id the program told with `socket`; 0 before. */
  pid = 0
  /** The program may change the machine. */
  capNetAdmin = true
  /** What a handler of another package keeps here, such as an open file. */
  file: unknown = null
  /** Calls do not wait. */
  nonblocking = false
  /** How long a call waits for something to read, in nanoseconds; null: for ever. */
  receiveTimeout: Ktime | null = null
  sendTimeout: Ktime | null = null
  /** Options of level SOL_SOCKET that mean nothing here and are only remembered. */
  readonly keptOptions = new Map<number, number>()
  readonly #peer: SyscallPeer
  readonly #input = new ByteQueue()
  readonly #atEnd: (() => void)[] = []
  readonly #work: WorkStruct
  #sock: Sock | null = null
  #state: State = 'idle'
  #call: ActiveCall | null = null
  #disarm: (() => void) | null = null
  #woken = false
  #told = false
  #pumping = false
  #onReadable: (() => void) | null = null

  constructor(server: SyscallServer, peer: SyscallPeer) {
    this.server = server
    this.#peer = peer
    this.#work = workSetup(server.kernel, () => this.#pump(), 'syscall')
  }

  /** The socket, when this descriptor is one. */
  get sock(): Sock | null {
    return this.#sock
  }

  /** Makes this descriptor a socket, which from now on belongs to it. */
  set sock(sock: Sock | null) {
    this.#sock = sock
    if (sock !== null) sock.onReadable = () => this.#readable()
  }

  /** True when the connection is over. */
  get ended(): boolean {
    return this.#state === 'ended'
  }

  /** Has `fn` called once, when the connection is over. */
  atEnd(fn: () => void): void {
    this.#atEnd.push(fn)
  }

  /** Bytes from the program. Any context; where nothing can run now, the call is made soon. */
  push(bytes: Uint8Array): void {
    if (this.#state === 'ended') return
    this.#input.push(bytes)
    this.#pump()
  }

  /** The program is gone: everything it had is released. */
  end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.server.forget(this, this.#work)
    this.#call = null
    this.#input.clear()
    cancelWork(this.#work)
    this.#endWait()
    if (this.#sock !== null) this.#sock.onReadable = null
    this.#sock?.close()
    this.#sock = null
    for (const fn of this.#atEnd.splice(0)) fn()
    this.file = null
  }

  /** Ends the connection from this side. */
  close(): void {
    if (this.#state === 'ended') return
    this.end()
    this.#peer.close()
  }

  /** For {@link SyscallCall.block}: until the socket is readable, or a time has come. */
  whenReadable(until: Ktime | null): ArmWait {
    return (wake) => {
      this.#onReadable = wake
      const stop = until === null ? null : this.whenTime(until)(wake)
      if (this.#sock?.readable === true) wake()
      return () => {
        this.#onReadable = null
        stop?.()
      }
    }
  }

  /** For {@link SyscallCall.block}: until a time of the kernel's clock. */
  whenTime(until: Ktime): ArmWait {
    return (wake) => {
      const { kernel } = this.server
      const timer = hrtimerSetup(kernel, wake, 'syscall')
      hrtimerStart(timer, Math.max(0, until - kernel.clock.ktimeGet()))
      return () => hrtimerCancel(timer)
    }
  }

  // ── what happens next

  #pump(): void {
    if (this.#pumping || this.#state === 'ended') return
    if (!this.server.mayRun) {
      this.server.defer(this.#work)
      return
    }
    this.#pumping = true
    try {
      while (this.#advance());
    } finally {
      this.#pumping = false
    }
  }

  /** Does one thing; false: nothing can be done before something comes. */
  #advance(): boolean {
    if (this.#state === 'idle') return this.#begin()
    if (this.#state === 'copyin') return this.#takeCopy()
    if (this.#state === 'parked') return this.#unpark()
    return false
  }

  #begin(): boolean {
    const bytes = this.#input.take(SYS_REQUEST_LEN)
    if (bytes === null) return false
    const { op, args } = decodeRequest(bytes)
    if (op === Sys.interrupt) return true
    // A request consumes every WAKE before it.
    this.#told = false
    this.#call = new ActiveCall(this, op, args)
    this.#run(this.#call)
    return true
  }

  /** A status, and then bytes. An interrupt may come in between: the program did not yet know it was asked. */
  #takeCopy(): boolean {
    const call = this.#call
    const missing = call?.memory.missing
    if (call == null || missing == null || this.#input.length < SYS_STATUS_LEN) return false
    const status = statusOf(this.#input.peek(SYS_STATUS_LEN))
    if (status === BigInt(Sys.interrupt)) {
      if (this.#input.take(SYS_REQUEST_LEN) === null) return false
      call.interrupted = true
      return true
    }
    if (status !== 0n && status !== EFAULT) {
      this.close()
      return false
    }
    const bytes = this.#input.take(SYS_STATUS_LEN + (status === 0n ? missing.length : 0))
    if (bytes === null) return false
    call.memory.supply(status === 0n ? bytes.subarray(SYS_STATUS_LEN) : null)
    this.#run(call)
    return true
  }

  /** What it waited for has happened, or the program sends something: then it does not wait any longer. */
  #unpark(): boolean {
    const call = this.#call
    if (call === null) return false
    if (this.#woken) {
      this.#endWait()
      this.#run(call)
      return true
    }
    if (this.#input.length < SYS_REQUEST_LEN) return false
    this.#endWait()
    this.#finish(call, BigInt(new Errno('EINTR').errno))
    return true
  }

  // ── a call

  #run(call: ActiveCall): void {
    const { server } = this
    const handler = server.handler(call.op, this)
    let result: bigint
    let broken: unknown = null
    this.#state = 'running'
    call.rewind()
    try {
      if (handler === undefined) throw new Errno('ENOSYS')
      result = BigInt(server.run(() => handler(call)))
    } catch (error) {
      result = error instanceof Errno ? BigInt(error.errno) : BigInt(new Errno('EIO').errno)
      if (!(error instanceof Errno) && !call.isStop(error)) broken = error
    }
    // `ended` looks at what the handler may have changed.
    if (this.ended) return
    // Whatever the handler made of the stop: without these bytes it cannot have gone on.
    if (call.memory.missing !== null) this.#askCopy(call.memory.missing)
    else if (call.wait !== null) this.#park(call, call.wait)
    else this.#finish(call, result)
    if (broken !== null) this.#report(call, broken)
  }

  /** A handler that broke ends its call with EIO; the rest of the machine goes on unless rules are strict. */
  #report(call: ActiveCall, error: unknown): void {
    const { kernel } = this.server
    if (!(error instanceof RuleViolation)) prErr(kernel, `syscall: ${call.op}: ${String(error)}`)
    if (kernel.strict) throw error
  }

  #askCopy(missing: { readonly address: bigint; readonly length: number }): void {
    this.#state = 'copyin'
    this.#send([{ what: SysAnswer.COPYIN, length: missing.length, value: missing.address }])
  }

  #park(call: ActiveCall, arm: ArmWait): void {
    this.#state = 'parked'
    this.#woken = false
    const disarm = arm(() => this.#wake(call))
    if (this.#call === call) this.#disarm = disarm
    else disarm()
  }

  #wake(call: ActiveCall): void {
    if (this.#call !== call || this.#state !== 'parked' || this.#woken) return
    this.#woken = true
    this.#pump()
  }

  #endWait(): void {
    const disarm = this.#disarm
    this.#disarm = null
    this.#onReadable = null
    disarm?.()
  }

  #finish(call: ActiveCall, result: bigint): void {
    this.#state = 'idle'
    this.#call = null
    const answers: SyscallHead[] = [{ what: SysAnswer.RET, length: 0, value: result }]
    if (this.#sock?.readable === true) {
      this.#told = true
      answers.push({ what: SysAnswer.WAKE, length: 0, value: 0n })
    }
    this.#send(answers, call.memory.writes)
  }

  /** The socket became readable: who waits goes on, and who does not is told once. */
  #readable(): void {
    if (this.#onReadable !== null) this.#onReadable()
    else if (this.#state === 'idle' && !this.#told) {
      this.#told = true
      this.#send([{ what: SysAnswer.WAKE, length: 0, value: 0n }])
    }
  }

  #send(answers: readonly SyscallHead[], copies: readonly CopyOut[] = []): void {
    this.#peer.send(encodeAnswers(copies, answers))
  }
}

function statusOf(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true)
}
