/**
 * Puts the fragments of one packet together. No time, no counters, no skb in here: `fragment.ts` has those.
 */

/** A run of bytes that has arrived. Runs are sorted and never touch. */
interface Piece {
  readonly start: number
  readonly bytes: Uint8Array
}

/**
 * What became of a fragment: kept; a copy of what was there (drop the fragment only); it contradicts what was there, so
 * the whole packet must go (RFC 5722); complete.
 */
export type FragVerdict = 'kept' | 'duplicate' | 'conflict' | 'complete'

/**
 * The fragments of one packet so far.
 *
 * @kernel struct frag_queue include/net/ipv6_frag.h
 */
export class FragQueue {
  readonly #pieces: Piece[] = []
  #meat = 0
  #end = 0
  #lastSeen = false
  /** What the fragmentable part begins with: the next header of the first fragment. */
  nextHeader = 0
  /** The first fragment is here. */
  firstIn = false

  /** Bytes held. */
  get bytes(): number {
    return this.#meat
  }

  /**
   * Takes a fragment: `bytes` belong at `offset` of the packet's fragmentable part; `more` is the M flag.
   *
   * @kernel ip6_frag_queue() net/ipv6/reassembly.c
   */
  add(offset: number, bytes: Uint8Array, more: boolean): FragVerdict {
    const end = offset + bytes.length
    if (!this.#endFits(end, more) || end === offset) return 'conflict'
    const verdict = this.#insert(offset, end, bytes)
    if (verdict !== 'kept') return verdict
    if (!more) this.#lastSeen = true
    if (end > this.#end) this.#end = end
    this.#meat += bytes.length
    if (offset === 0) this.firstIn = true
    return this.firstIn && this.#lastSeen && this.#meat === this.#end ? 'complete' : 'kept'
  }

  /** The end of a last fragment is the packet's; nothing may lie behind it. */
  #endFits(end: number, more: boolean): boolean {
    if (more) return !this.#lastSeen || end <= this.#end
    return this.#lastSeen ? end === this.#end : end >= this.#end
  }

  #insert(start: number, end: number, bytes: Uint8Array): FragVerdict {
    const pieces = this.#pieces
    let at = pieces.length
    while (at > 0 && pieces[at - 1]!.start >= end) at--
    // Everything from `at` on lies behind; the one before it is the only one that can touch.
    const before = pieces[at - 1]
    if (before !== undefined && before.start + before.bytes.length > start) {
      return this.#covers(start, end) ? 'duplicate' : 'conflict'
    }
    pieces.splice(at, 0, { start, bytes })
    return 'kept'
  }

  /** True when every byte of the range is there already, in runs that join. */
  #covers(start: number, end: number): boolean {
    let reached = -1
    for (const piece of this.#pieces) {
      const stop = piece.start + piece.bytes.length
      if (stop <= start) continue
      if (reached < 0 ? piece.start > start : piece.start !== reached) return false
      reached = stop
      if (reached >= end) return true
    }
    return false
  }

  /** The whole fragmentable part; call it when `add` said `'complete'`. @kernel ip6_frag_reasm() net/ipv6/reassembly.c */
  assemble(): Uint8Array {
    const whole = new Uint8Array(this.#end)
    for (const piece of this.#pieces) whole.set(piece.bytes, piece.start)
    return whole
  }
}
