import { Errno } from '@vnet/kernel'
import type { Ktime } from '@vnet/kernel'
import type { FrameStoreSize } from './frame-store.ts'
import { parseDuration, parseProbability, parseRate, parseWhole } from './parse-value.ts'
import { Pace } from './rate.ts'
import type { Rate } from './rate.ts'

/**
 * Which way a middleware acts: `tx` from the card to the cable, `rx` to the card.
 *
 * @kernel none
 */
export type Direction = 'tx' | 'rx' | 'both'

/**
 * What a fault injector does to frames. Probabilities are from 0 to 1 and each frame is judged by itself.
 *
 * @kernel none
 */
export interface FaultOptions {
  /** Lose it. */
  readonly drop?: number
  /** Flip one bit of it. */
  readonly corrupt?: number
  /** Send it twice. */
  readonly duplicate?: number
  /** Keep it back until the next frame has passed, or for `reorderNs`. */
  readonly reorder?: number
  /** Longest a frame is kept back for `reorder`, if no other follows. Default 1 ms. */
  readonly reorderNs?: Ktime
  /** Make it late by so much. */
  readonly delayNs?: Ktime
  /** Vary the delay by up to so much more or less; frames overtake each other. */
  readonly jitterNs?: Ktime
  /** Let one frame begin only when the one before it, at this rate, has ended. */
  readonly rate?: Rate
  /** An unsigned 32-bit number. Default: drawn from `kernel.rng`. */
  readonly seed?: number
  /** Default `both`. */
  readonly direction?: Direction
  /** Room for frames kept, for each direction; what does not fit is dropped. */
  readonly store?: FrameStoreSize
}

const PROBABILITIES = ['drop', 'corrupt', 'duplicate', 'reorder'] as const
const DURATIONS = ['delayNs', 'jitterNs', 'reorderNs'] as const
const DIRECTIONS: readonly string[] = ['tx', 'rx', 'both']

/**
 * Refuses fault options that make no sense.
 *
 * @throws Errno EINVAL, naming the option
 * @kernel none
 */
export function checkFaults(options: FaultOptions): void {
  for (const key of PROBABILITIES) {
    const p = options[key]
    if (p !== undefined && !(p >= 0 && p <= 1)) refuse(key, `${key} is ${p}, must be from 0 to 1`)
  }
  for (const key of DURATIONS) {
    const ns = options[key]
    if (ns !== undefined && !(ns >= 0 && Number.isFinite(ns)))
      refuse(key, `${key} is ${ns}, must be 0 or more`)
  }
  const { seed, direction, rate } = options
  if (seed !== undefined && (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff)) {
    refuse('seed', `seed is ${seed}, must be from 0 to 4294967295`)
  }
  if (direction !== undefined && !DIRECTIONS.includes(direction)) {
    refuse('direction', `direction is ${String(direction)}, must be tx, rx or both`)
  }
  if (rate !== undefined) new Pace(rate)
}

/**
 * Reads fault options as a person types them: `drop=10%,corrupt=0.1%,delay=5ms,seed=7`.
 *
 * Keys: drop, corrupt, duplicate, reorder (`10%` or `0.1`), delay, jitter (`5ms`, `20us`, `1s`, `100ns`), rate
 * (`10mbit`, `64kbit`, `100fps`), seed, direction (`tx`, `rx`, `both`). An empty text means no faults.
 *
 * @throws Errno EINVAL with a sentence, `badAttr` is the key
 * @kernel none
 */
export function parseFaults(text: string): FaultOptions {
  const found: Writable<FaultOptions> = {}
  const seen = new Set<string>()
  for (const part of text.split(',')) {
    if (part.trim() === '' && text.trim() === '') continue
    const equals = part.indexOf('=')
    const key = (equals < 0 ? part : part.slice(0, equals)).trim()
    const read = KEYS.get(key)
    if (read === undefined) refuse(key, `unknown fault "${key}"; known are ${[...KEYS.keys()].join(', ')}`)
    if (equals < 0) refuse(key, `${key} needs a value, like ${key}=${EXAMPLE.get(key)}`)
    if (seen.has(key)) refuse(key, `${key} is given twice`)
    seen.add(key)
    const value = part.slice(equals + 1).trim()
    if (!read(found, value))
      refuse(key, `${key}=${value} is not understood, write ${key}=${EXAMPLE.get(key)}`)
  }
  checkFaults(found)
  return found
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Reader = (into: Writable<FaultOptions>, value: string) => boolean

/** A reader for one key: parses, stores, says whether it understood. */
function reader<K extends keyof FaultOptions>(
  key: K,
  parse: (text: string) => Exclude<FaultOptions[K], undefined> | null,
): Reader {
  return (into, value) => {
    const parsed = parse(value)
    if (parsed === null) return false
    into[key] = parsed
    return true
  }
}

const KEYS: ReadonlyMap<string, Reader> = new Map([
  ['drop', reader('drop', parseProbability)],
  ['corrupt', reader('corrupt', parseProbability)],
  ['duplicate', reader('duplicate', parseProbability)],
  ['reorder', reader('reorder', parseProbability)],
  ['delay', reader('delayNs', parseDuration)],
  ['jitter', reader('jitterNs', parseDuration)],
  ['rate', reader('rate', parseRate)],
  ['seed', reader('seed', parseWhole)],
  ['direction', reader('direction', parseDirection)],
])

const EXAMPLE: ReadonlyMap<string, string> = new Map([
  ['drop', '10%'],
  ['corrupt', '0.1%'],
  ['duplicate', '1%'],
  ['reorder', '5%'],
  ['delay', '5ms'],
  ['jitter', '500us'],
  ['rate', '10mbit (or 100fps)'],
  ['seed', '7'],
  ['direction', 'rx (or tx, both)'],
])

function parseDirection(text: string): Direction | null {
  return DIRECTIONS.includes(text) ? (text as Direction) : null
}

function refuse(attribute: string, sentence: string): never {
  throw new Errno('EINVAL', `faults: ${sentence}`, attribute)
}
