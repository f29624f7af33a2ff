import { LITTLE_ENDIAN } from './byte-order.ts'
import { CHECKSUM_NONE, type SkBuff, skbCloned } from './skbuff.ts'
import { pskbMayPull, skbUnclone } from './skb-expand.ts'
import { skbName } from './skb-cache.ts'

/**
 * Adds up bytes as big-endian 16-bit words with end-around carry: not yet inverted.
 *
 * @param words - the same memory as `mem`, in 32-bit words
 * @returns the sum folded to 16 bits
 * @kernel csum_partial() lib/checksum.c
 */
export function csumPartial(mem: Uint8Array, words: Int32Array, offset: number, len: number): number {
  let at = offset
  const end = offset + len
  let bytes = 0
  // Up to the next multiple of four, byte by byte. Even places of the range are high bytes.
  while (at < end && (at & 3) !== 0) {
    bytes += ((at - offset) & 1) === 0 ? mem[at]! << 8 : mem[at]!
    at++
  }
  const odd = (at - offset) & 1
  let sum = 0
  if (end - at >= 4) {
    const last = end >> 2
    sum = sumWords(words, at >> 2, last)
    // Little-endian words hold the bytes swapped; an odd start swaps them once more.
    if ((odd === 0) === LITTLE_ENDIAN) sum = ((sum & 0xff) << 8) | (sum >> 8)
    at = last << 2
  }
  while (at < end) {
    bytes += ((at - offset) & 1) === 0 ? mem[at]! << 8 : mem[at]!
    at++
  }
  return csumFold32(sum + bytes)
}

/** The halves of words, summed and folded: a one's complement sum may be turned round afterwards (RFC 1071). */
function sumWords(words: Int32Array, from: number, to: number): number {
  let low = 0
  let high = 0
  let i = from
  for (const stop = to - 3; i < stop; i += 4) {
    const a = words[i]!
    const b = words[i + 1]!
    const c = words[i + 2]!
    const d = words[i + 3]!
    low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0
  }
  for (; i < to; i++) {
    const a = words[i]!
    low = (low + (a & 0xffff)) | 0
    high = (high + (a >>> 16)) | 0
  }
  // Neither passes 31 bits below 128 KiB.
  const sum = (low & 0xffff) + (low >>> 16) + (high & 0xffff) + (high >>> 16)
  return csumFold32(sum)
}

/** Folds a sum of 16-bit words to 16 bits. @kernel csum_fold() include/asm-generic/checksum.h */
export function csumFold32(sum: number): number {
  let s = (sum & 0xffff) + (sum >>> 16)
  s = (s & 0xffff) + (s >>> 16)
  return s
}

/** Adds the sum of a block that starts `offset` bytes after the first: at an odd place its bytes change sides. @kernel csum_block_add() include/net/checksum.h */
export function csumBlockAdd(sum: number, block: number, offset: number): number {
  const turned = (offset & 1) === 0 ? block : ((block & 0xff) << 8) | (block >> 8)
  return csumFold32(sum + turned)
}

/**
 * The sum over part of a packet, fragments included; not inverted.
 *
 * @param offset - from `data`
 * @kernel skb_checksum() net/core/skbuff.c
 */
export function skbChecksum(skb: SkBuff, offset: number, len: number, initial = 0): number {
  const linear = skb.tail - skb.data
  const { shinfo } = skb
  let sum = initial
  let skip = offset
  let done = 0
  if (skip < linear) {
    const n = Math.min(len, linear - skip)
    sum = csumFold32(sum + csumPartial(skb.mem, shinfo.i32, skb.data + skip, n))
    done = n
    skip = 0
  } else skip -= linear
  for (let i = 0; i < shinfo.nrFrags && done < len; i++) {
    const frag = shinfo.frags[i]!
    if (skip < frag.size) {
      const n = Math.min(len - done, frag.size - skip)
      const block = csumPartial(frag.mem, frag.owner!.i32, frag.offset + skip, n)
      sum = csumBlockAdd(sum, block, done)
      done += n
      skip = 0
    } else skip -= frag.size
  }
  for (let part = shinfo.fragList; part !== null && done < len; part = part.next) {
    if (skip < part.len) {
      const n = Math.min(len - done, part.len - skip)
      sum = csumBlockAdd(sum, skbChecksum(part, skip, n), done)
      done += n
      skip = 0
    } else skip -= part.len
  }
  return sum
}

/**
 * Does in software what CHECKSUM_PARTIAL asks of the card: sums from `csumStart` to the end and stores the result.
 *
 * @returns 0, -12 (ENOMEM), or -22 (EINVAL) when `csumStart` points outside the packet
 * @kernel skb_checksum_help() net/core/dev.c
 * @rule CSUM-01 CSUM-02
 */
export function skbChecksumHelp(skb: SkBuff): 0 | -12 | -22 {
  const start = skb.csumStart - skb.data
  const store = start + skb.csumOffset
  if (start < 0 || start >= skb.len || skb.csumOffset < 0 || store + 2 > skb.len) {
    skb.cache.kernel.warnOn(
      'CSUM-01',
      `${skbName(skb)} asks for a checksum from ${start}, stored at ${store}, but has ${skb.len} bytes`,
    )
    return -22
  }
  if (store + 2 > skb.tail - skb.data && !pskbMayPull(skb, store + 2)) return -12
  if (skbCloned(skb) && !skbUnclone(skb)) return -12
  const sum = ~skbChecksum(skb, start, skb.len - start) & 0xffff
  const at = skb.data + store
  // 0 would mean "no checksum" to UDP.
  writeSum(skb.mem, at, sum === 0 ? 0xffff : sum)
  skb.ipSummed = CHECKSUM_NONE
  return 0
}

/** The header checksum of an IPv4 header in memory, its checksum field counted as zero. @kernel ip_fast_csum() lib/checksum.c @rule CSUM-04 */
export function ipFastCsum(mem: Uint8Array, offset: number, headerLen: number): number {
  let sum = 0
  for (let i = 0; i < headerLen; i += 2) {
    if (i !== 10) sum += (mem[offset + i]! << 8) | mem[offset + i + 1]!
  }
  return ~csumFold32(sum) & 0xffff
}

/** Writes the header checksum of an IPv4 header. @kernel ip_send_check() net/ipv4/ip_output.c @rule CSUM-04 */
export function ipSendCheck(mem: Uint8Array, offset: number): void {
  writeSum(mem, offset + 10, ipFastCsum(mem, offset, (mem[offset]! & 15) * 4))
}

/**
 * The sum of a pseudo header, not inverted: addresses as they stand in memory, protocol and length.
 *
 * @param addrLen - 4 or 16; source and destination follow each other at `addrs`
 * @kernel csum_tcpudp_nofold(), csum_ipv6_magic() include/net/checksum.h
 */
export function csumPseudo(
  mem: Uint8Array,
  addrs: number,
  addrLen: number,
  protocol: number,
  len: number,
): number {
  let sum = protocol + (len & 0xffff) + (len >>> 16)
  const end = addrs + addrLen * 2
  for (let at = addrs; at < end; at += 2) sum += (mem[at]! << 8) | mem[at + 1]!
  return csumFold32(sum)
}

/** Writes a 16-bit checksum, high byte first. @kernel none */
export function writeSum(mem: Uint8Array, offset: number, sum: number): void {
  mem[offset] = sum >> 8
  mem[offset + 1] = sum
}
