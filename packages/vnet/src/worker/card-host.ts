/* eslint-disable no-restricted-syntax -- a kernel has no promises; the loop of a thread that hosts a card is outside of any */
import type { Backend } from '@vnet/backend'
import { SharedDescRing } from '@vnet/core-ring'
import { IRQ_HANDLED, IRQ_NONE, MemoryRegion, createKernel, requestIrq, type Kernel } from '@vnet/kernel'
import { createCard, type VnetCard } from '../card.ts'
import { CAUSE_LINK } from '../regs.ts'
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
  PARKED,
  REGIONS,
  RUNNING,
  type RingAt,
} from './control.ts'
import { canWaitAsync, changed } from './wait.ts'

/** What {@link hostCard} needs from its thread. */
export interface CardHostOptions {
  /** To the thread with the driver. */
  channel: CardChannel
  /**
   * Makes the cable of this thread, in its kernel. Each thread of a card has a cable of its own, as each queue of an
   * interface has a socket: what is sent on a queue leaves by its thread's, what comes in is spread over its queues.
   *
   * @param queues - the card's numbers of the queues this thread runs
   */
  backend: (kernel: Kernel, queues: readonly number[]) => Backend
  /** Resolves after this thread's event loop had a turn, e.g. `() => new Promise(setImmediate)`. */
  turn: () => Promise<unknown>
  /** Nanoseconds of a clock that never goes back; without one each round of the loop counts as a microsecond. */
  now?: () => number
}

/** Empty rounds before the thread goes to sleep; it grows when sleep proves short, and shrinks when it is long. */
const SPIN_LEAST = 2_000
const SPIN_MOST = 50_000
/** A sleep that ends before that many ms was not worth it. */
const SHORT_MS = 1
/** Busy rounds before the event loop gets a turn, for messages and for cables that live by it. */
const BUSY_ROUNDS = 256
const SLEEP_MS = 1_000

/** The side of the card that runs: a card like any other, in a kernel of its own, over rings shared with the driver. */
class CardHost {
  readonly #options: CardHostOptions
  readonly #kernel: Kernel
  readonly #card: VnetCard
  /** The driver's memory. */
  readonly #regions: MemoryRegion[] = []
  readonly #words: Int32Array
  readonly #counters: Float64Array
  readonly #tx: (SharedDescRing | null)[] = []
  readonly #rx: (SharedDescRing | null)[] = []
  readonly #start: number
  #spin = SPIN_LEAST
  #raised = false
  #commands: { n: number; command: CardCommand }[] = []

