import { Errno, maySleep, scheduleWork } from '@vnet/kernel'
import type { Kernel, WorkStruct } from '@vnet/kernel'
import { netlinkFamily } from './af-netlink.ts'
import type { SyscallHandler } from './call.ts'
import { SyscallConnection } from './connection.ts'
import type { SyscallPeer } from './connection.ts'
import { ioctlOps } from './ops-ioctl.ts'
import { messageOps, sockFileOps } from './ops-message.ts'
import { optionOps } from './ops-option.ts'
import { socketOps } from './ops-socket.ts'
import { SockAf, sockRegister } from './sock.ts'

/**
 * The system calls of a kernel, for programs outside of it: who is connected, and what answers each operation. Get it
 * from {@link syscallServer}.
 *
 * @kernel sys_call_table arch/x86/entry/syscall_64.c
 */
export class SyscallServer {
  readonly kernel: Kernel
  readonly #handlers = new Map<number, SyscallHandler>()
  readonly #connections = new Set<SyscallConnection>()
  readonly #deferred = new Set<WorkStruct>()
  #running = 0
  #afterUnlock = false

  constructor(kernel: Kernel) {
    this.kernel = kernel
  }

  /** A program opens a descriptor, or makes a call that needs none: one stream of bytes. */
  connect(peer: SyscallPeer): SyscallConnection {
    const connection = new SyscallConnection(this, peer)
    this.#connections.add(connection)
    return connection
  }

  /**
   * Adds an operation; what it returns takes it away again. `read` and `write` reach such a handler only on a
   * connection without a socket.
   *
   * @throws Errno EEXIST
   */
  register(op: number, handler: SyscallHandler): () => void {
    if (this.#handlers.has(op)) throw new Errno('EEXIST')
    this.#handlers.set(op, handler)
    return () => {
      if (this.#handlers.get(op) === handler) this.#handlers.delete(op)
    }
  }

  /** What answers an operation on a connection, or undefined. */
  handler(op: number, connection: SyscallConnection): SyscallHandler | undefined {
    const own = connection.sock === null ? undefined : sockFileOps.get(op)
    return own ?? this.#handlers.get(op)
  }

  /** How many connections are open. */
  get open(): number {
    return this.#connections.size
  }

  /** Ends every connection. */
  closeAll(): void {
    for (const connection of [...this.#connections]) connection.close()
  }

  /** A connection is over. Only connections call it. */
  forget(connection: SyscallConnection, work: WorkStruct): void {
    this.#connections.delete(connection)
    this.#deferred.delete(work)
  }

  /** True when a handler can run here and now: process context, nothing held, no other handler above on the stack. */
  get mayRun(): boolean {
    const { kernel } = this
    return this.#running === 0 && maySleep(kernel) && !kernel.rtnl.held
  }

  /** Queues a connection's work for when a handler can run. Any context. Only connections call it. */
  defer(work: WorkStruct): void {
    const { rtnl } = this.kernel
    if (this.#running === 0 && !rtnl.held) {
      scheduleWork(work)
      return
    }
    // Queued now it would run again and again while the owner of rtnl, or the other handler, sleeps.
    this.#deferred.add(work)
    if (this.#running > 0 || this.#afterUnlock) return
    this.#afterUnlock = true
    rtnl.afterUnlock(() => {
      this.#afterUnlock = false
      this.#resume()
    })
  }

  /** Runs a handler; no other starts until it is done. Only connections call it. */
  run<T>(fn: () => T): T {
    this.#running++
    try {
      return fn()
    } finally {
      this.#running--
      if (this.#running === 0) this.#resume()
    }
  }

  #resume(): void {
    for (const work of this.#deferred) scheduleWork(work)
    this.#deferred.clear()
  }
}

/**
 * The system-call server of a kernel, with AF_NETLINK. The first call starts it.
 *
 * @kernel none
 */
export function syscallServer(kernel: Kernel): SyscallServer {
  return kernel.subsys('syscall', start)
}

function start(kernel: Kernel): SyscallServer {
  const server = new SyscallServer(kernel)
  for (const [op, handler] of [...socketOps, ...optionOps, ...messageOps, ...ioctlOps]) {
    server.register(op, handler)
  }
  sockRegister(kernel, SockAf.NETLINK, netlinkFamily(kernel))
  return server
}
