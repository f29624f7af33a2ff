import type { Kernel, TimerList } from '@vnet/kernel'
import { kfreeSkb, type NetDevice, type SkBuff, SkbDropReason } from '@vnet/netdev'
import { ownTimer } from '../own-timer.ts'

/** Fragments without a gap between them: from `begin` up to `end`, in bytes of the payload. @kernel struct ipfrag_skb_cb net/ipv4/inet_fragment.c */
export interface FragRun {
  begin: number
  end: number
}

/** A fragment with its place. @kernel none */
export interface Fragment {
  readonly skb: SkBuff
  readonly offset: number
  readonly len: number
}

/** What became of a fragment. @kernel IPFRAG_OK include/net/inet_frag.h */
export type FragResult = 'ok' | 'duplicate' | 'overlap'

/** The fragments of one datagram. @kernel struct inet_frag_queue include/net/inet_frag.h */
export class FragQueue {
  readonly key: string
  readonly timer: TimerList
  readonly fragments: Fragment[] = []
  /** By place, with gaps between them. */
  readonly #runs: FragRun[] = []
  dev: NetDevice<any> | null = null
  /** Bytes of the payload, as far as known. */
  len = 0
  /** Bytes that are there. */
  meat = 0
  mem = 0
  firstIn = false
  lastIn = false
  maxSize = 0

  constructor(kernel: Kernel, key: string, expire: (queue: FragQueue) => void) {
    this.key = key
    this.timer = ownTimer(kernel, null, () => expire(this), 'ipfrag')
  }

  /** True when nothing is missing. */
  get complete(): boolean {
    return this.firstIn && this.lastIn && this.meat === this.len
  }

  /** Finds out whether bytes from `begin` to `end` fit in, and takes them in if so. @kernel inet_frag_queue_insert() net/ipv4/inet_fragment.c */
  insert(begin: number, end: number): FragResult {
    const runs = this.#runs
    let i = 0
    while (i < runs.length && runs[i]!.end <= begin) i++
    const at = runs[i]
    if (at !== undefined && at.begin < end) {
      const last = runs[runs.length - 1]!
      // Bytes known already are a copy, unless they are also more than that.
      return begin >= at.begin && end <= at.end && end <= last.end ? 'duplicate' : 'overlap'
    }
    this.#join(i, begin, end)
    return 'ok'
  }

  /** Drops all fragments. */
  purge(): void {
    for (const { skb } of this.fragments) kfreeSkb(skb, SkbDropReason.NOT_SPECIFIED)
    this.fragments.length = 0
  }

  #join(i: number, begin: number, end: number): void {
    const runs = this.#runs
    const before = i > 0 ? runs[i - 1]! : null
    const after = runs[i]
    if (before !== null && before.end === begin) {
      before.end = end
      if (after !== undefined && after.begin === end) {
        before.end = after.end
        runs.splice(i, 1)
      }
    } else if (after !== undefined && after.begin === end) after.begin = begin
    else runs.splice(i, 0, { begin, end })
  }
}
