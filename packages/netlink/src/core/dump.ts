import { Errno } from '@vnet/kernel'
import { NlmF } from '../codec/nlmsg.ts'
import { NlWriter } from '../codec/writer.ts'
import { putDone } from './ack.ts'
import type { NlRequest } from './request.ts'

/** Bytes after which a datagram of a dump is sent. @kernel NLMSG_GOODSIZE include/linux/netlink.h */
const GOOD_SIZE = 8192

/** One message of a dump: its body. Returning false leaves it out. */
export type DumpEntry = (w: NlWriter) => boolean | void

/**
 * What a family makes of a dump request. It checks the request at once, and is asked for entries when there is room.
 *
 * @kernel struct netlink_dump_control include/linux/netlink.h
 */
export interface NlDump {
  /** The message type of the answers. */
  readonly type: number
  /** Some were left out because the request asked for it. */
  readonly filtered?: boolean
  readonly entries: Iterable<DumpEntry>
}

/**
 * A dump under way on a socket.
 *
 * @kernel netlink_dump() net/netlink/af_netlink.c
 */
export class DumpRun {
  readonly #request: NlRequest
  readonly #dump: NlDump
  readonly #entries: Iterator<DumpEntry>
  readonly #startedAt: number
  #doneSent = false
  #ended: Errno | null | undefined = undefined

  constructor(request: NlRequest, dump: NlDump) {
    this.#request = request
    this.#dump = dump
    this.#entries = dump.entries[Symbol.iterator]()
    this.#startedAt = request.server.generation
  }

  /** The next datagram; null when the last one was given. */
  next(): Uint8Array | null {
    const w = new NlWriter(GOOD_SIZE)
    while (this.#ended === undefined && w.length < GOOD_SIZE) if (!this.#fill(w)) break
    if (w.length > 0) return w.bytes()
    if (this.#doneSent) return null
    this.#doneSent = true
    putDone(w, this.#request, this.#flags(), this.#ended ?? null)
    return w.bytes()
  }

  /** One entry more; false when there is none. */
  #fill(w: NlWriter): boolean {
    const at = w.length
    try {
      const step = this.#entries.next()
      if (step.done === true) {
        this.#ended = null
        return false
      }
      const begun = w.begin(this.#dump.type, this.#flags(), this.#request.seq, this.#request.socket.portid)
      if (step.value(w) === false) w.trim(at)
      else w.end(begun)
      return true
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      w.trim(at)
      this.#ended = error
      return false
    }
  }

  #flags(): number {
    const { filtered } = this.#dump
    const changed = this.#request.server.generation !== this.#startedAt
    return NlmF.MULTI | (filtered === true ? NlmF.DUMP_FILTERED : 0) | (changed ? NlmF.DUMP_INTR : 0)
  }
}
