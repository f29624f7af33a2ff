const TCP = 6
const UDP = 17

/**
 * Adds 16-bit words, the first byte the high one; an odd last byte is followed by a zero.
 *
 * @returns at most 32 bits for up to 64 KiB, to be folded
 */
export function sumWords(mem: Uint8Array, from: number, to: number): number {
  let sum = 0
  let at = from
  for (; at + 1 < to; at += 2) sum += (mem[at]! << 8) | mem[at + 1]!
  if (at < to) sum += mem[at]! << 8
  return sum
}

/** The checksum that goes with a sum. */
export function checksumOf(sum: number): number {
  let rest = sum
  while (rest > 0xffff) rest = (rest & 0xffff) + Math.floor(rest / 0x10000)
  return ~rest & 0xffff
}

/** Writes 16 bits, the high byte first. */
export function putBe16(value: number, mem: Uint8Array, at: number): void {
  mem[at] = value >> 8
  mem[at + 1] = value
}

/** Reads 16 bits, the high byte first. */
export function getBe16(mem: Uint8Array, at: number): number {
  return (mem[at]! << 8) | mem[at + 1]!
}

/**
 * Where the parts of an IPv4 or IPv6 frame begin, in bytes from the start of the memory. One object, filled again for
 * each frame.
 */
export class IpLayout {
  network = 0
  transport = 0
  /** Behind the last byte of the datagram; padding comes after it. */
  end = 0
  protocol = 0
  version = 0

  /** False: it is no IP, a fragment, or too short. Extension headers of IPv6 are not looked behind. */
  read(mem: Uint8Array, offset: number, length: number): boolean {
    const end = offset + length
    let at = offset + 14
    while (at + 4 <= end && (getBe16(mem, at - 2) === 0x8100 || getBe16(mem, at - 2) === 0x88a8)) at += 4
    const type = getBe16(mem, at - 2)
    this.network = at
    if (type === 0x0800) return at + 20 <= end && this.#four(mem, at, end)
    return type === 0x86dd && at + 40 <= end && this.#six(mem, at, end)
  }

  #four(mem: Uint8Array, at: number, end: number): boolean {
    const total = getBe16(mem, at + 2)
    this.version = 4
    this.transport = at + ((mem[at]! & 15) << 2)
    // A length of 0 is a datagram longer than 64 KiB.
    this.end = total === 0 ? end : Math.min(end, at + total)
    this.protocol = mem[at + 9]!
    return (getBe16(mem, at + 6) & 0x3fff) === 0 && this.transport <= this.end
  }

  #six(mem: Uint8Array, at: number, end: number): boolean {
    const payload = getBe16(mem, at + 4)
    this.version = 6
    this.transport = at + 40
    this.end = payload === 0 ? end : Math.min(end, at + 40 + payload)
    this.protocol = mem[at + 6]!
    return true
  }
}

/**
 * Finishes the TCP or UDP checksum a host left to its card, in place. The field holds the sum of the pseudo header.
 *
 * @returns false for a frame that has none, or is too short for one
 * @kernel skb_checksum_help() net/core/dev.c
 */
export function finishChecksum(
  mem: Uint8Array,
  offset: number,
  length: number,
  layout: IpLayout = new IpLayout(),
): boolean {
  if (!layout.read(mem, offset, length)) return false
  const { transport, end, protocol } = layout
  const field = protocol === TCP ? transport + 16 : protocol === UDP ? transport + 6 : -1
  if (field < 0 || field + 2 > end) return false
  // A UDP checksum of zero means there is none, so its other form stands for it.
  putBe16(checksumOf(sumWords(mem, transport, end)) || 0xffff, mem, field)
  return true
}
