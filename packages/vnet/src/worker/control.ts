/**
 * What the two threads of a card share beside rings and frames: a block of words, and messages for what words cannot say.
 */
import type { Coalesce, RxFilter } from '../hw.ts'

/**
 * A way to send messages to the other thread, in order. The caller of {@link createRemoteCard} and {@link hostCard} makes
 * it of a `Worker` and its `parentPort`, or of a browser's `Worker` and `self`; so this package needs to know neither.
 */
export interface CardChannel {
  send(message: unknown): void
  receive(fn: (message: unknown) => void): void
  /**
   * Calls back when the other thread has ended, e.g. `(fn) => worker.on('exit', fn)`. Only the driver's side asks.
   * Without it a thread that ended is missed when it leaves a command unanswered.
   */
  closed?(fn: () => void): void
}

/** Words of the control block. Each group is written by one side, and on 128-byte lines of its own. */
export const BELL = 0
/** The card's thread sleeps until the bell word changes. */
export const PARKED = 1
/** Number of the last command sent. */
export const COMMAND = 2
/** Regions the driver's thread has told of. */
export const REGIONS = 3
/** Number of the last command carried out. */
export const DONE = 32
/** Grows with each interrupt: what the driver's thread sleeps on. */
export const IRQ = 33
export const LINK = 34
/** 0 until the card's thread runs; the driver's thread says when it is to end. */
export const ALIVE = 35
export const RUNNING = 1
export const STOPPED = 2
/** Causes of each queue, then whether each is masked. */
export const CAUSE = 64
export const MASKED = 64 + 64
/** The counters, as doubles: index into a Float64Array over the block. */
export const COUNTERS = 112
const BYTES = 1024 + 64

/** Most queues one thread of a remote card runs. */
export const MAX_QUEUES = 64

/** In the order of their doubles. */
export const COUNTER_NAMES = [
  'rxMissed',
  'rxRunt',
  'rxOversize',
  'rxFiltered',
  'rxOff',
  'rxMulticast',
  'interrupts',
  'doorbells',
] as const

/** What the card's thread is told; `n` is its number. The driver's thread waits until it is done. */
export type CardCommand =
  | { readonly op: 'reset' }
  | { readonly op: 'rings'; readonly queue: number; readonly tx: RingAt | null; readonly rx: RingAt | null }
  | { readonly op: 'tx'; readonly on: boolean }
  | { readonly op: 'rx'; readonly on: boolean; readonly maxFrame: number }
  | { readonly op: 'filter'; readonly filter: RxFilter }
  | { readonly op: 'coalesce'; readonly coalesce: Coalesce }

/** A ring by its place in a region. */
export interface RingAt {
  readonly region: number
  readonly descOffset: number
  readonly indexOffset: number
  readonly size: number
  readonly descWords: number
}

/** What travels over the channel from the driver's thread. */
export type CardMessage =
  | {
      readonly kind: 'start'
      readonly control: SharedArrayBuffer
      /** The card's numbers of the queues this thread runs; between the threads each counts from 0. */
      readonly queues: readonly number[]
      readonly macAddress: Uint8Array
    }
  | { readonly kind: 'region'; readonly id: number; readonly buffer: SharedArrayBuffer }
  | { readonly kind: 'command'; readonly n: number; readonly command: CardCommand }

/** Makes a control block. */
export function newControl(): SharedArrayBuffer {
  return new SharedArrayBuffer(BYTES)
}
