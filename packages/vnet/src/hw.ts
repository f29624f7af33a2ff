/**
 * The card as its driver sees it: registers, two rings a queue, an interrupt vector a queue.
 *
 * The driver holds nothing else of the card, so the card may live in this thread, in a worker, or be made of
 * silicon.
 */
import type { DescRing, SharedDescRing } from '@vnet/core-ring'

/** Which frames the card keeps. Addresses are six bytes each. */
export interface RxFilter {
  promiscuous: boolean
  allMulticast: boolean
  unicast: readonly Uint8Array[]
  multicast: readonly Uint8Array[]
}

/** Interrupt moderation: an interrupt is due at `frames` frames or after `usecs`, whichever comes first. */
export interface Coalesce {
  rxUsecs: number
  rxFrames: number
  txUsecs: number
  txFrames: number
}

/** Counters the card keeps itself. They never go back while the card has power. */
export interface HwCounters {
  /** Frames lost because no receive descriptor was free. */
  rxMissed: number
  /** Frames shorter than an Ethernet header. */
  rxRunt: number
  /** Frames longer than the card was told to accept. */
  rxOversize: number
  /** Frames for others, dropped by the receive filter. */
  rxFiltered: number
  /** Frames that arrived while the receiver was off. */
  rxOff: number
  /** Multicast frames received, broadcast not included. */
  rxMulticast: number
  /** Interrupts raised. */
  interrupts: number
  /** Writes to the transmit doorbell. */
  doorbells: number
}

/** A ring as driver and card see it: of one thread, or one end of a ring between two. */
export type CardRing = DescRing | SharedDescRing

/** The registers of the card. */
export interface VnetHw {
  /** Queue pairs, each with its own interrupt vector. */
  readonly queues: number
  /** The card runs in another thread: its rings must be the producer's ends of `SharedDescRing`, that of transmit deferred. */
  readonly remote?: boolean
  /** The address burnt into the card: six bytes. */
  readonly macAddress: Uint8Array
  readonly counters: HwCounters
  /** True while a cable is plugged in and its far end is there. */
  readonly linkUp: boolean
  /** The interrupt line of a vector. */
  irq(queue: number): number
  /** Gives the card the rings of a queue; `null` takes them back, after which the card touches no memory. */
  setRings(queue: number, tx: CardRing | null, rx: CardRing | null): void
  enableTx(on: boolean): void
  /** Turns the receiver on or off; longer frames than `maxFrame` bytes (without FCS) are dropped. */
  enableRx(on: boolean, maxFrame: number): void
  setRxFilter(filter: RxFilter): void
  setCoalesce(coalesce: Coalesce): void
  /** Tells the card that transmit descriptors were posted; to one in another thread, publishes them. */
  doorbell(queue: number): void
  /** Reads and clears the interrupt cause of a vector; reading acknowledges it. */
  readCause(queue: number): number
  /** Keeps a vector from raising its line. Causes still gather. */
  mask(queue: number): void
  /** Lets a vector raise its line again; it rises at once if a cause gathered meanwhile. */
  unmask(queue: number): void
  /** Puts the card into the state it had at power-on. The address, counters and cable stay. */
  reset(): void
}
