import { Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { NetlinkOption, SOL_NETLINK } from '../codec/nlmsg.ts'
import { viewOf } from '../codec/reader.ts'
import type { NetlinkSocket } from '../core/socket.ts'
import { netlinkServer } from '../server.ts'
import { intBytes, intOf, SockOption } from './ops-option.ts'
import { SockAf, SockMsgFlag, SockType, SOL_SOCKET } from './sock.ts'
import type { Sock, SockFamily, SockMsg, SockReceived } from './sock.ts'

/** Bytes of `struct sockaddr_nl`. @kernel struct sockaddr_nl include/uapi/linux/netlink.h */
const SOCKADDR_NL_LEN = 12
/** What SO_RCVBUF and SO_SNDBUF are cut to. @kernel sysctl_rmem_max net/core/sock.c */
const BUF_MAX = 212992
/** A control message with a `struct nl_pktinfo`. */
const CMSG_PKTINFO_LEN = 24
const NETLINK_PKTINFO = 3

/** The address of a netlink socket. */
interface NlAddress {
  readonly portid: number
  readonly groups: number
}

/** Netlink sockets for programs. @kernel netlink_family_ops net/netlink/af_netlink.c */
export function netlinkFamily(kernel: Kernel): SockFamily {
  return {
    create(type, protocol, who) {
      if (type !== SockType.RAW && type !== SockType.DGRAM) throw new Errno('ESOCKTNOSUPPORT')
      const { pid, capNetAdmin } = who
      const socket = netlinkServer(kernel).socket(protocol, pid > 0 ? { capNetAdmin, pid } : { capNetAdmin })
      return new NetlinkSock(socket, type)
    },
  }
}

/** A netlink socket as system calls see it. */
class NetlinkSock implements Sock {
  readonly family = SockAf.NETLINK
  readonly type: number
  readonly #socket: NetlinkSocket
  #peer: NlAddress = { portid: 0, groups: 0 }
  #pktinfo = false

  constructor(socket: NetlinkSocket, type: number) {
    this.#socket = socket
    this.type = type
  }

  get protocol(): number {
    return this.#socket.protocol.nr
  }

  get readable(): boolean {
    return this.#socket.readable
  }

  get onReadable(): (() => void) | null {
    return this.#socket.onReadable
  }

  set onReadable(fn: (() => void) | null) {
    this.#socket.onReadable = fn
  }

  bind(address: Uint8Array): void {
    const { portid, groups } = parse(address)
    this.#socket.bind(portid, groups)
  }

  /** @kernel netlink_connect() net/netlink/af_netlink.c */
  connect(address: Uint8Array): void {
    if (address.length < 2) throw new Errno('EINVAL')
    if (viewOf(address).getUint16(0, true) === SockAf.UNSPEC) {
      this.#peer = { portid: 0, groups: 0 }
      return
    }
    const to = parse(address)
    if ((to.portid !== 0 || to.groups !== 0) && !this.#socket.capNetAdmin) throw new Errno('EPERM')
    if (this.#socket.portid === 0) this.#socket.bind(0)
    this.#peer = { portid: to.portid, groups: lowestBit(to.groups) }
  }

  getsockname(): Uint8Array {
    return sockaddrNl({ portid: this.#socket.portid, groups: this.#socket.groupMask })
  }

  getpeername(): Uint8Array {
    return sockaddrNl(this.#peer)
  }

  setsockopt(level: number, name: number, value: Uint8Array): void {
    const socket = this.#socket
    if (level === SOL_NETLINK) {
      const number = intOf(value)
      socket.setsockopt(level, name, number)
      if (name === NetlinkOption.PKTINFO) this.#pktinfo = number !== 0
      return
    }
    if (level !== SOL_SOCKET) throw new Errno('ENOPROTOOPT')
    const force = name === SockOption.SNDBUFFORCE || name === SockOption.RCVBUFFORCE
    if (force && !socket.capNetAdmin) throw new Errno('EPERM')
    if (name === SockOption.RCVBUF || name === SockOption.RCVBUFFORCE) socket.rcvbuf = bufOf(value, force)
    else if (name === SockOption.SNDBUF || name === SockOption.SNDBUFFORCE)
      socket.sndbuf = bufOf(value, force)
    else throw new Errno('ENOPROTOOPT')
  }

  getsockopt(level: number, name: number): Uint8Array {
    if (level === SOL_SOCKET) return this.#commonOption(name)
    if (level !== SOL_NETLINK) throw new Errno('ENOPROTOOPT')
    if (name === NetlinkOption.LIST_MEMBERSHIPS) return new Uint8Array(this.#socket.memberships().buffer)
    return intBytes(this.#flag(name) ? 1 : 0)
  }

  #commonOption(name: number): Uint8Array {
    if (name === SockOption.RCVBUF) return intBytes(this.#socket.rcvbuf)
    if (name === SockOption.SNDBUF) return intBytes(this.#socket.sndbuf)
    throw new Errno('ENOPROTOOPT')
  }

  #flag(name: number): boolean {
    const socket = this.#socket
    switch (name) {
      case NetlinkOption.PKTINFO:
        return this.#pktinfo
      case NetlinkOption.NO_ENOBUFS:
        return socket.noEnobufs
      case NetlinkOption.CAP_ACK:
        return socket.capAck
      case NetlinkOption.EXT_ACK:
        return socket.extAck
      case NetlinkOption.GET_STRICT_CHK:
        return socket.strictCheck
      case NetlinkOption.BROADCAST_ERROR:
      case NetlinkOption.LISTEN_ALL_NSID:
        return false
      default:
        throw new Errno('ENOPROTOOPT')
    }
  }

  /** @kernel netlink_sendmsg() net/netlink/af_netlink.c */
  sendmsg(msg: SockMsg): number {
    if ((msg.flags & SockMsgFlag.OOB) !== 0) throw new Errno('EOPNOTSUPP')
    if (msg.bytes.length === 0) throw new Errno('ENODATA')
    return this.#socket.send(msg.bytes, msg.address === null ? this.#peer : parse(msg.address))
  }

  /** @kernel netlink_recvmsg() net/netlink/af_netlink.c */
  recvmsg(max: number, flags: number): SockReceived | null {
    if ((flags & SockMsgFlag.OOB) !== 0) throw new Errno('EOPNOTSUPP')
    const got = this.#socket.recv((flags & SockMsgFlag.PEEK) !== 0)
    if (got === null) return null
    const address = sockaddrNl({ portid: got.portid, groups: got.groups })
    const bytes = got.bytes.subarray(0, max)
    const base = { bytes, address, fullLength: got.bytes.length, flags: 0 }
    return this.#pktinfo ? { ...base, control: pktinfo(got.groups) } : base
  }

  close(): void {
    this.#socket.close()
  }
}

/** @throws Errno EINVAL */
function parse(address: Uint8Array): NlAddress {
  if (address.length < SOCKADDR_NL_LEN) throw new Errno('EINVAL')
  const view = viewOf(address)
  if (view.getUint16(0, true) !== SockAf.NETLINK) throw new Errno('EINVAL')
  return { portid: view.getUint32(4, true), groups: view.getUint32(8, true) }
}

function sockaddrNl(address: NlAddress): Uint8Array {
  const view = new DataView(new ArrayBuffer(SOCKADDR_NL_LEN))
  view.setUint16(0, SockAf.NETLINK, true)
  view.setUint32(4, address.portid, true)
  view.setUint32(8, address.groups, true)
  return new Uint8Array(view.buffer)
}

/** A socket is connected to one group, the lowest. */
function lowestBit(groups: number): number {
  return (groups & -groups) >>> 0
}

function bufOf(value: Uint8Array, force: boolean): number {
  const bytes = intOf(value)
  if (bytes < 0) return force ? 0 : BUF_MAX
  return force ? bytes : Math.min(bytes, BUF_MAX)
}

/** The number of the group a datagram was sent to, as a control message. @kernel netlink_cmsg_recv_pktinfo() net/netlink/af_netlink.c */
function pktinfo(groups: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(CMSG_PKTINFO_LEN))
  view.setBigUint64(0, BigInt(CMSG_PKTINFO_LEN - 4), true)
  view.setInt32(8, SOL_NETLINK, true)
  view.setInt32(12, NETLINK_PKTINFO, true)
  view.setUint32(16, groups === 0 ? 0 : 32 - Math.clz32(groups), true)
  return new Uint8Array(view.buffer)
}
