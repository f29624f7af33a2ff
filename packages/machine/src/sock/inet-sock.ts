import { RawSock, type InetSock, type SockError } from '@vnet/inet'
import { Errno } from '@vnet/kernel'
import {
  SOL_SOCKET,
  SockMsgFlag,
  SockOption,
  type IoctlCaller,
  type Sock,
  type SockMsg,
  type SockReceived,
} from '@vnet/netlink'
import { CmsgWriter, putDatagramCmsgs, putErrorCmsg, readSendControl } from './cmsg.ts'
import { inetIoctl } from './ioctl.ts'
import { getInetOption, setInetOption } from './options.ts'
import { familyOf, readSockaddr, viewOf, writeSockaddr } from './sockaddr.ts'

const AF_UNSPEC = 0
/** Both stamps have an old and a new number; on 64-bit machines they are the same thing. @kernel SO_TIMESTAMP_NEW include/uapi/asm-generic/socket.h */
const SO_TIMESTAMP_NEW = 63
const SO_TIMESTAMPNS_NEW = 64

/** A socket of the stack, as system calls see it. @kernel struct proto_ops inet_dgram_ops net/ipv4/af_inet.c */
export class InetSockAdapter implements Sock {
  readonly family: number
  readonly type: number
  readonly protocol: number
  onReadable: (() => void) | null = null
  readonly #sock: InetSock
  readonly #wallClock: bigint
  #nanoseconds = false

  constructor(sock: InetSock, type: number, wallClock: bigint) {
    this.#sock = sock
    this.family = sock.family
    this.type = type
    this.protocol = sock.protocol
    this.#wallClock = wallClock
    sock.onReadable = () => this.onReadable?.()
  }

  bind(address: Uint8Array): void {
    const ipv4 = this.#sock.family === 2
    const addr = readSockaddr(address, this.#sock.family, ipv4)
    // An AF_UNSPEC address is only taken for "any".
    if (familyOf(address) === AF_UNSPEC && addr.address.some((byte) => byte !== 0)) {
      throw new Errno('EAFNOSUPPORT')
    }
    this.#sock.bind(addr)
  }

  connect(address: Uint8Array): void {
    if (familyOf(address) === AF_UNSPEC) this.#sock.disconnect()
    else this.#sock.connect(readSockaddr(address, this.#sock.family))
  }

  getsockname(): Uint8Array {
    return writeSockaddr(this.#sock.getsockname())
  }

  getpeername(): Uint8Array {
    return writeSockaddr(this.#sock.getpeername())
  }

  setsockopt(level: number, name: number, value: Uint8Array): void {
    if (level === SOL_SOCKET && this.#setTimestamp(name, value)) return
    setInetOption(this.#sock, level, name, value)
  }

  /** @kernel sock_set_timestamp() net/core/sock.c */
  #setTimestamp(name: number, value: Uint8Array): boolean {
    const micro = name === SockOption.TIMESTAMP || name === SO_TIMESTAMP_NEW
    const nano = name === SockOption.TIMESTAMPNS || name === SO_TIMESTAMPNS_NEW
    if (!micro && !nano) return false
    if (value.length < 4) throw new Errno('EINVAL')
    this.#sock.options.timestamp = viewOf(value).getInt32(0, true) !== 0
    this.#nanoseconds = nano
    return true
  }

  getsockopt(level: number, name: number): Uint8Array {
    if (level === SOL_SOCKET && (name === SockOption.TIMESTAMP || name === SockOption.TIMESTAMPNS)) {
      const on = this.#sock.options.timestamp && this.#nanoseconds === (name === SockOption.TIMESTAMPNS)
      return new Uint8Array(Int32Array.of(on ? 1 : 0).buffer)
    }
    return getInetOption(this.#sock, level, name)
  }

  sendmsg(msg: SockMsg): number {
    if ((msg.flags & SockMsgFlag.OOB) !== 0) throw new Errno('EOPNOTSUPP')
    const { family } = this.#sock
    const control = readSendControl(msg.control, family)
    return this.#sock.sendmsg(msg.bytes, this.#destination(msg.address), control)
  }

  #destination(address: Uint8Array | null): ReturnType<typeof readSockaddr> | null {
    return address === null ? null : readSockaddr(address, this.#sock.family, this.#sock.family === 2)
  }

  recvmsg(max: number, flags: number): SockReceived | null {
    if ((flags & SockMsgFlag.OOB) !== 0) throw new Errno('EOPNOTSUPP')
    if ((flags & SockMsgFlag.ERRQUEUE) !== 0) return this.#recverr(max)
    const datagram = this.#sock.recvmsg((flags & SockMsgFlag.PEEK) !== 0)
    if (datagram === null) return null
    const w = new CmsgWriter()
    putDatagramCmsgs(w, this.#sock, datagram, this.#wallClock, this.#nanoseconds)
    return this.#received(datagram.bytes, max, writeSockaddr(this.#visible(datagram.from)), w, 0)
  }

  /** Only UDP has ports. */
  #visible(from: {
    readonly address: Uint8Array
    readonly port: number
    readonly scopeId?: number
  }): typeof from {
    return this.#sock instanceof RawSock ? { ...from, port: 0 } : from
  }

  #recverr(max: number): SockReceived {
    const error: SockError | null = this.#sock.recverr()
    if (error === null) throw new Errno('EAGAIN')
    const w = new CmsgWriter()
    putErrorCmsg(w, this.#sock.family, error)
    return this.#received(error.bytes, max, writeSockaddr(error.to), w, SockMsgFlag.ERRQUEUE)
  }

  #received(bytes: Uint8Array, max: number, address: Uint8Array, w: CmsgWriter, flags: number): SockReceived {
    const control = w.bytes()
    const received = { bytes: bytes.slice(0, max), address, fullLength: bytes.length, flags }
    return control === undefined ? received : { ...received, control }
  }

  ioctl(caller: IoctlCaller, request: number, argument: bigint): boolean {
    return inetIoctl(this.#sock, caller, request, argument)
  }

  shutdown(how: number): void {
    if (how < 0 || how > 2) throw new Errno('EINVAL')
    if (this.#sock.remote === null) throw new Errno('ENOTCONN')
  }

  get readable(): boolean {
    return this.#sock.readable
  }

  close(): void {
    this.onReadable = null
    this.#sock.close()
  }
}
