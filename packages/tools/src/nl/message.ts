import { AttrMap } from './attrs.ts'

/** One message of an answer. @kernel struct nlmsghdr include/uapi/linux/netlink.h */
export class NlReply {
  readonly type: number
  readonly flags: number
  /** What follows the message header. */
  readonly payload: Uint8Array
  readonly #view: DataView

  constructor(type: number, flags: number, payload: Uint8Array) {
    this.type = type
    this.flags = flags
    this.payload = payload
    this.#view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  }

  /** Fields of the fixed part; 0 past the end of a message that is too short. */
  u8(at: number): number {
    return at + 1 <= this.payload.length ? this.#view.getUint8(at) : 0
  }

  u16(at: number): number {
    return at + 2 <= this.payload.length ? this.#view.getUint16(at, true) : 0
  }

  u32(at: number): number {
    return at + 4 <= this.payload.length ? this.#view.getUint32(at, true) : 0
  }

  s32(at: number): number {
    return this.u32(at) | 0
  }

  /** The attributes after a fixed part of `header` bytes. */
  attrs(header: number): AttrMap {
    return new AttrMap(this.payload, header)
  }
}
