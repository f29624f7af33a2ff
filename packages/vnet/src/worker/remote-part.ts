import type { Kernel } from '@vnet/kernel'
import { CAUSE_ALL, CAUSE_LINK } from '../regs.ts'
import {
  ALIVE,
  BELL,
  CAUSE,
  COMMAND,
  type CardChannel,
  type CardCommand,
  type CardMessage,
  DONE,
  IRQ,
  LINK,
  MASKED,
  PARKED,
  REGIONS,
  STOPPED,
  newControl,
} from './control.ts'
import { waitFor } from './wait.ts'

/**
 * The driver's end of one thread of a remote card: the queues that thread runs, by their numbers there.
 *
 * Each thread has a block of words of its own, so that no two of them write to one cache line.
 */
export class RemotePart {
  /** The card's numbers of this thread's queues. */
  readonly queues: readonly number[]
  readonly control: SharedArrayBuffer
  readonly words: Int32Array
  /** Grows with each interrupt; what was delivered last. */
  seen = 0
  private readonly channel: CardChannel
  private regionsSent = 0
  private commands = 0
  private lost = false

  constructor(channel: CardChannel, queues: readonly number[], macAddress: Uint8Array) {
    this.channel = channel
    this.queues = queues
    this.control = newControl()
    this.words = new Int32Array(this.control)
    for (let q = 0; q < queues.length; q++) this.words[MASKED + q] = 1
    this.send({ kind: 'start', control: this.control, queues, macAddress })
  }

  /** The thread ended, or does not answer. */
  get gone(): boolean {
    return this.lost
  }

  get linkUp(): boolean {
    return !this.lost && Atomics.load(this.words, LINK) === 1
  }

  /** An unmasked cause is set. */
  raised(q: number): boolean {
    return Atomics.load(this.words, CAUSE + q) !== 0 && Atomics.load(this.words, MASKED + q) === 0
  }

  takeCause(q: number): number {
    return Atomics.exchange(this.words, CAUSE + q, 0) & CAUSE_ALL
  }

  setMask(q: number, on: boolean): void {
    Atomics.store(this.words, MASKED + q, on ? 1 : 0)
  }

  /** Descriptors were published: wakes the thread if it sleeps, which looks again before it does. */
  doorbell(kernel: Kernel): void {
    if (this.regionsSent !== kernel.mem.regions.length) this.shareRegions(kernel)
    if (Atomics.load(this.words, PARKED) !== 0) this.wake()
  }

  /** Sends a command; {@link answered} waits for it. */
  command(command: CardCommand): void {
    if (this.lost) return
    const n = ++this.commands
    this.send({ kind: 'command', n, command })
    Atomics.store(this.words, COMMAND, n)
    this.wake()
  }

  /** Waits until the last command is carried out. @returns false: the thread is gone, or counts as gone from now on */
  answered(limitMs: number): boolean {
    return !this.lost && waitFor(this.words, DONE, this.commands, limitMs)
  }

  /** The thread ended: the link is down, and the driver is told so by an interrupt of the first queue. */
  lose(): void {
    if (this.lost) return
    this.lost = true
    this.stop()
    Atomics.or(this.words, CAUSE, CAUSE_LINK)
    this.interrupt()
  }

  /** Tells the thread to end; if it was never there, it finds this when it comes. */
  stop(): void {
    Atomics.store(this.words, ALIVE, STOPPED)
    this.wake()
  }

  /** Wakes whoever waits for an interrupt in this thread. */
  interrupt(): void {
    Atomics.add(this.words, IRQ, 1)
    Atomics.notify(this.words, IRQ)
  }

  shareRegions(kernel: Kernel): void {
    const { regions } = kernel.mem
    for (; this.regionsSent < regions.length; this.regionsSent++) {
      const { id, buffer } = regions[this.regionsSent]!
      // Memory of others is not sent: no descriptor may speak of it.
      const shared = buffer instanceof SharedArrayBuffer ? buffer : new SharedArrayBuffer(0)
      this.send({ kind: 'region', id, buffer: shared })
    }
    Atomics.store(this.words, REGIONS, regions.length)
  }

  private wake(): void {
    Atomics.add(this.words, BELL, 1)
    Atomics.notify(this.words, BELL)
  }

  private send(message: CardMessage): void {
    this.channel.send(message)
  }
}
