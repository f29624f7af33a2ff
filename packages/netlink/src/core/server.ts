import { Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { NlWriter } from '../codec/writer.ts'
import type { RequestHandler } from './receive.ts'
import { NetlinkSocket } from './socket.ts'

/** One netlink protocol: its number, its groups, and what it does with a request. @kernel netlink_kernel_create() net/netlink/af_netlink.c */
export interface NetlinkProtocol {
  readonly nr: number
  /** The highest group number; generic netlink hands out more as families come. */
  groups: number
  readonly handle: RequestHandler
}

/** What `socket()` of a program brings along. */
export interface SocketOptions {
  /** The program may change the network; true when left out. */
  readonly capNetAdmin?: boolean
  /** The program's process id: the address of its first socket. */
  readonly pid?: number
}

/** The first address the kernel makes up: -4096, growing down. @kernel netlink_autobind() net/netlink/af_netlink.c */
const FIRST_MADE_UP = -4096

/**
 * All netlink of one kernel: its protocols and the sockets that are open. Get it from `netlinkServer(kernel)`.
 *
 * @kernel struct netlink_table net/netlink/af_netlink.h
 */
export class NetlinkServer {
  readonly kernel: Kernel
  /** Counts devices that came and went, so that a dump can tell it was overtaken. @kernel dev_base_seq */
  generation = 0
  readonly #protocols = new Map<number, NetlinkProtocol>()
  readonly #sockets = new Set<NetlinkSocket>()
  readonly #pids = new WeakMap<NetlinkSocket, number>()
  #madeUp = FIRST_MADE_UP

  constructor(kernel: Kernel) {
    this.kernel = kernel
  }

  /** Adds a protocol. @throws Errno EEXIST */
  register(protocol: NetlinkProtocol): void {
    if (this.#protocols.has(protocol.nr)) throw new Errno('EEXIST')
    this.#protocols.set(protocol.nr, protocol)
  }

  /**
   * Opens a socket.
   *
   * @throws Errno EPROTONOSUPPORT
   * @kernel netlink_create() net/netlink/af_netlink.c
   */
  socket(protocolNr: number, options: SocketOptions = {}): NetlinkSocket {
    const protocol = this.#protocols.get(protocolNr)
    if (protocol === undefined) throw new Errno('EPROTONOSUPPORT')
    const socket = new NetlinkSocket(this, protocol, options.capNetAdmin ?? true)
    if (options.pid !== undefined) this.#pids.set(socket, options.pid)
    this.#sockets.add(socket)
    return socket
  }

  /** How many sockets are open. */
  get open(): number {
    return this.#sockets.size
  }

  /** The socket with an address, or undefined. */
  socketAt(protocolNr: number, portid: number): NetlinkSocket | undefined {
    for (const socket of this.#sockets) {
      if (socket.protocol.nr === protocolNr && socket.portid === portid) return socket
    }
    return undefined
  }

  /** Gives a socket its address; the first of a process gets the process id. @throws Errno EADDRINUSE @kernel netlink_insert() net/netlink/af_netlink.c */
  assignPort(socket: NetlinkSocket, wanted: number): void {
    const nr = socket.protocol.nr
    if (wanted !== 0) {
      if (this.socketAt(nr, wanted) !== undefined) throw new Errno('EADDRINUSE')
      socket.portid = wanted
      return
    }
    const pid = this.#pids.get(socket) ?? 0
    socket.portid = pid > 0 && this.socketAt(nr, pid) === undefined ? pid : this.#makeUp(nr)
  }

  #makeUp(nr: number): number {
    for (;;) {
      const portid = this.#madeUp >>> 0
      this.#madeUp = this.#madeUp === -0x7fffffff ? FIRST_MADE_UP : this.#madeUp - 1
      if (this.socketAt(nr, portid) === undefined) return portid
    }
  }

  /** True when somebody listens to a group, so that a message is worth making. @kernel netlink_has_listeners() net/netlink/af_netlink.c */
  hasListeners(protocolNr: number, group: number): boolean {
    for (const socket of this.#sockets) {
      if (socket.protocol.nr === protocolNr && socket.listensTo(group)) return true
    }
    return false
  }

  /** Tells everyone who listens to a group. It is made only when somebody does. @kernel rtnl_notify() net/core/rtnetlink.c */
  notify(protocolNr: number, group: number, type: number, fill: (w: NlWriter) => void): void {
    if (!this.hasListeners(protocolNr, group)) return
    const w = new NlWriter()
    const at = w.begin(type, 0, 0, 0)
    fill(w)
    w.end(at)
    const groups = group <= 32 ? (1 << (group - 1)) >>> 0 : 0
    for (const socket of [...this.#sockets]) {
      if (socket.protocol.nr === protocolNr && socket.listensTo(group)) socket.deliver(w.bytes(), 0, groups)
    }
  }

  /** Forgets a socket that was closed. */
  forget(socket: NetlinkSocket): void {
    this.#sockets.delete(socket)
  }
}
