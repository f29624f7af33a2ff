import { NLA_HDRLEN, NLMSG_HDRLEN, NlaF, nlmsgAlign } from './nlmsg.ts'
import { textOf } from './text.ts'

/**
 * Walks over the messages of a datagram. It never looks past the end: a length that does not fit ends the walk.
 *
 * @kernel nlmsg_ok(), nlmsg_next() include/net/netlink.h
 */
export class NlMessages {
  readonly bytes: Uint8Array
  readonly #view: DataView
  #next = 0
  /** Where the message starts, and one past its last byte. */
  start = 0
  end = 0
  type = 0
  flags = 0
  seq = 0
  portid = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.#view = viewOf(bytes)
  }

  /** Goes to the next message; false at the end and at anything that is no message. */
  next(): boolean {
    const at = this.#next
    if (this.bytes.length - at < NLMSG_HDRLEN) return false
    const length = this.#view.getUint32(at, true)
    if (length < NLMSG_HDRLEN || length > this.bytes.length - at) return false
    this.start = at
    this.end = at + length
    this.type = this.#view.getUint16(at + 4, true)
    this.flags = this.#view.getUint16(at + 6, true)
    this.seq = this.#view.getUint32(at + 8, true)
    this.portid = this.#view.getUint32(at + 12, true)
    this.#next = Math.min(at + nlmsgAlign(length), this.bytes.length)
    return true
  }

  /** The bytes of this message, header included; the same memory. */
  message(): Uint8Array {
    return this.bytes.subarray(this.start, this.end)
  }
}

/**
 * Walks over attributes. It never looks past `end`; {@link left} tells whether bytes remain that are no attribute.
 *
 * @kernel nla_for_each_attr() include/net/netlink.h
 */
export class NlAttrs {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #end: number
  #next: number
  /** Where the attribute's header and its payload start, and how long the payload is. */
  start = 0
  data = 0
  length = 0
  type = 0
  nested = false

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes
    this.#view = viewOf(bytes)
    this.#end = Math.max(0, Math.min(end, bytes.length))
    this.#next = Math.max(0, start)
  }

  /** Bytes that were not walked over. */
  get left(): number {
    return Math.max(0, this.#end - this.#next)
  }

  /** Goes to the next attribute; false at the end and at anything that is no attribute. @kernel nla_ok() include/net/netlink.h */
  next(): boolean {
    const at = this.#next
    if (this.#end - at < NLA_HDRLEN) return false
    const length = this.#view.getUint16(at, true)
    if (length < NLA_HDRLEN || length > this.#end - at) return false
    const type = this.#view.getUint16(at + 2, true)
    this.start = at
    this.data = at + NLA_HDRLEN
    this.length = length - NLA_HDRLEN
    this.type = type & NlaF.TYPE_MASK
    this.nested = (type & NlaF.NESTED) !== 0
    this.#next = at + nlmsgAlign(length)
    return true
  }

  /** The attributes inside this one. */
  inside(): NlAttrs {
    return new NlAttrs(this.bytes, this.data, this.data + this.length)
  }

  /** The payload as a number of 1, 2 or 4 bytes, whichever it has; 0 when it has none of these. */
  number(): number {
    return readNumber(this.#view, this.data, this.length)
  }

  /** The payload as text, up to its end mark. */
  text(): string {
    return textOf(this.bytes, this.data, this.data + this.length)
  }

  /** A copy of the payload. */
  payload(): Uint8Array {
    return this.bytes.slice(this.data, this.data + this.length)
  }
}

/** @kernel none */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A number of the width the payload has; longer ones give their low half. @kernel none */
export function readNumber(view: DataView, at: number, length: number): number {
  if (length >= 4) return view.getUint32(at, true)
  if (length >= 2) return view.getUint16(at, true)
  return length === 1 ? view.getUint8(at) : 0
}
