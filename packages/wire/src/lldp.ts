import { clampEnd, getUnalignedBe16 } from './bytes.ts'

/**
 * The TLV that holds the name of the system.
 *
 * @kernel none
 */
export const LLDP_TLV_SYSTEM_NAME = 5

/** One type, length and value. */
export interface LldpTlv {
  readonly type: number
  /** Where the value begins. */
  readonly offset: number
  readonly length: number
}

/** A link layer discovery message, split in its parts. */
export interface LldpMessage {
  readonly tlvs: readonly LldpTlv[]
  /** The list stops in the middle of a part, or has no end mark. */
  readonly truncated: boolean
}

/**
 * Splits a discovery message in its parts; null when there is not even one.
 *
 * @kernel none
 */
export function parseLldp(bytes: Uint8Array, off = 0, len = bytes.length - off): LldpMessage | null {
  const end = clampEnd(bytes, off, len)
  const tlvs: LldpTlv[] = []
  let at = off
  let ended = false
  while (!ended && at + 2 <= end) {
    const head = getUnalignedBe16(bytes, at)
    const length = head & 0x1ff
    if (at + 2 + length > end) break
    ended = head >>> 9 === 0
    if (!ended) tlvs.push({ type: head >>> 9, offset: at + 2, length })
    at += 2 + length
  }
  return tlvs.length === 0 ? null : { tlvs, truncated: !ended }
}
