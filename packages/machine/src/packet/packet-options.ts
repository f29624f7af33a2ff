import { Errno } from '@vnet/kernel'
import { SockOption, SOL_SOCKET } from '@vnet/netlink'
import { BpfProgram, SKF_AD_MAX } from './bpf.ts'
import { PacketOption, SOL_PACKET, TPacket } from './constants.ts'
import { parseMembership } from './membership.ts'
import type { PacketSock } from './packet-sock.ts'
import { HEADER_LEN } from './ring.ts'

/** What SO_RCVBUF is cut to. @kernel sysctl_rmem_max net/core/sock.c */
const BUF_MAX = 212992

/** @throws Errno ENOPROTOOPT, EINVAL, EBUSY, EPERM, ENODEV, ENOMEM @kernel packet_setsockopt() net/packet/af_packet.c */
export function setPacketOption(sock: PacketSock, level: number, name: number, value: Uint8Array): void {
  if (level === SOL_SOCKET) setSocket(sock, name, value)
  else if (level === SOL_PACKET) setPacket(sock, name, value)
  else throw new Errno('ENOPROTOOPT')
}

function setPacket(sock: PacketSock, name: number, value: Uint8Array): void {
  switch (name) {
    case PacketOption.ADD_MEMBERSHIP:
      sock.memberships.add(parseMembership(value))
      return
    case PacketOption.DROP_MEMBERSHIP:
      sock.memberships.drop(parseMembership(value))
      return
    case PacketOption.RX_RING:
      sock.setRing(value)
      return
    case PacketOption.AUXDATA:
      sock.wish.auxdata = int(value) !== 0
      return
    case PacketOption.IGNORE_OUTGOING:
      sock.ignoreOutgoing = flag(value)
      return
    case PacketOption.VERSION:
      sock.setVersion(int(value))
      return
    case PacketOption.RESERVE:
      sock.setReserve(int(value))
      return
    case PacketOption.ORIGDEV:
    case PacketOption.COPY_THRESH:
    case PacketOption.TIMESTAMP:
      int(value)
      return
    default:
      throw new Errno('ENOPROTOOPT')
  }
}

function setSocket(sock: PacketSock, name: number, value: Uint8Array): void {
  switch (name) {
    case SockOption.ATTACH_FILTER:
      sock.filter = new BpfProgram(value)
      return
    case SockOption.DETACH_FILTER:
      if (sock.filter === null) throw new Errno('ENOENT')
      sock.filter = null
      return
    case SockOption.RCVBUF:
      sock.queue.rcvbuf = Math.min(Math.max(int(value), 0), BUF_MAX)
      return
    case SockOption.RCVBUFFORCE:
      if (!sock.capNetAdmin) throw new Errno('EPERM')
      sock.queue.rcvbuf = Math.max(int(value), 0)
      return
    case SockOption.SNDBUF:
    case SockOption.SNDBUFFORCE:
      sock.sndbuf = Math.min(Math.max(int(value), 2304), BUF_MAX) * 2
      return
    case SockOption.TIMESTAMP:
      sock.wish.timestamp = int(value) === 0 ? null : 'us'
      return
    case SockOption.TIMESTAMPNS:
      sock.wish.timestamp = int(value) === 0 ? null : 'ns'
      return
    default:
      throw new Errno('ENOPROTOOPT')
  }
}

/** @throws Errno ENOPROTOOPT, EINVAL @kernel packet_getsockopt() net/packet/af_packet.c */
export function getPacketOption(
  sock: PacketSock,
  level: number,
  name: number,
  asked: Uint8Array,
): Uint8Array {
  if (level === SOL_SOCKET) return getSocket(sock, name)
  if (level === SOL_PACKET) return getPacket(sock, name, asked)
  throw new Errno('ENOPROTOOPT')
}

function getPacket(sock: PacketSock, name: number, asked: Uint8Array): Uint8Array {
  switch (name) {
    case PacketOption.STATISTICS:
      return statistics(sock)
    case PacketOption.AUXDATA:
      return words(Number(sock.wish.auxdata))
    case PacketOption.IGNORE_OUTGOING:
      return words(Number(sock.ignoreOutgoing))
    case PacketOption.VERSION:
      return words(sock.version)
    case PacketOption.RESERVE:
      return words(sock.reserve)
    case PacketOption.HDRLEN: {
      const length = HEADER_LEN[int(asked)]
      if (length === undefined) throw new Errno('EINVAL')
      return words(length)
    }
    case PacketOption.ORIGDEV:
    case PacketOption.COPY_THRESH:
    case PacketOption.TIMESTAMP:
      return words(0)
    default:
      throw new Errno('ENOPROTOOPT')
  }
}

/** Reading the counters sets them to 0. What was dropped counts among the packets, too. */
function statistics(sock: PacketSock): Uint8Array {
  const { packets, drops, freezes } = sock.takeStatistics()
  return sock.version === TPacket.V3 ? words(packets, drops, freezes) : words(packets, drops)
}

function getSocket(sock: PacketSock, name: number): Uint8Array {
  switch (name) {
    case SockOption.ERROR:
      return words(sock.takeError())
    case SockOption.RCVBUF:
      return words(sock.queue.rcvbuf)
    case SockOption.SNDBUF:
      return words(sock.sndbuf)
    case SockOption.BPF_EXTENSIONS:
      return words(SKF_AD_MAX)
    default:
      throw new Errno('ENOPROTOOPT')
  }
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values, (value) => value >>> 0).buffer)
}

function int(value: Uint8Array): number {
  if (value.length < 4) throw new Errno('EINVAL')
  return new DataView(value.buffer, value.byteOffset).getInt32(0, true)
}

function flag(value: Uint8Array): boolean {
  const number = int(value)
  if (number !== 0 && number !== 1) throw new Errno('EINVAL')
  return number === 1
}
