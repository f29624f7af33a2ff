import { Errno } from '@vnet/kernel'
import { Arphrd } from '@vnet/netdev'
import { PcapngWriter } from '@vnet/wire'
import type { FrameInfo } from '@vnet/wire'
import { bind, close, getsockopt, poll, setsockopt, socket } from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { nextPacket, PKT_OUTGOING } from './captured.ts'
import type { Captured } from './captured.ts'
import { indexOf, nameOf } from './device.ts'
import type { FilterTest } from './filter/packet.ts'
import { parseFilter } from './filter/parse.ts'
import { MAX_SNAPLEN, TcpdumpError } from './options.ts'
import type { TcpdumpOptions } from './options.ts'
import { infoOf, PacketPrinter } from './print.ts'

/** A file that packets are written to. */
export interface CaptureFile {
  write(bytes: Uint8Array): void
  close(): void
}

const AF_PACKET = 17
const SOCK_RAW = 3
const ETH_P_ALL = 3
const SOL_SOCKET = 1
const SO_ERROR = 4
const SO_TIMESTAMPNS = 35
const SOL_PACKET = 263
const PACKET_ADD_MEMBERSHIP = 1
const PACKET_STATISTICS = 6
const PACKET_AUXDATA = 8
const PACKET_MR_PROMISC = 1
const ENETDOWN = 100
const EXIT_FAILURE = 1

/** One capture, from the socket to the counts at its end. @throws TcpdumpError, FilterError, Errno */
export function* capture(
  process: Process,
  options: TcpdumpOptions,
  device: string,
  file: CaptureFile | null,
): Syscalls<number> {
  const fd = yield* openSocket(process, device)
  const any = device === 'any'
  if (any) process.stderr('tcpdump: data link type LINUX_SLL2\n')
  try {
    yield* listen(process, fd, options, device)
    const test = parseFilter(options.expression)
    process.stderr(heading(options, device))
    return yield* new Capture(process, options, fd, test, any ? null : device, file).run()
  } finally {
    file?.close()
    yield* close(fd)
  }
}

/** @throws TcpdumpError as libpcap says it */
function* openSocket(process: Process, device: string): Syscalls<number> {
  try {
    return yield* socket(process, AF_PACKET, SOCK_RAW, 0)
  } catch (error) {
    if (!(error instanceof Errno) || error.code !== 'EPERM') throw error
    const sentence = "You don't have permission to perform this capture on that device"
    throw new TcpdumpError(`${device}: ${sentence}\n(socket: Operation not permitted)`)
  }
}

function* listen(process: Process, fd: number, options: TcpdumpOptions, device: string): Syscalls<void> {
  const ifindex = device === 'any' ? 0 : yield* deviceIndex(process, fd, device)
  yield* setsockopt(process, fd, SOL_SOCKET, SO_TIMESTAMPNS, 1)
  yield* setsockopt(process, fd, SOL_PACKET, PACKET_AUXDATA, 1)
  yield* bind(process, fd, sockaddrLl(ifindex))
  const error = new DataView((yield* getsockopt(process, fd, SOL_SOCKET, SO_ERROR)).buffer).getInt32(0, true)
  if (error === ENETDOWN) throw new TcpdumpError(`${device}: That device is not up`)
  if (!options.promisc || ifindex === 0) return
  yield* setsockopt(process, fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, promisc(ifindex))
}

function* deviceIndex(process: Process, fd: number, device: string): Syscalls<number> {
  try {
    return yield* indexOf(process, fd, device)
  } catch (error) {
    if (!(error instanceof Errno) || error.code !== 'ENODEV') throw error
    throw new TcpdumpError(`${device}: No such device exists\n(No such device exists)`)
  }
}

function sockaddrLl(ifindex: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(20))
  view.setUint16(0, AF_PACKET, true)
  view.setUint16(2, ETH_P_ALL, false)
  view.setInt32(4, ifindex, true)
  return new Uint8Array(view.buffer)
}

function promisc(ifindex: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(16))
  view.setInt32(0, ifindex, true)
  view.setUint16(4, PACKET_MR_PROMISC, true)
  return new Uint8Array(view.buffer)
}

function heading({ verbose, write, snaplen }: TcpdumpOptions, device: string): string {
  const before =
    verbose === 0 && write === null
      ? 'tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n'
      : 'tcpdump: '
  const type = device === 'any' ? 'LINUX_SLL2 (Linux cooked v2)' : 'EN10MB (Ethernet)'
  return `${before}listening on ${device}, link-type ${type}, snapshot length ${snaplen} bytes\n`
}

class Capture {
  readonly #process: Process
  readonly #options: TcpdumpOptions
  readonly #fd: number
  readonly #test: FilterTest
  /** Null: all of them. */
  readonly #device: string | null
  readonly #file: CaptureFile | null
  readonly #printer: PacketPrinter
  readonly #writer: PcapngWriter
  readonly #names = new Map<number, string>()
  #captured = 0
  #matched = 0

