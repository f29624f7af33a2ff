import { Errno } from '@vnet/kernel'
import { formatMac, Iff } from '@vnet/netdev'
import { Sioc, textOf, utf8 } from '@vnet/netlink'
import {
  bind,
  close,
  connect,
  getsockname,
  poll,
  recvfrom,
  sendto,
  setsockopt,
  socket,
} from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { clockGettime } from '../ping/clock.ts'
import { ifconf, ifindexOf, ifreq, sockaddr } from '../ping/source.ts'
import { ArpingError, parseArping, type ArpingOptions } from './options.ts'

const AF_INET = 2
const [AF_PACKET, SOCK_DGRAM] = [17, 2]
const [SOL_SOCKET, SO_BROADCAST, SO_DONTROUTE, SO_BINDTODEVICE] = [1, 6, 5, 25]
const ETH_P_ARP = 0x0806
const MSG_DONTWAIT = 0x40
const BROADCAST = new Uint8Array(6).fill(0xff)

/** One run of arping. */
interface ArpingRun {
  readonly process: Process
  readonly options: ArpingOptions
  readonly fd: number
  readonly device: string
  readonly ifindex: number
  readonly mac: Uint8Array
  readonly source: Uint8Array
  /** Where the next request goes: to all, until somebody answered. */
  to: Uint8Array
  sent: number
  broadcasts: number
  received: number
  lastNs: number
}

/**
 * `arping`, as iputils prints and ends: 0 when somebody answered, 1 when nobody did, 2 for another trouble.
 *
 * @kernel none
 */
export function* arping(process: Process): Syscalls<number> {
  try {
    const options = parseArping(process.argv)
    return yield* run(process, options)
  } catch (error) {
    if (error instanceof ArpingError) {
      const text = `${error.message}\n`
      if (error.told) process.stdout(text)
      else process.stderr(text)
      return error.exitCode
    }
    if (!(error instanceof Errno)) throw error
    process.stderr(`arping: ${error.message}\n`)
    return 2
  }
}

function* run(process: Process, options: ArpingOptions): Syscalls<number> {
  const probe = yield* socket(process, AF_INET, SOCK_DGRAM, 0)
  const device = options.device === '' ? yield* onlyDevice(process, probe) : options.device
  const ifindex = yield* indexOf(process, probe, device)
  yield* checkFlags(process, probe, device)
  const mac = yield* macOf(process, probe, device)
  const source = yield* sourceOf(process, probe, options, device)
  yield* close(probe)
  const fd = yield* socket(process, AF_PACKET, SOCK_DGRAM, 0)
  yield* bind(process, fd, sockaddrLl(ifindex, new Uint8Array(6)))
  const arping: ArpingRun = {
    process,
    options,
    fd,
    device,
    ifindex,
    mac,
    source,
    to: BROADCAST,
    sent: 0,
    broadcasts: 0,
    received: 0,
    lastNs: 0,
  }
  if (!options.quiet) {
    process.stdout(`ARPING ${options.target} from ${ipText(source)} ${device}\n`)
  }
  yield* loop(arping)
  yield* close(fd)
  return finish(arping)
}

function finish({ process, options, sent, broadcasts, received }: ArpingRun): number {
  if (!options.quiet) {
    process.stdout(`Sent ${sent} probes (${broadcasts} broadcast(s))\n`)
    process.stdout(`Received ${received} response(s)\n`)
  }
  if (options.duplicate) return received > 0 ? 1 : 0
  if (options.unsolicited) return 0
  return received > 0 ? 0 : 1
}

