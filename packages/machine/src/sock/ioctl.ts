import { inetAddrAdd, inetAddrDel, type InetSock, type InIfaddr, type Inet } from '@vnet/inet'
import { Errno } from '@vnet/kernel'
import { devGetByName, Iff, type NetDevice } from '@vnet/netdev'
import { Sioc, textOf, utf8, type IoctlCaller } from '@vnet/netlink'
import { SOCKADDR_IN_LEN, viewOf, writeSockaddr } from './sockaddr.ts'

/** Bytes waiting to be read. @kernel SIOCINQ include/uapi/asm-generic/ioctls.h */
const SIOCINQ = 0x541b
const SIOCOUTQ = 0x5411
/** @kernel struct ifreq include/uapi/linux/if.h */
const IFREQ_LEN = 40
const IFNAMSIZ = 16
const AF_INET = 2

const GETS: readonly number[] = [Sioc.GIFADDR, Sioc.GIFDSTADDR, Sioc.GIFBRDADDR, Sioc.GIFNETMASK]
const SETS: readonly number[] = [Sioc.SIFADDR, Sioc.SIFDSTADDR, Sioc.SIFBRDADDR, Sioc.SIFNETMASK]

/**
 * The ioctls of an internet socket: its queues, and for IPv4 the addresses of devices. False: it is for others.
 *
 * @throws Errno ENODEV, EADDRNOTAVAIL, EPERM, EINVAL
 * @kernel inet_ioctl() net/ipv4/af_inet.c, devinet_ioctl() net/ipv4/devinet.c
 */
export function inetIoctl(sock: InetSock, caller: IoctlCaller, request: number, argument: bigint): boolean {
  if (request === SIOCINQ || request === SIOCOUTQ) {
    const waiting = request === SIOCINQ ? (sock.received.peek()?.bytes.length ?? 0) : 0
    caller.memory.copyToUser(argument, new Uint8Array(Int32Array.of(waiting).buffer))
    return true
  }
  if (sock.family !== AF_INET) return false
  if (request === Sioc.GIFCONF) {
    ifconf(sock.inet, caller, argument)
    return true
  }
  if (GETS.includes(request)) {
    get(sock.inet, caller, request, argument)
    return true
  }
  if (!SETS.includes(request)) return false
  set(sock.inet, caller, request, argument)
  return true
}

/** The device and the address an `ifreq` names; `vnet0:1` is an address's own label. */
interface Named {
  readonly label: string
  readonly dev: NetDevice<any>
  readonly ifa: InIfaddr | undefined
}

function named(inet: Inet, ifreq: Uint8Array): Named {
  const label = textOf(ifreq, 0, IFNAMSIZ - 1)
  const dev = devGetByName(inet.kernel, label.replace(/:.*$/, ''))
  if (dev === undefined) throw new Errno('ENODEV')
  const addresses = inet.addresses(AF_INET, dev)
  return { label, dev, ifa: addresses.find((ifa) => ifa.label === label) }
}

function get(inet: Inet, caller: IoctlCaller, request: number, argument: bigint): void {
  const ifreq = caller.memory.copyFromUser(argument, IFREQ_LEN)
  const { ifa, dev } = named(inet, ifreq)
  const asked = ifreq.slice(20, 24)
  // A program that knows the address may ask with it.
  const exact = inet.addresses(AF_INET, dev).find((one) => same(one.local, asked))
  const found = exact ?? ifa
  if (found === undefined) throw new Errno('EADDRNOTAVAIL')
  ifreq.fill(0, IFNAMSIZ)
  ifreq.set(writeSockaddr({ address: fieldOf(found, request), port: 0 }), IFNAMSIZ)
  caller.memory.copyToUser(argument, ifreq)
}

function fieldOf(ifa: InIfaddr, request: number): Uint8Array {
  if (request === Sioc.GIFADDR) return ifa.local
  if (request === Sioc.GIFDSTADDR) return ifa.address
  if (request === Sioc.GIFBRDADDR) return ifa.broadcast ?? new Uint8Array(4)
  return maskBytes(ifa.prefixlen)
}

/** What an address becomes. */
interface Change {
  readonly local: Uint8Array
  readonly address: Uint8Array
  readonly prefixlen: number
  readonly broadcast: Uint8Array | null
}

function set(inet: Inet, caller: IoctlCaller, request: number, argument: bigint): void {
  const ifreq = caller.memory.copyFromUser(argument, IFREQ_LEN)
  if (!caller.capNetAdmin) throw new Errno('EPERM')
  if (viewOf(ifreq).getUint16(IFNAMSIZ, true) !== AF_INET) throw new Errno('EINVAL')
  const value = ifreq.slice(20, 24)
  inet.kernel.rtnl.run(() => {
    const where = named(inet, ifreq)
    const next = changed(where, request, value)
    if (next !== null) replace(inet, where, next)
  })
}

