import type { Kernel } from '@vnet/kernel'
import type { CardRing, Coalesce, HwCounters, RxFilter, VnetHw } from '../hw.ts'
import { ALL_ONES, CAUSE_ALL } from '../regs.ts'
import {
  ALIVE,
  BELL,
  CAUSE,
  COMMAND,
  COUNTERS,
  COUNTER_NAMES,
  type CardChannel,
  type CardCommand,
  type CardMessage,
  DONE,
  IRQ,
  LINK,
  MASKED,
  MAX_QUEUES,
  PARKED,
  REGIONS,
  type RingAt,
  newControl,
} from './control.ts'
import { canWaitAsync, changed, waitFor } from './wait.ts'

/** How long the card's thread may take over a command before it counts as gone. */
const COMMAND_MS = 5_000
/** How often the driver's thread looks although nobody called, in ms: against a wake-up lost in a host's corner. */
const LOOK_MS = 1_000

/** What {@link createRemoteCard} needs to know. */
export interface RemoteCardOptions {
  /** To the thread that calls `hostCard`. */
  channel: CardChannel
  /** Names the card's interrupts. @defaultValue 'vnet-remote' */
  name?: string
  /** Six bytes. @defaultValue 02:00:00:00:00:01 */
  macAddress?: Uint8Array
  /** Queue pairs, at most 64. @defaultValue 1 */
  queues?: number
}

/**
 * The registers of a card that runs in another thread.
 *
 * Rings, frames and doorbells are shared memory; a register that changes what the card does is a command, and the
 * writer waits until the card has carried it out, as a driver relies on (STOP-04). Interrupts reach the kernel from the
 * event loop, or earlier from `poll`. The kernel must have been made with `sharedMemory`.
 *
 * @kernel none
 * @rule RING-06 IRQ-02
 */
export class RemoteCard implements VnetHw {
  readonly remote = true
  readonly queues: number
  readonly macAddress: Uint8Array
  readonly counters: HwCounters
  private readonly kernel: Kernel
  private readonly channel: CardChannel
  private readonly words: Int32Array
  private readonly lines: readonly number[]
  private regionsSent = 0
  private commands = 0
  private seen = 0
  private plugged = true

  constructor(kernel: Kernel, options: RemoteCardOptions) {
    const name = options.name ?? 'vnet-remote'
    if (!kernel.mem.shared) {
      throw new TypeError('a card in another thread needs createKernel({ sharedMemory: true })')
    }
    this.kernel = kernel
    this.channel = options.channel
    this.queues = options.queues ?? 1
    if (!(this.queues >= 1 && this.queues <= MAX_QUEUES))
      throw new RangeError(`a card of ${this.queues} queues`)
    this.macAddress = Uint8Array.from(options.macAddress ?? [2, 0, 0, 0, 0, 1])
    const control = newControl()
    this.words = new Int32Array(control)
    this.counters = countersOver(control)
    this.lines = Array.from({ length: this.queues }, (_, i) => kernel.irq.allocLine(`${name}-${i}`))
    for (let q = 0; q < this.queues; q++) this.words[MASKED + q] = 1
    this.send({ kind: 'start', control, queues: this.queues, macAddress: this.macAddress })
    // Without a way to sleep the card's thread sends a message instead.
    this.channel.receive(() => this.poll())
    if (canWaitAsync) void this.listen()
  }

  get linkUp(): boolean {
    return this.plugged && Atomics.load(this.words, LINK) === 1
  }

  irq(queue: number): number {
    return this.lines[queue]!
  }

  setRings(queue: number, tx: CardRing | null, rx: CardRing | null): void {
    this.shareRegions()
    this.command({ op: 'rings', queue, tx: this.place(tx), rx: this.place(rx) })
  }

  enableTx(on: boolean): void {
    this.command({ op: 'tx', on })
  }

  enableRx(on: boolean, maxFrame: number): void {
    this.command({ op: 'rx', on, maxFrame })
  }

  setRxFilter(filter: RxFilter): void {
    this.command({ op: 'filter', filter })
  }

  setCoalesce(coalesce: Coalesce): void {
    this.command({ op: 'coalesce', coalesce })
  }

  doorbell(_queue: number): void {
    if (!this.plugged) return
    if (this.regionsSent !== this.kernel.mem.regions.length) this.shareRegions()
    // The descriptors are published; whether the other side sleeps is asked after that, as it looks again before it does.
    if (Atomics.load(this.words, PARKED) !== 0) this.ring()
  }

