import { DescRing, type SharedDescRing } from '@vnet/core-ring'
import { prErr, type Kernel } from '@vnet/kernel'
import type { CardRing, Coalesce, HwCounters, RxFilter, VnetHw } from '../hw.ts'
import { ALL_ONES } from '../regs.ts'
import {
  COUNTERS,
  COUNTER_NAMES,
  type CardChannel,
  type CardCommand,
  IRQ,
  MAX_QUEUES,
  type RingAt,
} from './control.ts'
import { RemotePart } from './remote-part.ts'
import { canWaitAsync, changed } from './wait.ts'

/** How often the driver's thread looks although nobody called, in ms: against a wake-up lost in a host's corner. */
const LOOK_MS = 1_000

/** What {@link createRemoteCard} needs to know. */
export interface RemoteCardOptions {
  /** One to each thread that calls `hostCard`. With n threads, queue q is run by thread q modulo n. */
  channels: readonly CardChannel[]
  /** Names the card's interrupts. @defaultValue 'vnet-remote' */
  name?: string
  /** Six bytes. @defaultValue 02:00:00:00:00:01 */
  macAddress?: Uint8Array
  /** Queue pairs: at least one and at most 64 a thread. @defaultValue one a thread */
  queues?: number
  /** Milliseconds a thread may take over a command before it counts as gone. @defaultValue 5,000 */
  commandMs?: number
}