  constructor(
    process: Process,
    options: TcpdumpOptions,
    fd: number,
    test: FilterTest,
    device: string | null,
    file: CaptureFile | null,
  ) {
    this.#process = process
    this.#options = options
    this.#fd = fd
    this.#test = test
    this.#device = device
    this.#file = file
    this.#printer = new PacketPrinter(options)
    this.#writer = new PcapngWriter({ interfaces: [{ name: device ?? 'any', snapLength: options.snaplen }] })
  }

  *run(): Syscalls<number> {
    this.#file?.write(this.#writer.header())
    let why: 'count' | 'interrupt' | 'gone' = 'count'
    while (!this.#enough) {
      const packet = yield* this.#next()
      if (packet === 'gone' || packet === 'interrupt') {
        why = packet
        break
      }
      yield* this.#take(packet)
    }
    // A line may have been begun.
    if (why === 'interrupt' && this.#file === null) this.#process.stdout('\n')
    if (why === 'gone') this.#process.stderr('tcpdump: pcap_loop: The interface disappeared\n')
    yield* this.#counts()
    return why === 'gone' ? EXIT_FAILURE : 0
  }

  get #enough(): boolean {
    return this.#options.count !== null && this.#captured >= this.#options.count
  }

  /** The next packet, however long it takes. */
  *#next(): Syscalls<Captured | 'gone' | 'interrupt'> {
    for (;;) {
      if (this.#process.interrupted) return 'interrupt'
      try {
        const packet = yield* nextPacket(this.#process, this.#fd, MAX_SNAPLEN)
        if (packet !== null) return packet
        yield* poll(this.#fd)
      } catch (error) {
        if (!(error instanceof Errno)) throw error
        if (error.code === 'EINTR') return 'interrupt'
        if (error.code !== 'ENETDOWN') throw error
        // Down: it may come up again. Away: it may not.
        if (yield* this.#isGone()) return 'gone'
      }
    }
  }

  *#isGone(): Syscalls<boolean> {
    if (this.#device === null) return false
    try {
      yield* indexOf(this.#process, this.#fd, this.#device)
      return false
    } catch (error) {
      if (error instanceof Errno) return true
      throw error
    }
  }

  *#take(packet: Captured): Syscalls<void> {
    const info = infoOf(packet)
    if (!this.#wants(packet, info)) return
    this.#matched++
    // What goes out through lo comes in again: once is enough.
    if (packet.hatype === Arphrd.LOOPBACK && packet.pkttype === PKT_OUTGOING) return
    this.#captured++
    const bytes = packet.bytes.subarray(0, this.#options.snaplen)
    const cut = { ...packet, bytes }
    if (this.#file === null) {
      const name = this.#device === null ? yield* this.#nameOf(packet.ifindex) : null
      const shown = bytes.length === packet.bytes.length ? info : infoOf(cut)
      this.#process.stdout(this.#printer.print(cut, shown, name))
      return
    }
    const { tsSec, tsNsec, length } = packet
    this.#file.write(this.#writer.frame(bytes, 0, bytes.length, tsSec, tsNsec, 0, length))
  }

  #wants(packet: Captured, info: FrameInfo): boolean {
    const outgoing = packet.pkttype === PKT_OUTGOING
    const { direction } = this.#options
    if (direction !== 'inout' && (direction === 'out') !== outgoing) return false
    return this.#test({ bytes: packet.bytes, length: packet.length, info, outgoing })
  }

  *#nameOf(ifindex: number): Syscalls<string> {
    const known = this.#names.get(ifindex)
    if (known !== undefined) return known
    const name = (yield* nameOf(this.#process, this.#fd, ifindex)) ?? '?'
    this.#names.set(ifindex, name)
    return name
  }

  /** What was captured, what the filter let through, what was lost for want of room. @kernel none */
  *#counts(): Syscalls<void> {
    const statistics = yield* getsockopt(this.#process, this.#fd, SOL_PACKET, PACKET_STATISTICS, 8)
    const view = new DataView(statistics.buffer)
    const dropped = view.getUint32(4, true)
    yield* this.#countWaiting(view.getUint32(0, true))
    this.#process.stderr(
      `${packets(this.#captured)} captured\n` +
        `${packets(this.#matched)} received by filter\n` +
        `${packets(dropped)} dropped by kernel\n`,
    )
  }

  /** What has come and will not be shown; at most as many as have come so far. */
  *#countWaiting(most: number): Syscalls<void> {
    for (let i = 0; i < most; i++) {
      let packet: Captured | null
      try {
        packet = yield* nextPacket(this.#process, this.#fd, MAX_SNAPLEN)
      } catch (error) {
        if (error instanceof Errno) return
        throw error
      }
      if (packet === null) return
      if (this.#wants(packet, infoOf(packet))) this.#matched++
    }
  }
}

function packets(count: number): string {
  return `${count} packet${count === 1 ? '' : 's'}`
}
