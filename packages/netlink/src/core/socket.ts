import { Errno } from '@vnet/kernel'
import { NetlinkOption, SOL_NETLINK } from '../codec/nlmsg.ts'
import type { DumpRun } from './dump.ts'
import { netlinkRcv } from './receive.ts'
import type { NetlinkProtocol, NetlinkServer } from './server.ts'

/** A datagram waiting for a program. */
export interface NlDatagram {
  readonly bytes: Uint8Array
  /** The sender: 0, the kernel. */
  readonly portid: number
  /** The sender's `nl_groups`: the bit of the group it was sent to, or 0. */
  readonly groups: number
}

/** Bytes a queue may hold, as a fresh socket has it. @kernel sysctl_rmem_default net/core/sock.c */
const DEFAULT_RCVBUF = 212992
/** What a datagram costs beside its bytes. @kernel SKB_TRUESIZE() include/linux/skbuff.h */
const OVERHEAD = 256
const MIN_RCVBUF = 2304
const MAX_RCVBUF = 64 * 1024 * 1024

/**
 * A program's end of netlink. It does no I/O: bytes go in by {@link send} and come out by {@link recv}.
 *
 * @kernel struct netlink_sock net/netlink/af_netlink.h
 */
export class NetlinkSocket {
  readonly server: NetlinkServer
  readonly protocol: NetlinkProtocol
  /** The program may change the network. */
  readonly capNetAdmin: boolean
  /** Called when something to read comes to an empty queue. */
  onReadable: (() => void) | null = null
  /** The address; 0 until bound. */
  portid = 0
  capAck = false
  extAck = false
  strictCheck = false
  noEnobufs = false
  closed = false
  readonly #groups = new Set<number>()
  readonly #queue: NlDatagram[] = []
  #queued = 0
  #rcvbuf = DEFAULT_RCVBUF
  #sndbuf = DEFAULT_RCVBUF
  #overrun = false
  #congested = false
  #dump: DumpRun | null = null

  constructor(server: NetlinkServer, protocol: NetlinkProtocol, capNetAdmin: boolean) {
    this.server = server
    this.protocol = protocol
    this.capNetAdmin = capNetAdmin
  }

  /**
   * Takes an address and, with a mask, the groups 1 to 32.
   *
   * @param portid - 0: the kernel chooses
   * @throws Errno EADDRINUSE, or EINVAL when bound to another address
   * @kernel netlink_bind() net/netlink/af_netlink.c
   */
  bind(portid: number, groupMask = 0): void {
    this.#alive()
    if (this.portid !== 0 && portid !== this.portid && portid !== 0) throw new Errno('EINVAL')
    if (this.portid === 0) this.server.assignPort(this, portid)
    for (let bit = 0; bit < 32; bit++) {
      const group = bit + 1
      if (group > this.protocol.groups) break
      if (((groupMask >>> bit) & 1) === 1) this.#groups.add(group)
      else this.#groups.delete(group)
    }
  }

  /** The groups 1 to 32 as bits. @kernel netlink_getname() net/netlink/af_netlink.c */
  get groupMask(): number {
    let mask = 0
    for (const group of this.#groups) if (group <= 32) mask |= 1 << (group - 1)
    return mask >>> 0
  }

  /** True when it listens to a group. */
  listensTo(group: number): boolean {
    return this.#groups.has(group)
  }

  /** @throws Errno EINVAL, ENOPROTOOPT @kernel netlink_setsockopt() net/netlink/af_netlink.c */
  setsockopt(level: number, name: number, value: number): void {
    this.#alive()
    if (level !== SOL_NETLINK) throw new Errno('ENOPROTOOPT')
    switch (name) {
      case NetlinkOption.ADD_MEMBERSHIP:
      case NetlinkOption.DROP_MEMBERSHIP:
        this.#membership(value, name === NetlinkOption.ADD_MEMBERSHIP)
        return
      case NetlinkOption.NO_ENOBUFS:
        this.noEnobufs = value !== 0
        return
      case NetlinkOption.CAP_ACK:
        this.capAck = value !== 0
        return
      case NetlinkOption.EXT_ACK:
        this.extAck = value !== 0
        return
      case NetlinkOption.GET_STRICT_CHK:
        this.strictCheck = value !== 0
        return
      // Accepted; there is one namespace and a kernel's address is always 0.
      case NetlinkOption.PKTINFO:
      case NetlinkOption.BROADCAST_ERROR:
      case NetlinkOption.LISTEN_ALL_NSID:
        return
      default:
        throw new Errno('ENOPROTOOPT')
    }
  }

  #membership(group: number, join: boolean): void {
    if (group < 1 || group > this.protocol.groups) throw new Errno('EINVAL')
    if (this.portid === 0) this.server.assignPort(this, 0)
    if (join) this.#groups.add(group)
    else this.#groups.delete(group)
  }