function* loop(arping: ArpingRun): Syscalls<void> {
  const { process, options, fd } = arping
  const start = yield* clockGettime(process, 1)
  let next = start
  for (;;) {
    const now = yield* clockGettime(process, 1)
    if (process.interrupted) return
    if (now >= next) {
      if (options.count > 0 && arping.sent >= options.count) return
      yield* send(arping, now)
      // Nobody answers what asks nothing.
      if (options.unsolicited && arping.sent === options.count) return
      next = now + options.intervalNs
    }
    if (options.deadlineNs > 0 && now - start >= options.deadlineNs) return
    if ((yield* waitFor(fd, Math.min(next, deadlineOf(options, start)) - now)) === 0) continue
    yield* receive(arping)
    if (arping.received > 0 && (options.first || options.duplicate)) return
    if (options.count > 0 && arping.received >= options.count) return
  }
}

function deadlineOf({ deadlineNs }: ArpingOptions, start: number): number {
  return deadlineNs > 0 ? start + deadlineNs : Infinity
}

function* waitFor(fd: number, ns: number): Syscalls<number> {
  try {
    return yield* poll(fd, Math.max(0, ns))
  } catch (error) {
    if (error instanceof Errno && error.code === 'EINTR') return 0
    throw error
  }
}

/** An ARP packet without its Ethernet header. @kernel struct arphdr include/uapi/linux/if_arp.h */
function* send(arping: ArpingRun, now: number): Syscalls<void> {
  const { process, options, fd, ifindex, mac, source } = arping
  const packet = new Uint8Array(28)
  packet.set([0, 1, 8, 0, 6, 4, 0, options.reply ? 2 : 1])
  packet.set(mac, 8)
  packet.set(source, 14)
  packet.set(options.reply ? mac : BROADCAST, 18)
  packet.set(options.address, 24)
  yield* sendto(process, fd, packet, 0, sockaddrLl(ifindex, arping.to))
  arping.lastNs = now
  arping.sent++
  if (arping.to === BROADCAST) arping.broadcasts++
}

function* receive(arping: ArpingRun): Syscalls<void> {
  const { process, options, fd } = arping
  for (;;) {
    let packet: Uint8Array
    let from: Uint8Array
    try {
      ;({ bytes: packet, address: from } = yield* recvfrom(process, fd, 2048, MSG_DONTWAIT))
    } catch (error) {
      if (error instanceof Errno && (error.code === 'EAGAIN' || error.code === 'EINTR')) return
      throw error
    }
    if (!isAnswer(arping, packet)) continue
    arping.received++
    const sender = packet.slice(8, 14)
    const now = yield* clockGettime(process, 1)
    if (!options.quiet) process.stdout(replyLine(arping, packet, from, sender, now))
    if (!options.broadcastOnly && !options.unsolicited) arping.to = sender
  }
}

/** An answer, or somebody's claim, about the address we ask for. */
function isAnswer({ options, source, mac }: ArpingRun, packet: Uint8Array): boolean {
  if (packet.length < 28 || packet[3] !== 0 || packet[4] !== 6 || packet[5] !== 4) return false
  const op = packet[7]!
  if (op !== 1 && op !== 2) return false
  const [from, to] = [packet.subarray(14, 18), packet.subarray(24, 28)]
  if (!same(from, options.address)) return false
  if (same(packet.subarray(8, 14), mac)) return false
  return options.duplicate || same(to, source)
}

