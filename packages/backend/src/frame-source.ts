import { Errno } from '@vnet/kernel'

/**
 * Makes the frames of a generator, one after the other, in its own memory.
 *
 * @kernel none
 */
export interface FrameSource {
  /** Where the frames lie. May change from one `next()` to the next. */
  readonly mem: Uint8Array
  /** Where the frame of the last `next()` starts, and its length in bytes. */
  readonly offset: number
  readonly length: number
  /** Readies frame number `seq`, counted from 0. False: there are no more. */
  next(seq: number): boolean
}

class FramesInTurn implements FrameSource {
  mem: Uint8Array
  readonly offset: number
  length: number
  readonly #frames: readonly Uint8Array[]

  constructor(frames: readonly Uint8Array[]) {
    this.#frames = frames
    this.mem = frames[0]!
    this.offset = 0
    this.length = this.mem.length
  }

  next(seq: number): boolean {
    this.mem = this.#frames[seq % this.#frames.length]!
    this.length = this.mem.length
    return true
  }
}

/**
 * Makes a source that gives these frames in turn, again and again. The bytes are not copied.
 *
 * @throws Errno EINVAL for an empty list
 * @kernel none
 */
export function framesInTurn(frames: readonly Uint8Array[]): FrameSource {
  if (frames.length === 0) throw new Errno('EINVAL', 'framesInTurn: no frames given', 'frames')
  return new FramesInTurn(frames)
}
