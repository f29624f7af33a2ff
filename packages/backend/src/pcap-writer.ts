import { copyBytes, Errno, hwEventCancel, hwEventPending, hwEventSetup, hwEventStart } from '@vnet/kernel'
import type { HwEvent, Kernel } from '@vnet/kernel'
import { MAXIMUM_SNAPLEN, PcapngWriter, PcapWriter } from '@vnet/wire'
import { DATA_AT, pcapngRecord, pcapRecord, RECORD_ROOM } from './capture-record.ts'
import type { RecordWriter } from './capture-record.ts'
import type { Backend } from './contract.ts'
import { Wrapper } from './wrapper.ts'

/**
 * How a pcap writer writes.
 *
 * @kernel none
 */
export interface PcapSinkOptions {
  /** Default `pcap`, with nanoseconds. */
  readonly format?: 'pcap' | 'pcapng'
  /** Longer frames are cut. Default 262,144. */
  readonly snapLength?: number
  /** Seconds since 1970 when the kernel's clock was 0. Default 0, so that the same run gives the same file. */
  readonly bootSec?: number
  /** Bytes gathered before the sink is called. Default 64 KiB. */
  readonly bufferBytes?: number
}

class PcapTap extends Wrapper {
  readonly #kernel: Kernel
  readonly #sink: (chunk: Uint8Array) => void
  readonly #format: 'pcap' | 'pcapng'
  readonly #record: RecordWriter
  readonly #snapLength: number
  readonly #bootSec: number
  readonly #event: HwEvent
  #bytes: Uint8Array
  #view: DataView
  #used: number
  #begun: boolean

  constructor(kernel: Kernel, lower: Backend, sink: (chunk: Uint8Array) => void, options: PcapSinkOptions) {
    super('pcap-writer', lower)
    this.#kernel = kernel
    this.#sink = sink
    this.#format = options.format ?? 'pcap'
    this.#record = this.#format === 'pcap' ? pcapRecord : pcapngRecord
    this.#snapLength = options.snapLength ?? MAXIMUM_SNAPLEN
    this.#bootSec = options.bootSec ?? 0
    this.#event = hwEventSetup(kernel, () => this.#write(), this.name)
    this.#bytes = new Uint8Array(options.bufferBytes ?? 1 << 16)
    this.#view = new DataView(this.#bytes.buffer)
    this.#used = 0
    this.#begun = false
  }

  override transmit(mem: Uint8Array, offset: number, length: number): boolean {
    if (!super.transmit(mem, offset, length)) return false
    this.#note(mem, offset, length)
    return true
  }

  override receive(mem: Uint8Array, offset: number, length: number): boolean {
    // Before the card sees it: what it answers comes after it in the file.
    this.#note(mem, offset, length)
    return super.receive(mem, offset, length)
  }

  protected override opened(): void {
    if (this.#begun) return
    this.#begun = true
    const snapLength = this.#snapLength
    const writer =
      this.#format === 'pcap'
        ? new PcapWriter({ nanoseconds: true, snapLength })
        : new PcapngWriter({ interfaces: [{ name: this.lower.name, snapLength }] })
    this.#sink(writer.header())
  }

  protected override closed(): void {
    hwEventCancel(this.#event)
    this.#write()
  }

  #note(mem: Uint8Array, offset: number, length: number): void {
    if (this.port === null) return
    const kept = Math.min(length, this.#snapLength)
    const room = kept + RECORD_ROOM
    if (this.#used + room > this.#bytes.length) this.#makeRoom(room)
    const now = this.#kernel.clock.ktimeGet()
    const sec = Math.floor(now / 1e9)
    copyBytes(this.#bytes, this.#used + DATA_AT[this.#format], mem, offset, kept)
    this.#used += this.#record(this.#view, this.#used, kept, length, this.#bootSec + sec, now - sec * 1e9)
    if (!hwEventPending(this.#event)) hwEventStart(this.#event, 0)
  }

  #makeRoom(room: number): void {
    this.#write()
    if (room <= this.#bytes.length) return
    this.#bytes = new Uint8Array(room * 2)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** The sink gets a copy of its own: a stream may hold it for long. */
  #write(): void {
    if (this.#used === 0) return
    const chunk = this.#bytes.slice(0, this.#used)
    this.#used = 0
    this.#sink(chunk)
  }
}

/**
 * Makes middleware that writes every frame that passes, both ways, as a capture file: what went to the cable, and what
 * came from it, missed or not.
 *
 * The sink gets the file's header when a card is plugged in, then chunks: one a burst, or sooner when the buffer is
 * full, the last on unplugging. A chunk is the sink's to keep. Times are the kernel clock's.
 *
 * @throws Errno EINVAL for options that make no sense
 * @kernel none
 */
export function pcapWriter(
  kernel: Kernel,
  sink: (chunk: Uint8Array) => void,
  options: PcapSinkOptions = {},
): (lower: Backend) => Backend {
  const { format, snapLength, bufferBytes, bootSec } = options
  check(format === undefined || format === 'pcap' || format === 'pcapng', 'format', format, 'pcap or pcapng')
  check(isWhole(snapLength, 1, MAXIMUM_SNAPLEN), 'snapLength', snapLength, `from 1 to ${MAXIMUM_SNAPLEN}`)
  check(isWhole(bufferBytes, 1, 1 << 30), 'bufferBytes', bufferBytes, 'from 1 to 1073741824')
  check(isWhole(bootSec, 0, 0xffff_ffff), 'bootSec', bootSec, 'from 0 to 4294967295')
  return (lower) => new PcapTap(kernel, lower, sink, options)
}

function isWhole(value: number | undefined, least: number, most: number): boolean {
  return value === undefined || (Number.isInteger(value) && value >= least && value <= most)
}

function check(good: boolean, what: string, value: unknown, must: string): void {
  if (!good) throw new Errno('EINVAL', `pcapWriter: ${what} is ${String(value)}, must be ${must}`, what)
}
