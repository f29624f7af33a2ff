import { clampEnd, getUnalignedBe16, needRange, needRoom } from './bytes.ts'

/**
 * The service access point of a SNAP header.
 *
 * @kernel LLC_SAP_SNAP include/uapi/linux/llc.h
 */
export const LLC_SAP_SNAP = 0xaa

/**
 * The service access point of bridges: spanning tree.
 *
 * @kernel LLC_SAP_BSPAN include/uapi/linux/llc.h
 */
export const LLC_SAP_BSPAN = 0x42

/**
 * The control field of an unnumbered information frame, which nearly all are.
 *
 * @kernel LLC_PDU_TYPE_U include/net/llc_pdu.h
 */
export const LLC_UI = 0x03

/** A logical link control header, read. */
export interface LlcHeader {
  readonly dsap: number
  readonly ssap: number
  /** One byte of an unnumbered frame, two (low byte first on the wire) of any other. */
  readonly control: number
  readonly unnumbered: boolean
  /** The SNAP header behind it: an organisation (0: Ethernet) and its protocol number. */
  readonly snap: { readonly oui: number; readonly pid: number } | null
  readonly payloadOffset: number
  readonly payloadLength: number
}

/**
 * Reads the header that follows an 802.3 length, with its SNAP header; null when it is not all there.
 *
 * @kernel struct llc_pdu_un include/net/llc_pdu.h
 */
export function parseLlc(bytes: Uint8Array, off = 0, len = bytes.length - off): LlcHeader | null {
  const end = clampEnd(bytes, off, len)
  if (end - off < 3) return null
  const unnumbered = (bytes[off + 2]! & 3) === 3
  if (!unnumbered && end - off < 4) return null
  const dsap = bytes[off]!
  const ssap = bytes[off + 1]!
  const control = unnumbered ? bytes[off + 2]! : bytes[off + 2]! | (bytes[off + 3]! << 8)
  const isSnap = dsap === LLC_SAP_SNAP && ssap === LLC_SAP_SNAP && control === LLC_UI
  let payloadOffset = off + (unnumbered ? 3 : 4)
  let snap: LlcHeader['snap'] = null
  if (isSnap) {
    if (end - payloadOffset < 5) return null
    const oui = (bytes[payloadOffset]! << 16) | getUnalignedBe16(bytes, payloadOffset + 1)
    snap = { oui, pid: getUnalignedBe16(bytes, payloadOffset + 3) }
    payloadOffset += 5
  }
  return { dsap, ssap, control, unnumbered, snap, payloadOffset, payloadLength: end - payloadOffset }
}

/**
 * Writes an unnumbered information header at `off`.
 *
 * @returns 3, the bytes written.
 * @throws RangeError when a field is wrong or there is no room.
 * @kernel llc_pdu_header_init() include/net/llc_pdu.h
 */
export function buildLlc(
  out: Uint8Array,
  off: number,
  fields: { readonly dsap: number; readonly ssap: number },
): number {
  needRoom(out, off, 3, 'an LLC header')
  out[off] = needRange(fields.dsap, 0xff, 'a service access point')
  out[off + 1] = needRange(fields.ssap, 0xff, 'a service access point')
  out[off + 2] = LLC_UI
  return 3
}