function replyLine(
  arping: ArpingRun,
  packet: Uint8Array,
  from: Uint8Array,
  sender: Uint8Array,
  now: number,
): string {
  // sll_pkttype: 0 came to us alone.
  const way = (from[10] ?? 0) === 0 ? 'Unicast' : 'Broadcast'
  const kind = packet[7] === 2 ? 'reply' : 'request'
  const micros = Math.floor((now - arping.lastNs) / 1000)
  const time = `${Math.floor(micros / 1000)}.${String(micros % 1000).padStart(3, '0')}ms`
  return `${way} ${kind} from ${ipText(packet.subarray(14, 18))} [${formatMac(sender).toUpperCase()}]  ${time}\n`
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

const ipText = (bytes: Uint8Array): string => [...bytes].join('.')

/** @kernel struct sockaddr_ll include/uapi/linux/if_packet.h */
function sockaddrLl(ifindex: number, address: Uint8Array): Uint8Array {
  const out = new Uint8Array(20)
  const view = new DataView(out.buffer)
  view.setUint16(0, AF_PACKET, true)
  view.setUint16(2, ETH_P_ARP, false)
  view.setInt32(4, ifindex, true)
  view.setUint16(8, 1, true)
  out[11] = 6
  out.set(address, 12)
  return out
}

function* indexOf(process: Process, fd: number, device: string): Syscalls<number> {
  try {
    return yield* ifindexOf(process, fd, device)
  } catch (error) {
    if (error instanceof Errno && error.code === 'ENODEV') {
      throw new ArpingError(`arping: Device ${device} not available.`)
    }
    throw error
  }
}

function* macOf(process: Process, fd: number, device: string): Syscalls<Uint8Array> {
  const bytes = yield* ifreq(process, fd, Sioc.GIFHWADDR, device)
  const type = new DataView(bytes.buffer, bytes.byteOffset).getUint16(16, true)
  if (type !== 1) throw new ArpingError(`Interface "${device}" is not ARPable`, 2, true)
  return bytes.slice(18, 24)
}

function* flagsOf(process: Process, fd: number, device: string): Syscalls<number> {
  const bytes = yield* ifreq(process, fd, Sioc.GIFFLAGS, device)
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(16, true)
}

/** @throws ArpingError */
function* checkFlags(process: Process, fd: number, device: string): Syscalls<void> {
  const flags = yield* flagsOf(process, fd, device)
  if ((flags & Iff.UP) === 0) throw new ArpingError(`Interface "${device}" is down`, 2, true)
  if ((flags & (Iff.NOARP | Iff.LOOPBACK)) !== 0)
    throw new ArpingError(`Interface "${device}" is not ARPable`, 2, true)
}

/** The device, when there is only one that could be meant. @throws ArpingError */
function* onlyDevice(process: Process, fd: number): Syscalls<string> {
  const bytes = yield* ifconf(process, fd)
  const found = new Set<string>()
  for (let at = 0; at < bytes.length; at += 40) {
    const name = textOf(bytes, at, at + 16).split(':')[0]!
    const flags = yield* flagsOf(process, fd, name)
    if ((flags & Iff.UP) !== 0 && (flags & (Iff.NOARP | Iff.LOOPBACK)) === 0) found.add(name)
  }
  const [name] = found
  if (found.size === 1) return name!
  throw new ArpingError('arping: Suitable device could not be determined. Please, use option -I.')
}

/** The address of ours that asks: as given, none for a duplicate search, else what the route says. */
function* sourceOf(
  process: Process,
  fd: number,
  options: ArpingOptions,
  device: string,
): Syscalls<Uint8Array> {
  const { address, source, unsolicited, duplicate } = options
  const chosen = source ?? (unsolicited ? address : null)
  if (chosen === null && duplicate) return new Uint8Array(4)
  if (chosen !== null && duplicate) return chosen
  yield* setsockopt(process, fd, SOL_SOCKET, SO_BINDTODEVICE, utf8(`${device}\0`))
  if (chosen !== null) {
    yield* named('bind', bind(process, fd, sockaddr(AF_INET, chosen, 0)))
    return chosen
  }
  yield* setsockopt(process, fd, SOL_SOCKET, SO_BROADCAST, 1)
  yield* setsockopt(process, fd, SOL_SOCKET, SO_DONTROUTE, 1)
  yield* named('connect', connect(process, fd, sockaddr(AF_INET, address, 1025)))
  return (yield* getsockname(process, fd)).slice(4, 8)
}

function* named(what: string, call: Syscalls<number>): Syscalls<void> {
  try {
    yield* call
  } catch (error) {
    if (error instanceof Errno) throw new ArpingError(`arping: ${what}: ${error.message}`)
    throw error
  }
}