/**
 * The registers of a card whose queues run in other threads: all in one, or spread over several.
 *
 * Rings, frames and doorbells are shared memory; a register that changes what the card does is a command, and the
 * writer waits until every thread has carried it out, as a driver relies on (STOP-04). Interrupts reach the kernel from
 * the event loop, or earlier from `poll`. The kernel must have been made with `sharedMemory`.
 *
 * The link is up while it is up in every thread. A thread that ends, or does not answer a command in time, is a cable
 * pulled out: the carrier goes off and stays off, its queues move nothing any more, nobody waits for it again.
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
  private readonly name: string
  private readonly commandMs: number
  private readonly parts: readonly RemotePart[]
  /** Of each queue: who runs it, and its number there. */
  private readonly partOf: readonly RemotePart[]
  private readonly localOf: readonly number[]
  private readonly lines: readonly number[]
  /** The transmit ring of each queue, which its doorbell publishes. */
  private readonly tx: (SharedDescRing | null)[]
  private plugged = true

  constructor(kernel: Kernel, options: RemoteCardOptions) {
    const { channels } = options
    if (!kernel.mem.shared) {
      throw new TypeError('a card in another thread needs createKernel({ sharedMemory: true })')
    }
    this.kernel = kernel
    this.name = options.name ?? 'vnet-remote'
    this.commandMs = options.commandMs ?? 5_000
    this.queues = options.queues ?? channels.length
    if (!(
      channels.length >= 1 &&
      this.queues >= channels.length &&
      this.queues <= channels.length * MAX_QUEUES
    ))
      throw new RangeError(`a card of ${this.queues} queues on ${channels.length} threads`)
    this.macAddress = Uint8Array.from(options.macAddress ?? [2, 0, 0, 0, 0, 1])
    const all = Array.from({ length: this.queues }, (_, q) => q)
    this.parts = channels.map((channel, i) => {
      const queues = all.filter((q) => q % channels.length === i)
      return new RemotePart(channel, queues, this.macAddress)
    })
    this.partOf = all.map((q) => this.parts[q % channels.length]!)
    this.localOf = all.map((q) => Math.floor(q / channels.length))
    this.tx = all.map(() => null)
    this.counters = countersOver(this.parts)
    this.lines = all.map((q) => kernel.irq.allocLine(`${this.name}-${q}`))
    this.parts.forEach((part, i) => this.attend(part, channels[i]!))
  }

  get linkUp(): boolean {
    return this.plugged && this.parts.every((part) => part.linkUp)
  }

  irq(queue: number): number {
    return this.lines[queue]!
  }

  setRings(queue: number, tx: CardRing | null, rx: CardRing | null): void {
    const part = this.partOf[queue]!
    if (tx instanceof DescRing) throw new TypeError('RING-06: a card in another thread needs shared rings')
    this.tx[queue] = tx
    part.shareRegions(this.kernel)
    this.command([part], {
      op: 'rings',
      queue: this.localOf[queue]!,
      tx: this.place(tx),
      rx: this.place(rx),
    })
  }

  enableTx(on: boolean): void {
    this.command(this.parts, { op: 'tx', on })
  }

  enableRx(on: boolean, maxFrame: number): void {
    this.command(this.parts, { op: 'rx', on, maxFrame })
  }

  setRxFilter(filter: RxFilter): void {
    this.command(this.parts, { op: 'filter', filter })
  }

  setCoalesce(coalesce: Coalesce): void {
    this.command(this.parts, { op: 'coalesce', coalesce })
  }

  doorbell(queue: number): void {
    const tx = this.tx[queue]!
    if (!this.plugged || tx === null) return
    tx.publish()
    this.partOf[queue]!.doorbell(this.kernel)
  }

  readCause(queue: number): number {
    if (!this.plugged) return ALL_ONES
    const cause = this.partOf[queue]!.takeCause(this.localOf[queue]!)
    this.drive(queue)
    return cause
  }

  mask(queue: number): void {
    this.partOf[queue]!.setMask(this.localOf[queue]!, true)
    this.drive(queue)
  }

  unmask(queue: number): void {
    if (!this.plugged) return
    this.partOf[queue]!.setMask(this.localOf[queue]!, false)
    this.drive(queue)
  }

  reset(): void {
    for (let q = 0; q < this.queues; q++) this.mask(q)
    this.command(this.parts, { op: 'reset' })
    for (let q = 0; q < this.queues; q++) this.readCause(q)
  }

  /**
   * Delivers the interrupts that came, from the outermost code of this thread: for loops that do not go back to the
   * event loop.
   *
   * @returns true when there were any
   */
  poll(): boolean {
    let came = false
    for (let i = 0; i < this.parts.length; i++) {
      const part = this.parts[i]!
      const now = Atomics.load(part.words, IRQ)
      if (now === part.seen) continue
      part.seen = now
      came = true
    }
    if (came) this.kernel.hardware(this.driveAll)
    return came
  }

  /** Takes the card apart: what is on its way is lost, the lines are given back, and the other threads' part ends. */
  destroy(): void {
    if (!this.plugged) return
    this.reset()
    this.plugged = false
    for (const line of this.lines) this.kernel.irq.freeLine(line)
    for (const part of this.parts) {
      part.stop()
      // Wakes `listen`, which ends.
      part.interrupt()
    }
  }

  private readonly driveAll = (): void => {
    if (!this.plugged) return
    for (let q = 0; q < this.queues; q++) this.drive(q)
  }

  /** The line is high while an unmasked cause is set. */
  private drive(queue: number): void {
    this.kernel.irq.setLevel(this.lines[queue]!, this.partOf[queue]!.raised(this.localOf[queue]!))
  }

  /** Learns from the event loop what a thread has to say. */
  private attend(part: RemotePart, channel: CardChannel): void {
    // Without a way to sleep the card's thread sends a message instead.
    channel.receive(() => this.poll())
    channel.closed?.(() => {
      this.lose(part)
      this.poll()
    })
    if (canWaitAsync) void this.listen(part)
  }

  // eslint-disable-next-line no-restricted-syntax -- it waits for the other thread, outside of any kernel
  private async listen(part: RemotePart): Promise<void> {
    while (this.plugged && !part.gone) {
      this.poll()
      await changed(part.words, IRQ, part.seen, LOOK_MS)
    }
    this.poll()
  }

  /** The threads work on it at the same time; the slowest is waited for. */
  private command(parts: readonly RemotePart[], command: CardCommand): void {
    if (!this.plugged) return
    for (const part of parts) part.command(command)
    for (const part of parts) if (!part.answered(this.commandMs)) this.lose(part)
  }

  private lose(part: RemotePart): void {
    if (part.gone || !this.plugged) return
    part.lose()
    prErr(this.kernel, `${this.name}: the thread of queues ${part.queues.join(', ')} is gone`)
  }

  private place(ring: CardRing | null): RingAt | null {
    if (ring === null) return null
    const { memory, descOffset, indexOffset, size, descWords } = ring.layout
    const region = this.kernel.mem.regions.find((r) => r.buffer === memory)!.id
    return { region, descOffset, indexOffset, size, descWords }
  }
}

/** The counters as the other threads write them, added up. */
function countersOver(parts: readonly RemotePart[]): HwCounters {
  const values = parts.map((part) => new Float64Array(part.control))
  const counters = {} as HwCounters
  COUNTER_NAMES.forEach((name, i) => {
    const get = (): number => values.reduce((sum, of) => sum + of[COUNTERS + i]!, 0)
    Object.defineProperty(counters, name, { enumerable: true, get })
  })
  return counters
}

/**
 * Makes the driver's part of a card that runs in other threads.
 *
 * @throws TypeError when the kernel's memory is not shared
 * @throws RangeError when a thread would have no queue, or too many
 * @kernel none
 */
export function createRemoteCard(kernel: Kernel, options: RemoteCardOptions): RemoteCard {
  return new RemoteCard(kernel, options)
}
