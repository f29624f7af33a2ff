import { Errno } from '@vnet/kernel'
import { NLA_HDRLEN, NlaF, nlmsgAlign } from './nlmsg.ts'

const MAX_ATTR = 0xffff

/**
 * Builds messages in one growing buffer; an attribute makes no object.
 *
 * Numbers are little-endian, as on every machine this kernel claims to be. `put…` writes an attribute; a plain
 * `u8`, `u16` … writes a field of a header.
 *
 * @kernel struct sk_buff, nla_put() lib/nlattr.c
 */
export class NlWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Bytes written. */
  get length(): number {
    return this.#length
  }

  /** A copy of all that was written. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** Forgets everything and keeps the memory. */
  reset(): void {
    this.#length = 0
  }

  /** Forgets what was written from `offset` on. @kernel nlmsg_trim() include/net/netlink.h */
  trim(offset: number): void {
    if (offset < this.#length) this.#length = offset
  }

  /** Makes room for `count` zero bytes and returns where they are. */
  reserve(count: number): number {
    const at = this.#length
    const end = at + count
    if (end > this.#bytes.length) this.#grow(end)
    this.#bytes.fill(0, at, end)
    this.#length = end
    return at
  }

  #grow(needed: number): void {
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }

  // ── fields

  /** Appends bytes as they are. */
  raw(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** Appends a byte. */
  u8(value: number): void {
    const at = this.reserve(1)
    this.#bytes[at] = value
  }

  /** Appends two bytes. */
  u16(value: number): void {
    const at = this.reserve(2)
    this.#view.setUint16(at, value, true)
  }

  /** Appends four bytes. */
  u32(value: number): void {
    const at = this.reserve(4)
    this.#view.setUint32(at, value, true)
  }

  /** Appends eight bytes. */
  u64(value: bigint): void {
    const at = this.reserve(8)
    this.#view.setBigUint64(at, value, true)
  }

  /** Overwrites four bytes written before. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true)
  }

  /** Appends zero bytes up to the next multiple of four. */
  align(): void {
    const rest = nlmsgAlign(this.#length) - this.#length
    if (rest > 0) this.reserve(rest)
  }

  // ── messages

  /** Begins a message; its length is filled in by {@link end}. @kernel nlmsg_put() include/net/netlink.h */
  begin(type: number, flags: number, seq: number, portid: number): number {
    this.align()
    const at = this.#length
    this.u32(0)
    this.u16(type)
    this.u16(flags)
    this.u32(seq)
    this.u32(portid)
    return at
  }

  /** Ends the message that began at `at`. @kernel nlmsg_end() include/net/netlink.h */
  end(at: number): void {
    this.align()
    this.patchU32(at, this.#length - at)
  }

  // ── attributes

  /** Begins an attribute of `length` payload bytes, padding included, and returns where its payload is. @kernel nla_reserve() lib/nlattr.c */
  attr(type: number, length: number): number {
    if (length + NLA_HDRLEN > MAX_ATTR) throw new Errno('EMSGSIZE')
    const at = this.reserve(NLA_HDRLEN + nlmsgAlign(length))
    this.#view.setUint16(at, NLA_HDRLEN + length, true)
    this.#view.setUint16(at + 2, type, true)
    return at + NLA_HDRLEN
  }

  /** @kernel nla_put_u8() include/net/netlink.h */
  putU8(type: number, value: number): void {
    const at = this.attr(type, 1)
    this.#bytes[at] = value
  }

  /** @kernel nla_put_u16() include/net/netlink.h */
  putU16(type: number, value: number): void {
    const at = this.attr(type, 2)
    this.#view.setUint16(at, value, true)
  }

  /** Signed numbers too: the bits are the same. @kernel nla_put_u32() include/net/netlink.h */
  putU32(type: number, value: number): void {
    const at = this.attr(type, 4)
    this.#view.setUint32(at, value, true)
  }

  /** @kernel nla_put_u64_64bit() lib/nlattr.c */
  putU64(type: number, value: bigint): void {
    const at = this.attr(type, 8)
    this.#view.setBigUint64(at, value, true)
  }

  /** The shortest of 4 and 8 bytes. @kernel nla_put_uint() include/net/netlink.h */
  putUint(type: number, value: bigint): void {
    if (value <= 0xffffffffn) this.putU32(type, Number(value))
    else this.putU64(type, value)
  }

  /** With its end mark, as the kernel sends strings. @kernel nla_put_string() include/net/netlink.h */
  putString(type: number, text: string): void {
    const bytes = utf8(text)
    const at = this.attr(type, bytes.length + 1)
    this.#bytes.set(bytes, at)
  }

  /** @kernel nla_put() lib/nlattr.c */
  putBinary(type: number, bytes: Uint8Array): void {
    const at = this.attr(type, bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** @kernel nla_put_flag() include/net/netlink.h */
  putFlag(type: number): void {
    this.attr(type, 0)
  }

  /** Begins an attribute that holds attributes, marked as such. @kernel nla_nest_start() include/net/netlink.h */
  nestStart(type: number): number {
    return this.nestStartNoflag(type | NlaF.NESTED)
  }

  /** The old way, without the mark; rtnetlink still sends it. @kernel nla_nest_start_noflag() include/net/netlink.h */
  nestStartNoflag(type: number): number {
    const at = this.attr(type, 0)
    return at - NLA_HDRLEN
  }

  /** Ends the nest that began at `at`. @throws Errno EMSGSIZE past 64 KiB @kernel nla_nest_end() include/net/netlink.h */
  nestEnd(at: number): void {
    const length = this.#length - at
    if (length > MAX_ATTR) throw new Errno('EMSGSIZE')
    this.#view.setUint16(at, length, true)
  }
}

/** Text as UTF-8, without the host's help. @kernel none */
export function utf8(text: string): Uint8Array {
  const out: number[] = []
  for (const char of text) {
    const code = char.codePointAt(0)!
    if (code < 0x80) out.push(code)
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63))
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    else
      out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
  }
  return Uint8Array.from(out)
}
