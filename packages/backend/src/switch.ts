import { Errno } from '@vnet/kernel'
import type { Kernel, Ktime } from '@vnet/kernel'
import { ETH_HLEN, isMulticastEtherAddr, isValidEtherAddr } from '@vnet/wire'
import { BaseBackend } from './base.ts'
import type { Backend } from './contract.ts'
import { DelayLine } from './delay-line.ts'
import type { DelayTarget } from './delay-line.ts'
import { ForwardingTable } from './fdb.ts'
import type { FdbEntry } from './fdb.ts'
import type { FrameStoreSize } from './frame-store.ts'

const DEFAULT_AGEING_NS = 300e9
const FDB_BUCKETS = 512

/**
 * How a switch is made.
 *
 * @kernel none
 */
export interface SwitchOptions {
  /** 1 to 256. */
  readonly ports: number
  /** An address not seen for so long is forgotten. Default 300 seconds; 0: nothing is learned, a hub. */
  readonly ageingNs?: Ktime
  /** Frames and bytes that may wait at one port to leave it; what does not fit is dropped there. Default 256, 512 KiB. */
  readonly queue?: FrameStoreSize
  /** Ports are called `name:0`, `name:1` … Default `switch`. */
  readonly name?: string
}

/**
 * What a switch as a whole has done. Over all ports, `downFrames + copies = upFrames`.
 *
 * @kernel none
 */
export class SwitchCounters {
  /** Frames sent out of the one port their address is behind. */
  forwarded = 0
  /** Frames sent out of all other ports. */
  flooded = 0
  /** Copies made for that, beyond the first. */
  copies = 0
  /** Frames that had no port to leave by: too short, bad source, link-local, or already on the right side. */
  filtered = 0
}

/**
 * A learning switch.
 *
 * @kernel none
 */
export interface Switch {
  readonly counters: SwitchCounters
  /** The plug of port i, from 0. @throws Errno EINVAL when there is none */
  port(i: number): Backend
  /** The addresses known now. */
  fdb(): FdbEntry[]
}

class Fabric {
  readonly kernel: Kernel
  readonly table: ForwardingTable
  readonly counters: SwitchCounters
  readonly ports: SwitchPort[]

  constructor(kernel: Kernel, ageingNs: Ktime) {
    this.kernel = kernel
    this.table = new ForwardingTable(ageingNs, FDB_BUCKETS)
    this.counters = new SwitchCounters()
    this.ports = []
  }

  /** Moves a frame from a port to those it belongs to. False: to none. */
  forward(from: SwitchPort, mem: Uint8Array, offset: number, length: number): boolean {
    if (length < ETH_HLEN || !isValidEtherAddr(mem, offset + 6)) return this.filter()
    const now = this.kernel.clock.ktimeGet()
    this.table.learn(mem, offset + 6, from.index, now)
    if (isLinkLocal(mem, offset)) return this.filter()
    const to = isMulticastEtherAddr(mem, offset) ? -1 : this.table.lookup(mem, offset, now)
    if (to < 0) return this.flood(from, mem, offset, length)
    if (to === from.index) return this.filter()
    this.counters.forwarded++
    this.ports[to]!.accept(mem, offset, length)
    return true
  }

  flood(from: SwitchPort, mem: Uint8Array, offset: number, length: number): boolean {
    let copies = 0
    for (let i = 0; i < this.ports.length; i++) {
      const port = this.ports[i]!
      if (port === from || !port.attached) continue
      port.accept(mem, offset, length)
      copies++
    }
    if (copies === 0) return this.filter()
    this.counters.flooded++
    this.counters.copies += copies - 1
    return true
  }

  filter(): boolean {
    this.counters.filtered++
    return false
  }
}

class SwitchPort extends BaseBackend implements DelayTarget {
  readonly index: number
  readonly #fabric: Fabric
  readonly #queue: DelayLine

  constructor(fabric: Fabric, name: string, index: number, queue: FrameStoreSize) {
    super(`${name}:${index}`)
    this.index = index
    this.#fabric = fabric
    this.#queue = new DelayLine(fabric.kernel, this.name, this.counters, this, queue)
  }

  get attached(): boolean {
    return this.port !== null
  }

  transmit(mem: Uint8Array, offset: number, length: number): boolean {
    this.taken(length)
    if (this.port !== null && this.#fabric.forward(this, mem, offset, length)) this.counters.downFrames++
    else this.counters.dropped++
    return true
  }

  /** A frame is to leave by this port. */
  accept(mem: Uint8Array, offset: number, length: number): void {
    this.counters.upFrames++
    if (!this.#queue.push(mem, offset, length)) this.counters.dropped++
  }

  deliver(mem: Uint8Array, offset: number, length: number): boolean {
    this.offer(mem, offset, length)
    return true
  }

  sliceDone(): void {}

  protected override started(): void {
    this.#queue.open()
  }

  protected override stopped(): void {
    this.#queue.close()
    this.#fabric.table.flushPort(this.index)
  }
}

/**
 * Makes a switch: it learns who is behind which port, sends there, and floods what it does not know.
 *
 * It drops what a bridge drops: runts, frames with a multicast or zero source, and link-local groups
 * (01:80:c2:00:00:0x). It never refuses; a full port drops. Taking a card out forgets what was behind its port.
 *
 * @throws Errno EINVAL for a number of ports that makes no sense
 * @kernel br_handle_frame() net/bridge/br_input.c
 */
export function switchBackend(kernel: Kernel, options: SwitchOptions): Switch {
  const {
    ports,
    ageingNs = DEFAULT_AGEING_NS,
    name = 'switch',
    queue = { frames: 256, bytes: 1 << 19 },
  } = options
  if (!Number.isInteger(ports) || ports < 1 || ports > 256) {
    throw new Errno('EINVAL', `switchBackend: ports is ${ports}, must be from 1 to 256`, 'ports')
  }
  if (!(ageingNs >= 0))
    throw new Errno('EINVAL', `switchBackend: ageingNs is ${ageingNs}, must be 0 or more`, 'ageingNs')
  const fabric = new Fabric(kernel, ageingNs)
  for (let i = 0; i < ports; i++) fabric.ports.push(new SwitchPort(fabric, name, i, queue))
  return {
    counters: fabric.counters,
    port: (i) => {
      const port = fabric.ports[i]
      if (port === undefined)
        throw new Errno('EINVAL', `${name} has no port ${i}, only 0 to ${ports - 1}`, 'port')
      return port
    },
    fdb: () => fabric.table.list(kernel.clock.ktimeGet()),
  }
}

/** 01:80:c2:00:00:00 to 0f: for the switch itself (IEEE 802.1D, table 7-10), never passed on. */
function isLinkLocal(mem: Uint8Array, at: number): boolean {
  return (
    mem[at] === 0x01 &&
    mem[at + 1] === 0x80 &&
    mem[at + 2] === 0xc2 &&
    mem[at + 3] === 0 &&
    mem[at + 4] === 0 &&
    (mem[at + 5]! & 0xf0) === 0
  )
}
