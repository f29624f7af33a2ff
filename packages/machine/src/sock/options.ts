import { IpProto, RawSock, type InetSock, type SockOptions } from '@vnet/inet'
import { Errno } from '@vnet/kernel'
import { devGetByName } from '@vnet/netdev'
import { SOL_SOCKET, SockOption, textOf } from '@vnet/netlink'
import { ICMP_FILTER, IpOpt, Ipv6Opt, SOL_ICMPV6, SOL_IP, SOL_IPV6, SOL_RAW } from './constants.ts'
import { viewOf } from './sockaddr.ts'

/** An option: how it is set, and how it is told. */
interface Option {
  set?(sock: InetSock, value: Uint8Array): void
  get?(sock: InetSock): Uint8Array
}

type FlagKey = { [K in keyof SockOptions]: SockOptions[K] extends boolean ? K : never }[keyof SockOptions]
type NumberKey = { [K in keyof SockOptions]: SockOptions[K] extends number ? K : never }[keyof SockOptions]

const MIN_RCVBUF = 2304
const MAX_RCVBUF = 64 * 1024 * 1024

/** An `int`, or a single byte, as old programs pass it. @throws Errno EINVAL */
function intOf(value: Uint8Array): number {
  if (value.length >= 4) return viewOf(value).getInt32(0, true)
  if (value.length >= 1) return value[0]!
  throw new Errno('EINVAL')
}

function intBytes(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer)
}

function flag(key: FlagKey): Option {
  return {
    set: (sock, value) => (sock.options[key] = intOf(value) !== 0),
    get: (sock) => intBytes(sock.options[key] ? 1 : 0),
  }
}

function number(key: NumberKey, min: number, max: number): Option {
  return {
    set(sock, value) {
      const wanted = intOf(value)
      if (wanted < min || wanted > max) throw new Errno('EINVAL')
      sock.options[key] = wanted
    },
    get: (sock) => intBytes(sock.options[key]),
  }
}

/** The system's own stands for −1. */
function hops(key: 'ttl' | 'multicastTtl', min: number, standard: number): Option {
  const { set } = number(key, min, 255)
  return {
    ...(set !== undefined && { set }),
    get: (sock) => intBytes(sock.options[key] < 0 ? standard : sock.options[key]),
  }
}

/** What would live for no hop. @kernel IP_TTL net/ipv4/ip_sockglue.c */
function notZero(option: Option): Option {
  return {
    ...option,
    set(sock, value) {
      if (intOf(value) === 0) throw new Errno('EINVAL')
      option.set?.(sock, value)
    },
  }
}

/** Twice what was asked for, within bounds. @kernel __sock_set_rcvbuf() net/core/sock.c */
function buffer(key: 'rcvbuf' | 'sndbuf'): Option {
  return {
    set: (sock, value) => (sock.options[key] = Math.max(MIN_RCVBUF, Math.min(intOf(value) * 2, MAX_RCVBUF))),
    get: (sock) => intBytes(sock.options[key]),
  }
}

/** Accepted, and without an effect here. */
const ignored: Option = { set: () => {}, get: () => intBytes(0) }

const connectedMtu: Option = {
  get(sock) {
    if (sock.remote === null) throw new Errno('ENOTCONN')
    return intBytes(sock.transport.route(sock, sock.remote, {}).mtu)
  },
}

/** @throws Errno ENODEV @kernel sock_bindtodevice() net/core/sock.c */
const bindToDevice: Option = {
  set(sock, value) {
    const name = textOf(value, 0, Math.min(value.length, 15))
    const dev = name === '' ? undefined : devGetByName(sock.inet.kernel, name)
    if (name !== '' && dev === undefined) throw new Errno('ENODEV')
    sock.options.boundDevIf = dev?.ifindex ?? 0
  },
}

const SOCKET: Readonly<Record<number, Option>> = {
  [SockOption.REUSEADDR]: flag('reuseAddr'),
  [SockOption.REUSEPORT]: flag('reusePort'),
  [SockOption.BROADCAST]: flag('broadcast'),
  [SockOption.SNDBUF]: buffer('sndbuf'),
  [SockOption.RCVBUF]: buffer('rcvbuf'),
  [SockOption.SNDBUFFORCE]: buffer('sndbuf'),
  [SockOption.RCVBUFFORCE]: buffer('rcvbuf'),
  [SockOption.PRIORITY]: number('priority', 0, 0x7fffffff),
  [SockOption.MARK]: number('mark', -0x80000000, 0x7fffffff),
  [SockOption.BINDTODEVICE]: bindToDevice,
  [SockOption.ERROR]: { get: (sock) => intBytes(sock.takeSoError()) },
}