/** Null: it is as it shall be. @throws Errno EADDRNOTAVAIL, EINVAL */
function changed({ dev, ifa }: Named, request: number, value: Uint8Array): Change | null {
  if (request === Sioc.SIFADDR) return ifa !== undefined && same(ifa.local, value) ? null : fresh(dev, value)
  if (ifa === undefined) throw new Errno('EADDRNOTAVAIL')
  const now: Change = { ...pick(ifa) }
  if (request === Sioc.SIFBRDADDR)
    return same(value, ifa.broadcast ?? new Uint8Array(4)) ? null : { ...now, broadcast: value }
  if (request === Sioc.SIFDSTADDR) return same(value, ifa.address) ? null : { ...now, address: value }
  return withMask(dev, now, prefixOf(value))
}

function pick({ local, address, prefixlen, broadcast }: InIfaddr): Change {
  return { local, address, prefixlen, broadcast }
}

/** An address of which only itself is known: its class says how long the network's part is. @kernel inet_abc_len() net/ipv4/devinet.c */
function fresh(dev: NetDevice<any>, local: Uint8Array): Change {
  const length = abcLength(local)
  if ((dev.flags & Iff.POINTOPOINT) !== 0) return { local, address: local, prefixlen: 32, broadcast: null }
  return { local, address: local, prefixlen: length, broadcast: broadcastOf(dev, local, length) }
}

/** @throws Errno EINVAL for what no host has */
function abcLength(address: Uint8Array): number {
  const [a, b, c, d] = address as unknown as [number, number, number, number]
  if (a === 0 && b === 0 && c === 0 && d === 0) return 0
  if (a < 128) return 8
  if (a < 192) return 16
  if (a < 224) return 24
  if (a === 255 && b === 255 && c === 255 && d === 255) return 0
  throw new Errno('EINVAL')
}

function broadcastOf(dev: NetDevice<any>, local: Uint8Array, length: number): Uint8Array | null {
  if ((dev.flags & Iff.BROADCAST) === 0 || length >= 31) return null
  const mask = maskBytes(length)
  return local.map((byte, i) => byte | (~mask[i]! & 0xff))
}

/** A broadcast address that followed the old mask follows the new one. */
function withMask(dev: NetDevice<any>, now: Change, length: number): Change | null {
  if (length === now.prefixlen) return null
  const old = broadcastOf(dev, now.local, now.prefixlen)
  const follows = now.prefixlen < 31 && old !== null && now.broadcast !== null && same(old, now.broadcast)
  return {
    ...now,
    prefixlen: length,
    broadcast: follows ? broadcastOf(dev, now.local, length) : now.broadcast,
  }
}

function replace(inet: Inet, { dev, label, ifa }: Named, next: Change): void {
  if (ifa !== undefined)
    inetAddrDel(inet, { dev, family: AF_INET, local: ifa.local, prefixlen: ifa.prefixlen })
  inetAddrAdd(inet, { dev, family: AF_INET, label, ...next })
}

/** All addresses of all devices, as many as fit; without a buffer, how much room they need. @kernel inet_gifconf() net/ipv4/devinet.c */
function ifconf(inet: Inet, caller: IoctlCaller, argument: bigint): void {
  const ifc = caller.memory.copyFromUser(argument, 16)
  const view = viewOf(ifc)
  const room = view.getInt32(0, true)
  const buffer = view.getBigUint64(8, true)
  const all = inet.addresses(AF_INET)
  const count = buffer === 0n ? all.length : Math.min(all.length, Math.floor(Math.max(0, room) / IFREQ_LEN))
  view.setInt32(0, count * IFREQ_LEN, true)
  if (buffer !== 0n) {
    for (const [i, ifa] of all.slice(0, count).entries()) {
      const ifreq = new Uint8Array(IFREQ_LEN)
      ifreq.set(utf8(ifa.label).subarray(0, IFNAMSIZ - 1))
      ifreq.set(writeSockaddr({ address: ifa.local, port: 0 }).subarray(0, SOCKADDR_IN_LEN), IFNAMSIZ)
      caller.memory.copyToUser(buffer + BigInt(i * IFREQ_LEN), ifreq)
    }
  }
  caller.memory.copyToUser(argument, ifc)
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

function maskBytes(length: number): Uint8Array {
  const mask = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0
  return Uint8Array.of(mask >>> 24, mask >>> 16, mask >>> 8, mask)
}

/** @throws Errno EINVAL for a mask with a hole @kernel bad_mask() include/linux/inetdevice.h */
function prefixOf(mask: Uint8Array): number {
  const value = viewOf(mask).getUint32(0, false)
  const length = Math.clz32(~value)
  if (value !== (length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0)) throw new Errno('EINVAL')
  return length
}