  /** The groups as `NETLINK_LIST_MEMBERSHIPS` tells them: one bit each, in words of 32. */
  memberships(): Uint32Array {
    const words = new Uint32Array(Math.ceil(this.protocol.groups / 32))
    for (const group of this.#groups) words[(group - 1) >>> 5]! |= 1 << ((group - 1) & 31)
    return words
  }

  /** Bytes the queue may hold: twice what was asked for, as in the kernel. @kernel SO_RCVBUF net/core/sock.c */
  set rcvbuf(bytes: number) {
    this.#rcvbuf = Math.max(MIN_RCVBUF, Math.min(bytes * 2, MAX_RCVBUF))
  }

  get rcvbuf(): number {
    return this.#rcvbuf
  }

  /** Bytes of the longest message that may be sent: twice what was asked for. @kernel SO_SNDBUF net/core/sock.c */
  set sndbuf(bytes: number) {
    this.#sndbuf = Math.max(MIN_RCVBUF * 2, Math.min(bytes * 2, MAX_RCVBUF))
  }

  get sndbuf(): number {
    return this.#sndbuf
  }

  /**
   * Sends a datagram. What the kernel answers is in the queue when this returns.
   *
   * @returns the number of bytes taken
   * @throws Errno EMSGSIZE, EPERM, ECONNREFUSED
   * @kernel netlink_sendmsg() net/netlink/af_netlink.c
   */
  send(bytes: Uint8Array, to: { readonly portid: number; readonly groups: number } = KERNEL): number {
    this.#alive()
    if ((to.portid !== 0 || to.groups !== 0) && !this.capNetAdmin) throw new Errno('EPERM')
    if (this.portid === 0) this.server.assignPort(this, 0)
    if (bytes.length > this.#sndbuf - 32) throw new Errno('EMSGSIZE')
    if (to.portid !== 0) {
      const peer = this.server.socketAt(this.protocol.nr, to.portid)
      if (peer === undefined) throw new Errno('ECONNREFUSED')
      peer.deliver(bytes.slice(), this.portid, 0)
      return bytes.length
    }
    // A copy: the program may write over its memory while answers still need the request.
    netlinkRcv(this, bytes.slice(), this.protocol.handle)
    return bytes.length
  }

  /**
   * Takes the next datagram out of the queue; null when there is none.
   *
   * @param peek - leave it there
   * @throws Errno ENOBUFS once after something was lost
   * @kernel netlink_recvmsg() net/netlink/af_netlink.c
   */
  recv(peek = false): NlDatagram | null {
    this.#alive()
    if (this.#overrun) {
      this.#overrun = false
      throw new Errno('ENOBUFS')
    }
    const first = this.#queue[0]
    if (first === undefined) return null
    if (peek) return first
    this.#queue.shift()
    this.#queued -= first.bytes.length + OVERHEAD
    if (this.#queue.length === 0) this.#congested = false
    this.#continueDump()
    return first
  }

  /** True when {@link recv} has something to give or to say. */
  get readable(): boolean {
    return this.#overrun || this.#queue.length > 0
  }

  /** Puts a datagram into the queue, or loses it when there is no room. @kernel netlink_attachskb() net/netlink/af_netlink.c */
  deliver(bytes: Uint8Array, portid: number, groups: number): boolean {
    if (this.closed) return false
    if (this.#congested || this.#queued + bytes.length + OVERHEAD > this.#rcvbuf) {
      this.#lose()
      return false
    }
    const wasReadable = this.readable
    this.#queue.push({ bytes, portid, groups })
    this.#queued += bytes.length + OVERHEAD
    if (!wasReadable) this.onReadable?.()
    return true
  }

  /** @kernel netlink_overrun() net/netlink/af_netlink.c */
  #lose(): void {
    if (this.noEnobufs) return
    const wasReadable = this.readable
    // Nothing more until the queue is empty, so that a slow reader does not lose a message here and there.
    this.#congested = this.#queue.length > 0
    this.#overrun = true
    if (!wasReadable) this.onReadable?.()
  }

  /** Starts a dump; it goes on while the queue is less than half full. @throws Errno EBUSY @kernel __netlink_dump_start() net/netlink/af_netlink.c */
  startDump(run: DumpRun): void {
    if (this.#dump !== null) throw new Errno('EBUSY')
    this.#dump = run
    this.#continueDump()
  }

  #continueDump(): void {
    while (this.#dump !== null && this.#queued <= this.#rcvbuf / 2) {
      const bytes = this.#dump.next()
      if (bytes === null) this.#dump = null
      else this.deliver(bytes, 0, 0)
    }
  }

  /** Ends it; what was queued is gone. @kernel netlink_release() net/netlink/af_netlink.c */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.#dump = null
    this.#queue.length = 0
    this.#groups.clear()
    this.server.forget(this)
  }

  #alive(): void {
    if (this.closed) throw new Errno('EBADF')
  }
}

const KERNEL = { portid: 0, groups: 0 }
