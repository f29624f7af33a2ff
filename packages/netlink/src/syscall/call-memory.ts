import { Errno } from '@vnet/kernel'
import type { UserMemory } from '../ioctl/memory.ts'
import { SYS_MAX_CALL, SYS_MAX_PIECE } from './protocol.ts'

/** Bytes the program is asked for, or has given; null: it said EFAULT. */
interface Piece {
  readonly address: bigint
  readonly length: number
  bytes: Uint8Array | null
}

/** Bytes for the program. */
export interface CopyOut {
  readonly address: bigint
  readonly bytes: Uint8Array
}

/**
 * A program's memory during one call. What was copied in once stays known, so the handler can run again and reads the
 * same; what it copies out waits for the end of the call, and is seen by later reads.
 *
 * @kernel none
 */
export class CallMemory implements UserMemory {
  readonly #stop: unknown
  readonly #pieces: Piece[] = []
  #asked = 0
  #next = 0
  #writes: CopyOut[] = []
  #written = 0
  /** What must come before the handler can go on. */
  missing: Piece | null = null

  /** @param stop - what is thrown when bytes are missing */
  constructor(stop: unknown) {
    this.#stop = stop
  }

  /** What goes to the program, in order. */
  get writes(): readonly CopyOut[] {
    return this.#writes
  }

  /** The handler begins again. */
  rewind(): void {
    this.#next = 0
    this.#writes = []
    this.#written = 0
  }

  /** What was asked for has come; null: the program has no such memory. */
  supply(bytes: Uint8Array | null): void {
    if (this.missing === null) return
    this.missing.bytes = bytes
    this.#pieces.push(this.missing)
    this.missing = null
  }

  /** @throws Errno EFAULT, ENOMEM past the limit of a call; and the stop that runs the handler again */
  copyFromUser(address: bigint, length: number): Uint8Array {
    if (length === 0) return new Uint8Array(0)
    if (length < 0 || length > SYS_MAX_CALL) throw new Errno('ENOMEM')
    const out = new Uint8Array(length)
    for (let done = 0; done < length; done += SYS_MAX_PIECE) {
      const size = Math.min(SYS_MAX_PIECE, length - done)
      out.set(this.#read(BigInt.asUintN(64, address + BigInt(done)), size), done)
    }
    for (const write of this.#writes) overlay(out, address, write)
    return out
  }

  #read(address: bigint, length: number): Uint8Array {
    const piece = this.#known(address, length)
    if (piece === undefined) return this.#ask(address, length)
    if (piece.bytes === null) throw new Errno('EFAULT')
    const from = Number(address - piece.address)
    return piece.bytes.subarray(from, from + length)
  }

  /** A handler asks for the same in the same order, as a rule. */
  #known(address: bigint, length: number): Piece | undefined {
    const expected = this.#pieces[this.#next]
    if (expected?.address === address && expected.length === length) {
      this.#next++
      return expected
    }
    return this.#pieces.find((piece) => contains(piece, address, length))
  }

  #ask(address: bigint, length: number): never {
    if (this.#asked + length > SYS_MAX_CALL) throw new Errno('ENOMEM')
    this.#asked += length
    this.missing = { address, length, bytes: null }
    throw this.#stop
  }

  /** @throws Errno ENOMEM past the limit of a call */
  copyToUser(address: bigint, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (this.#written + bytes.length > SYS_MAX_CALL) throw new Errno('ENOMEM')
    this.#written += bytes.length
    this.#writes.push({ address: BigInt.asUintN(64, address), bytes: bytes.slice() })
  }
}

function contains(piece: Piece, address: bigint, length: number): boolean {
  return piece.address <= address && address + BigInt(length) <= piece.address + BigInt(piece.length)
}

/** Puts what was written into a copy of the memory it was written to. */
function overlay(out: Uint8Array, address: bigint, write: CopyOut): void {
  const shift = write.address - address
  if (shift >= BigInt(out.length) || shift + BigInt(write.bytes.length) <= 0n) return
  const at = Number(shift)
  const from = Math.max(0, -at)
  const to = Math.min(write.bytes.length, out.length - at)
  out.set(write.bytes.subarray(from, to), at + from)
}
