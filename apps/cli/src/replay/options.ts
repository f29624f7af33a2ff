import { parseFaults, type FaultOptions } from '@vnet/backend'
import { Errno } from '@vnet/kernel'
import { checkRingSize } from '@vnet/vnet'
import { usage } from '../errors.ts'

/** What `vnet replay` was asked for. */
export interface ReplayOptions {
  readonly file: string
  /** `original` keeps the distances of the capture, in simulated time. */
  readonly speed: 'fast' | 'original'
  /** Times the file is replayed. */
  readonly loop: number
  readonly rxRing: number
  /** Offer everything in one go, so that a small ring misses frames. */
  readonly pauses: boolean
  readonly faults: FaultOptions | null
  readonly seed: number
  /** Print each received frame. */
  readonly frames: boolean
  readonly json: boolean
  /** Write what the card received to this capture file. */
  readonly write: string | null
}

/** The words of the command line, as citty hands them over. */
export interface ReplayWords {
  readonly file: string
  readonly speed: string
  readonly loop: string
  readonly 'rx-ring': string
  readonly pauses: boolean
  readonly faults: string
  readonly seed: string
  readonly frames: boolean
  readonly json: boolean
  readonly write: string
  /** Everything that is no option: the file, then faults as `drop=10%`. */
  readonly _: readonly string[]
}

/** Reads the command line. @throws CommandError with exit code 2 */
export function replayOptions(words: ReplayWords): ReplayOptions {
  if (words.speed !== 'fast' && words.speed !== 'original') {
    throw usage(`vnet replay: --speed is fast or original, not ${words.speed}`)
  }
  const rxRing = whole('--rx-ring', words['rx-ring'])
  const refusal = checkRingSize(rxRing)
  if (refusal !== undefined) throw usage(`vnet replay: --rx-ring: ${refusal}`)
  const loop = whole('--loop', words.loop)
  if (loop < 1) throw usage(`vnet replay: --loop is 1 or more, not ${loop}`)
  const seed = whole('--seed', words.seed)
  if (seed > 0xffff_ffff) throw usage('vnet replay: --seed is at most 4294967295')
  return {
    file: words.file,
    speed: words.speed,
    loop,
    rxRing,
    pauses: words.pauses,
    faults: faultsOf(
      [words.faults, ...words._.slice(1)].filter((w) => w !== ''),
      seed,
    ),
    seed,
    frames: words.frames,
    json: words.json,
    write: words.write === '' ? null : words.write,
  }
}

function whole(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw usage(`vnet replay: ${name} needs a whole number, not ${text === '' ? 'nothing' : text}`)
  return Number(text)
}

function faultsOf(texts: readonly string[], seed: number): FaultOptions | null {
  if (texts.length === 0) return null
  try {
    return { seed, ...parseFaults(texts.join(',')) }
  } catch (error) {
    if (error instanceof Errno) throw usage(`vnet replay: ${error.message}`)
    throw error
  }
}