const IPV4: Readonly<Record<number, Option>> = {
  [IpOpt.TOS]: number('tos', 0, 255),
  [IpOpt.TTL]: notZero(hops('ttl', -1, 64)),
  [IpOpt.HDRINCL]: flag('hdrincl'),
  [IpOpt.OPTIONS]: { set: noOptions, get: () => new Uint8Array(0) },
  [IpOpt.RECVOPTS]: ignored,
  [IpOpt.RETOPTS]: ignored,
  [IpOpt.PKTINFO]: flag('pktinfo'),
  [IpOpt.MTU_DISCOVER]: number('mtuDiscover', 0, 5),
  [IpOpt.RECVERR]: flag('recverr'),
  [IpOpt.RECVTTL]: flag('recvttl'),
  [IpOpt.RECVTOS]: flag('recvtos'),
  [IpOpt.MTU]: connectedMtu,
  [IpOpt.FREEBIND]: flag('freebind'),
  [IpOpt.MULTICAST_IF]: { set: setMulticastIf },
  [IpOpt.MULTICAST_TTL]: hops('multicastTtl', -1, 1),
  [IpOpt.MULTICAST_LOOP]: flag('multicastLoop'),
}

const IPV6: Readonly<Record<number, Option>> = {
  [Ipv6Opt.CHECKSUM]: number('checksumOffset', -1, 65_534),
  [Ipv6Opt.UNICAST_HOPS]: hops('ttl', -1, 64),
  [Ipv6Opt.MULTICAST_IF]: number('multicastIf', 0, 0x7fffffff),
  [Ipv6Opt.MULTICAST_HOPS]: hops('multicastTtl', -1, 1),
  [Ipv6Opt.MULTICAST_LOOP]: flag('multicastLoop'),
  [Ipv6Opt.MTU_DISCOVER]: number('mtuDiscover', 0, 5),
  [Ipv6Opt.MTU]: connectedMtu,
  [Ipv6Opt.RECVERR]: flag('recverr'),
  [Ipv6Opt.V6ONLY]: flag('v6only'),
  [Ipv6Opt.FLOWINFO_SEND]: ignored,
  [Ipv6Opt.RECVPKTINFO]: flag('pktinfo'),
  [Ipv6Opt.RECVHOPLIMIT]: flag('recvttl'),
  [Ipv6Opt.RECVTCLASS]: flag('recvtos'),
  [Ipv6Opt.TCLASS]: number('tos', -1, 255),
  [Ipv6Opt.FREEBIND]: flag('freebind'),
}

/** Options in the header cannot be sent; that there are none can be said. */
function noOptions(_sock: InetSock, value: Uint8Array): void {
  if (value.length > 0) throw new Errno('EOPNOTSUPP')
}

/** `struct ip_mreqn`, `struct ip_mreq` or an address: only the index counts. @kernel IP_MULTICAST_IF net/ipv4/ip_sockglue.c */
function setMulticastIf(sock: InetSock, value: Uint8Array): void {
  sock.options.multicastIf = value.length >= 12 ? viewOf(value).getInt32(8, true) : 0
}

const icmpFilter: Option = {
  set: (sock, value) => (sock.options.icmpFilter = intOf(value)),
  get: (sock) => intBytes(sock.options.icmpFilter),
}

/** 256 bits: a set one is not wanted. @kernel struct icmp6_filter include/uapi/linux/icmpv6.h */
const icmp6Filter: Option = {
  set(sock, value) {
    const words = new Uint32Array(8)
    new Uint8Array(words.buffer).set(value.subarray(0, 32))
    sock.options.icmp6Filter = words
  },
  get: (sock) => new Uint8Array((sock.options.icmp6Filter ?? new Uint32Array(8)).slice().buffer),
}

function optionOf(sock: InetSock, level: number, name: number): Option | undefined {
  const table = (options: Readonly<Record<number, Option>>): Option | undefined =>
    Object.hasOwn(options, name) ? options[name] : undefined
  if (level === SOL_SOCKET) return table(SOCKET)
  if (level === SOL_IP) return sock.family === 2 ? table(IPV4) : undefined
  if (level === SOL_IPV6) return sock.family === 10 ? table(IPV6) : undefined
  if (!(sock instanceof RawSock)) return undefined
  if (level === SOL_RAW && name === ICMP_FILTER && sock.protocol === IpProto.ICMP) return icmpFilter
  if (level === SOL_RAW && name === Ipv6Opt.CHECKSUM && sock.family === 10) return IPV6[Ipv6Opt.CHECKSUM]
  return level === SOL_ICMPV6 && name === ICMP_FILTER ? icmp6Filter : undefined
}

/** Sets an option. @throws Errno ENOPROTOOPT, EINVAL @kernel do_ip_setsockopt() net/ipv4/ip_sockglue.c */
export function setInetOption(sock: InetSock, level: number, name: number, value: Uint8Array): void {
  const option = optionOf(sock, level, name)
  if (option?.set === undefined) throw new Errno('ENOPROTOOPT')
  option.set(sock, value)
}

/** Tells an option. @throws Errno ENOPROTOOPT, ENOTCONN @kernel do_ip_getsockopt() net/ipv4/ip_sockglue.c */
export function getInetOption(sock: InetSock, level: number, name: number): Uint8Array {
  const option = optionOf(sock, level, name)
  if (option?.get === undefined) throw new Errno('ENOPROTOOPT')
  return option.get(sock)
}