  readCause(queue: number): number {
    if (!this.plugged) return ALL_ONES
    const cause = Atomics.exchange(this.words, CAUSE + queue, 0) & CAUSE_ALL
    this.drive(queue)
    return cause
  }

  mask(queue: number): void {
    Atomics.store(this.words, MASKED + queue, 1)
    this.drive(queue)
  }

  unmask(queue: number): void {
    if (!this.plugged) return
    Atomics.store(this.words, MASKED + queue, 0)
    this.drive(queue)
  }

  reset(): void {
    for (let q = 0; q < this.queues; q++) this.mask(q)
    this.command({ op: 'reset' })
    for (let q = 0; q < this.queues; q++) this.readCause(q)
  }

  /**
   * Delivers the interrupts that came, from the outermost code of this thread: for loops that do not go back to the
   * event loop.
   *
   * @returns true when there were any
   */
  poll(): boolean {
    const now = Atomics.load(this.words, IRQ)
    if (now === this.seen) return false
    this.seen = now
    this.kernel.hardware(this.driveAll)
    return true
  }

  /** Takes the card apart: what is on its way is lost, the lines are given back, and the other thread's part ends. */
  destroy(): void {
    if (!this.plugged) return
    this.reset()
    this.plugged = false
    for (const line of this.lines) this.kernel.irq.freeLine(line)
    Atomics.store(this.words, ALIVE, 0)
    this.ring()
    // Wakes `listen`, which ends.
    Atomics.add(this.words, IRQ, 1)
    Atomics.notify(this.words, IRQ)
  }

  private readonly driveAll = (): void => {
    for (let q = 0; q < this.queues; q++) this.drive(q)
  }

  /** The line is high while an unmasked cause is set. */
  private drive(queue: number): void {
    const cause = Atomics.load(this.words, CAUSE + queue)
    const masked = Atomics.load(this.words, MASKED + queue)
    this.kernel.irq.setLevel(this.lines[queue]!, cause !== 0 && masked === 0)
  }

  // eslint-disable-next-line no-restricted-syntax -- it waits for the other thread, outside of any kernel
  private async listen(): Promise<void> {
    while (this.plugged) {
      this.poll()
      await changed(this.words, IRQ, this.seen, LOOK_MS)
    }
  }

  private ring(): void {
    Atomics.add(this.words, BELL, 1)
    Atomics.notify(this.words, BELL)
  }

  private send(message: CardMessage): void {
    this.channel.send(message)
  }

  private command(command: CardCommand): void {
    if (!this.plugged) return
    const n = ++this.commands
    this.send({ kind: 'command', n, command })
    Atomics.store(this.words, COMMAND, n)
    this.ring()
    // A thread that does not answer is a card that was pulled out.
    if (!waitFor(this.words, DONE, n, COMMAND_MS)) this.plugged = false
  }

  private shareRegions(): void {
    const { regions } = this.kernel.mem
    for (; this.regionsSent < regions.length; this.regionsSent++) {
      const { id, buffer } = regions[this.regionsSent]!
      // Memory of others is not sent: no descriptor may speak of it.
      this.send({
        kind: 'region',
        id,
        buffer: buffer instanceof SharedArrayBuffer ? buffer : new SharedArrayBuffer(0),
      })
    }
    Atomics.store(this.words, REGIONS, regions.length)
  }

  private place(ring: CardRing | null): RingAt | null {
    if (ring === null) return null
    const { memory, descOffset, indexOffset, size, descWords } = ring.layout
    const region = this.kernel.mem.regions.find((r) => r.buffer === memory)!.id
    return { region, descOffset, indexOffset, size, descWords }
  }
}

/** The counters as the other thread writes them. */
function countersOver(control: SharedArrayBuffer): HwCounters {
  const values = new Float64Array(control)
  const counters = {} as HwCounters
  COUNTER_NAMES.forEach((name, i) => {
    Object.defineProperty(counters, name, { enumerable: true, get: () => values[COUNTERS + i] })
  })
  return counters
}

/**
 * Makes the driver's part of a card that runs in another thread.
 *
 * @throws TypeError when the kernel's memory is not shared
 * @kernel none
 */
export function createRemoteCard(kernel: Kernel, options: RemoteCardOptions): RemoteCard {
  return new RemoteCard(kernel, options)
}
