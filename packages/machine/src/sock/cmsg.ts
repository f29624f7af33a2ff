import type { Datagram, InetFamilyNr, InetSock, SendControl, SockError } from '@vnet/inet'
import { Errno, NSEC_PER_SEC, NSEC_PER_USEC } from '@vnet/kernel'
import { SOL_SOCKET, SockOption } from '@vnet/netlink'
import { IpOpt, Ipv6Opt, SOL_IP, SOL_IPV6 } from './constants.ts'
import { SOCKADDR_IN6_LEN, SOCKADDR_IN_LEN, viewOf, writeSockaddr } from './sockaddr.ts'

/** Bytes of a control message's header; the next begins at a multiple of eight. @kernel struct cmsghdr include/linux/socket.h */
const CMSG_HDRLEN = 16
/** @kernel struct sock_extended_err include/uapi/linux/errqueue.h */
const EXTENDED_ERR_LEN = 16

function align(length: number): number {
  return (length + 7) & ~7
}

/** Control messages under way to a program. */
export class CmsgWriter {
  readonly #pieces: Uint8Array[] = []

  put(level: number, type: number, data: Uint8Array): void {
    const out = new Uint8Array(align(CMSG_HDRLEN + data.length))
    const view = viewOf(out)
    view.setBigUint64(0, BigInt(CMSG_HDRLEN + data.length), true)
    view.setInt32(8, level, true)
    view.setInt32(12, type, true)
    out.set(data, CMSG_HDRLEN)
    this.#pieces.push(out)
  }

  putInt(level: number, type: number, value: number): void {
    this.put(level, type, new Uint8Array(Int32Array.of(value).buffer))
  }