  constructor(options: CardHostOptions, message: CardMessage & { kind: 'start' }) {
    const { macAddress, control } = message
    const queues = message.queues.length
    this.#options = options
    this.#words = new Int32Array(control)
    this.#counters = new Float64Array(control)
    this.#kernel = createKernel({ strict: false, checks: false })
    const regions = this.#regions
    this.#card = createCard(this.#kernel, { name: 'hosted', macAddress, queues, txLatencyNs: 0, regions })
    this.#start = options.now?.() ?? 0
    for (let q = 0; q < queues; q++) {
      this.#tx.push(null)
      this.#rx.push(null)
      requestIrq(this.#kernel, this.#card.irq(q), () => this.#interrupt(q), {}, `hosted-${q}`, { q })
      this.#card.unmask(q)
    }
    this.#card.plugCable(options.backend(this.#kernel, message.queues))
  }

  receive(message: CardMessage): void {
    if (message.kind === 'region') this.#regions.push(new MemoryRegion(message.id, message.buffer))
    else if (message.kind === 'command') this.#commands.push(message)
  }

  async run(): Promise<void> {
    const words = this.#words
    // Unless it was told to end before it began.
    Atomics.compareExchange(words, ALIVE, 0, RUNNING)
    let empty = 0
    let busy = 0
    while (Atomics.load(words, ALIVE) === RUNNING) {
      const bell = Atomics.load(words, BELL)
      if (Atomics.load(words, REGIONS) > this.#regions.length) {
        // Descriptors may speak of memory whose message is on the way.
        await this.#options.turn()
      } else if (this.#round()) {
        empty = 0
        if (++busy % BUSY_ROUNDS === 0) await this.#options.turn()
      } else if (Atomics.load(words, COMMAND) !== Atomics.load(words, DONE)) {
        // Its message is on the way.
        await this.#options.turn()
      } else if (++empty > this.#spin) {
        await this.#park(bell)
        empty = 0
      }
    }
    this.#card.destroy()
    this.#kernel.shutdown()
  }

  /** Commands, then whatever the rings and the clock have. True when there was something. */
  #round(): boolean {
    let worked = this.#obey()
    for (let q = 0; q < this.#tx.length; q++) {
      const tx = this.#tx[q]!
      if (tx === null || tx.pending() === 0) continue
      this.#card.doorbell(q)
      worked = true
    }
    const kernel = this.#kernel
    const { now } = this.#options
    kernel.runFor(
      now === undefined ? 1_000 : Math.max(0, Math.floor(now() - this.#start) - kernel.clock.lastSeen),
    )
    if (this.#raised) this.#notify()
    return worked || this.#soon()
  }

  /** Something of the card or the cable is due before a sleep would be worth it. */
  #soon(): boolean {
    const due = this.#kernel.events.next()
    return due !== null && due - this.#kernel.clock.lastSeen < SHORT_MS * 1e6
  }

  #obey(): boolean {
    const all = this.#commands
    if (all.length === 0) return false
    this.#commands = []
    for (const { n, command } of all) {
      this.#carryOut(command)
      this.#publish()
      Atomics.store(this.#words, DONE, n)
      Atomics.notify(this.#words, DONE)
    }
    return true
  }

  #carryOut(command: CardCommand): void {
    const card = this.#card
    switch (command.op) {
      case 'reset':
        card.reset()
        for (let q = 0; q < this.#tx.length; q++) card.unmask(q)
        return
      case 'rings':
        this.#tx[command.queue] = this.#ring(command.tx)
        this.#rx[command.queue] = this.#ring(command.rx)
        return card.setRings(command.queue, this.#tx[command.queue]!, this.#rx[command.queue]!)
      case 'tx':
        return card.enableTx(command.on)
      case 'rx':
        return card.enableRx(command.on, command.maxFrame)
      case 'filter':
        return card.setRxFilter(command.filter)
      case 'coalesce':
        return card.setCoalesce(command.coalesce)
    }
  }

  #ring(at: RingAt | null): SharedDescRing | null {
    if (at === null) return null
    const { region, ...rest } = at
    return new SharedDescRing({ ...rest, memory: this.#regions[region]!.buffer }, 'device')
  }

  /** The card interrupts: its cause goes over to the other side. */
  #interrupt(q: number): 0 | 1 {
    const cause = this.#card.readCause(q)
    if (cause === 0) return IRQ_NONE
    if ((cause & CAUSE_LINK) !== 0) Atomics.store(this.#words, LINK, this.#card.linkUp ? 1 : 0)
    // A cause not yet read was told of, or will be found by whoever unmasks.
    const before = Atomics.or(this.#words, CAUSE + q, cause)
    if (before === 0 && Atomics.load(this.#words, MASKED + q) === 0) this.#raised = true
    return IRQ_HANDLED
  }

  #notify(): void {
    this.#raised = false
    this.#publish()
    Atomics.add(this.#words, IRQ, 1)
    Atomics.notify(this.#words, IRQ)
    if (!canWaitAsync) this.#options.channel.send(null)
  }

  #publish(): void {
    Atomics.store(this.#words, LINK, this.#card.linkUp ? 1 : 0)
    const { counters } = this.#card
    for (let i = 0; i < COUNTER_NAMES.length; i++) this.#counters[COUNTERS + i] = counters[COUNTER_NAMES[i]!]
  }

  async #park(bell: number): Promise<void> {
    const words = this.#words
    this.#publish()
    const { now } = this.#options
    const from = now?.() ?? 0
    Atomics.store(words, PARKED, 1)
    // Looked at again after saying so: what was posted before is found here, what is posted after rings the bell.
    if (!this.#anything()) {
      const due = this.#kernel.events.next()
      const wait =
        due === null ? SLEEP_MS : Math.min(SLEEP_MS, Math.max(1, (due - this.#kernel.clock.lastSeen) / 1e6))
      if (canWaitAsync) await changed(words, BELL, bell, wait)
      else await this.#options.turn()
    }
    Atomics.store(words, PARKED, 0)
    const short = now !== undefined && now() - from < SHORT_MS * 1e6
    this.#spin = short ? Math.min(this.#spin * 2, SPIN_MOST) : Math.max(this.#spin >> 1, SPIN_LEAST)
  }

  #anything(): boolean {
    if (this.#commands.length > 0) return true
    return this.#tx.some((tx) => tx !== null && tx.pending() > 0)
  }
}

/**
 * Runs a card, or some of its queues, for a driver in another thread; resolves when the driver's side destroyed it.
 *
 * The thread may do other things beside: the loop sleeps when there is nothing to do, spins when there soon will be, and
 * gives the event loop its turns.
 *
 * @kernel none
 */
export async function hostCard(options: CardHostOptions): Promise<void> {
  const waiting: CardMessage[] = []
  let host: CardHost | null = null
  const started = new Promise<void>((resolve) => {
    options.channel.receive((data) => {
      const message = data as CardMessage
      if (message.kind === 'start') {
        host = new CardHost(options, message)
        resolve()
      } else if (host !== null) host.receive(message)
      else waiting.push(message)
    })
  })
  await started
  for (const message of waiting) host!.receive(message)
  await host!.run()
}