  /** All of them; undefined for none. */
  bytes(): Uint8Array | undefined {
    if (this.#pieces.length === 0) return undefined
    const out = new Uint8Array(this.#pieces.reduce((sum, piece) => sum + piece.length, 0))
    let at = 0
    for (const piece of this.#pieces) {
      out.set(piece, at)
      at += piece.length
    }
    return out
  }
}

/** What a datagram comes with: when it came and how, if the socket asks. @kernel ip_cmsg_recv_offset() net/ipv4/ip_sockglue.c */
export function putDatagramCmsgs(
  w: CmsgWriter,
  sock: InetSock,
  datagram: Datagram,
  wallClock: bigint,
  nanoseconds: boolean,
): void {
  const { options, family } = sock
  if (options.timestamp) putTimestamp(w, datagram.tstamp, wallClock, nanoseconds)
  if (family === 2) {
    if (options.pktinfo) w.put(SOL_IP, IpOpt.PKTINFO, pktinfo4(datagram))
    if (options.recvttl) w.putInt(SOL_IP, IpOpt.TTL, datagram.ttl)
    if (options.recvtos) w.put(SOL_IP, IpOpt.TOS, Uint8Array.of(datagram.tos))
  } else {
    if (options.pktinfo) w.put(SOL_IPV6, Ipv6Opt.PKTINFO, pktinfo6(datagram))
    if (options.recvttl) w.putInt(SOL_IPV6, Ipv6Opt.HOPLIMIT, datagram.ttl)
    if (options.recvtos) w.putInt(SOL_IPV6, Ipv6Opt.TCLASS, datagram.tos)
  }
}

/** `struct timeval` or `struct timespec`. @kernel __sock_recv_timestamp() net/socket.c */
function putTimestamp(w: CmsgWriter, tstamp: number, wallClock: bigint, nanoseconds: boolean): void {
  const now = wallClock + BigInt(tstamp)
  const sec = now / BigInt(NSEC_PER_SEC)
  const rest = now % BigInt(NSEC_PER_SEC)
  const data = BigInt64Array.of(sec, nanoseconds ? rest : rest / BigInt(NSEC_PER_USEC))
  w.put(SOL_SOCKET, nanoseconds ? SockOption.TIMESTAMPNS : SockOption.TIMESTAMP, new Uint8Array(data.buffer))
}

/** @kernel struct in_pktinfo include/uapi/linux/in.h */
function pktinfo4(datagram: Datagram): Uint8Array {
  const out = new Uint8Array(12)
  viewOf(out).setInt32(0, datagram.ifindex, true)
  out.set(datagram.to, 4)
  out.set(datagram.to, 8)
  return out
}

/** @kernel struct in6_pktinfo include/uapi/linux/ipv6.h */
function pktinfo6(datagram: Datagram): Uint8Array {
  const out = new Uint8Array(20)
  out.set(datagram.to, 0)
  viewOf(out).setInt32(16, datagram.ifindex, true)
  return out
}

/** An entry of the error queue. @kernel ip_recv_error() net/ipv4/ip_sockglue.c */
export function putErrorCmsg(w: CmsgWriter, family: InetFamilyNr, error: SockError): void {
  const length = family === 2 ? SOCKADDR_IN_LEN : SOCKADDR_IN6_LEN
  const out = new Uint8Array(EXTENDED_ERR_LEN + length)
  const view = viewOf(out)
  view.setUint32(0, error.errno, true)
  view.setUint8(4, error.origin)
  view.setUint8(5, error.type)
  view.setUint8(6, error.code)
  view.setUint32(8, error.info, true)
  // The machine itself has no address here: AF_UNSPEC.
  if (error.offender !== null) out.set(writeSockaddr(error.offender), EXTENDED_ERR_LEN)
  if (family === 2) w.put(SOL_IP, IpOpt.RECVERR, out)
  else w.put(SOL_IPV6, Ipv6Opt.RECVERR, out)
}

type Control = { -readonly [K in keyof SendControl]: SendControl[K] }

/** What a program wants for one datagram. @throws Errno EINVAL @kernel ip_cmsg_send() net/ipv4/ip_sockglue.c */
export function readSendControl(bytes: Uint8Array | undefined, family: InetFamilyNr): SendControl {
  const control: Control = {}
  if (bytes === undefined) return control
  const view = viewOf(bytes)
  for (let at = 0; bytes.length - at >= CMSG_HDRLEN;) {
    const length = Number(view.getBigUint64(at, true))
    if (length < CMSG_HDRLEN || length > bytes.length - at) throw new Errno('EINVAL')
    const data = bytes.subarray(at + CMSG_HDRLEN, at + length)
    take(control, family, view.getInt32(at + 8, true), view.getInt32(at + 12, true), data)
    at += align(length)
  }
  return control
}

function take(control: Control, family: InetFamilyNr, level: number, type: number, data: Uint8Array): void {
  if (family === 2 && level === SOL_IP) takeIpv4(control, type, data)
  if (family === 10 && level === SOL_IPV6) takeIpv6(control, type, data)
}

function intOf(data: Uint8Array): number {
  if (data.length < 4) throw new Errno('EINVAL')
  return viewOf(data).getInt32(0, true)
}

function takeIpv4(control: Control, type: number, data: Uint8Array): void {
  if (type === IpOpt.TTL) control.ttl = inRange(intOf(data), 1, 255)
  else if (type === IpOpt.TOS) control.tos = data.length === 1 ? data[0]! : inRange(intOf(data), 0, 255)
  else if (type === IpOpt.PKTINFO) takePktinfo(control, data, 12, 0, data.slice(4, 8))
  else throw new Errno('EINVAL')
}

function takeIpv6(control: Control, type: number, data: Uint8Array): void {
  if (type === Ipv6Opt.HOPLIMIT) control.ttl = inRange(intOf(data), -1, 255)
  else if (type === Ipv6Opt.TCLASS) control.tos = inRange(intOf(data), -1, 255)
  else if (type === Ipv6Opt.PKTINFO) takePktinfo(control, data, 20, 16, data.slice(0, 16))
  else throw new Errno('EINVAL')
}

function takePktinfo(control: Control, data: Uint8Array, length: number, at: number, src: Uint8Array): void {
  if (data.length < length) throw new Errno('EINVAL')
  const ifindex = viewOf(data).getInt32(at, true)
  if (ifindex !== 0) control.ifindex = ifindex
  if (src.some((byte) => byte !== 0)) control.src = src
}

function inRange(value: number, min: number, max: number): number {
  if (value < min || value > max) throw new Errno('EINVAL')
  return value
}
