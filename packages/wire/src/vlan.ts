import { clampEnd, getUnalignedBe16, needRange, needRoom, putUnalignedBe16 } from './bytes.ts'
import { ETH_HLEN } from './eth.ts'
import { ETH_P_8021Q, ethTypeVlan } from './ethertype.ts'
import { ETH_ALEN } from './mac.ts'

/**
 * Bytes in a tag: two of tag control, two of the type that follows.
 *
 * @kernel VLAN_HLEN include/linux/if_vlan.h
 */
export const VLAN_HLEN = 4

/** A VLAN tag, read. */
export interface VlanTag {
  /** The network's number, 0 to 4095; 0 means the tag is there for its priority only. */
  readonly vid: number
  /** Priority, 0 to 7. */
  readonly pcp: number
  /** The frame may be dropped first. */
  readonly dei: boolean
  /** The type that follows the tag. */
  readonly proto: number
  readonly payloadOffset: number
  readonly payloadLength: number
}

/**
 * Reads the four bytes after a VLAN type; null when they are not all there.
 *
 * @kernel struct vlan_hdr include/linux/if_vlan.h
 */
export function parseVlan(bytes: Uint8Array, off = 0, len = bytes.length - off): VlanTag | null {
  const end = clampEnd(bytes, off, len)
  if (end - off < VLAN_HLEN) return null
  const tci = getUnalignedBe16(bytes, off)
  return {
    vid: tci & 0xfff,
    pcp: tci >>> 13,
    dei: (tci & 0x1000) !== 0,
    proto: getUnalignedBe16(bytes, off + 2),
    payloadOffset: off + VLAN_HLEN,
    payloadLength: end - off - VLAN_HLEN,
  }
}

/** What a tag says. */
export interface VlanFields {
  readonly vid: number
  readonly pcp?: number
  readonly dei?: boolean
  /** The type that follows the tag. */
  readonly proto: number
}

/**
 * Writes a tag's four bytes at `off`; the type before it (`ETH_P_8021Q`) is the caller's.
 *
 * @returns 4, the bytes written.
 * @throws RangeError when a field is wrong or there is no room.
 * @kernel none
 */
export function buildVlan(out: Uint8Array, off: number, fields: VlanFields): number {
  needRoom(out, off, VLAN_HLEN, 'a VLAN tag')
  const vid = needRange(fields.vid, 0xfff, 'a VLAN number')
  const pcp = needRange(fields.pcp ?? 0, 7, 'a VLAN priority')
  putUnalignedBe16((pcp << 13) | (fields.dei === true ? 0x1000 : 0) | vid, out, off)
  putUnalignedBe16(needRange(fields.proto, 0xffff, 'an Ethernet type'), out, off + 2)
  return VLAN_HLEN
}

/**
 * Gives a copy of the frame with a tag put in after its addresses.
 *
 * @throws RangeError when the frame has no whole header or a field is wrong.
 * @kernel vlan_insert_tag() include/linux/if_vlan.h
 */
export function vlanInsertTag(
  frame: Uint8Array,
  tag: { readonly vid: number; readonly pcp?: number; readonly dei?: boolean },
  tagType: number = ETH_P_8021Q,
): Uint8Array {
  if (frame.length < ETH_HLEN)
    throw new RangeError(`a frame of ${frame.length} bytes has no whole Ethernet header`)
  const at = 2 * ETH_ALEN
  const tagged = new Uint8Array(frame.length + VLAN_HLEN)
  tagged.set(frame.subarray(0, at))
  tagged.set(frame.subarray(at), at + VLAN_HLEN)
  putUnalignedBe16(tagType, tagged, at)
  buildVlan(tagged, at + 2, { ...tag, proto: getUnalignedBe16(frame, at) })
  return tagged
}

/**
 * Gives a copy of the frame without its outer tag; null when it has none.
 *
 * @kernel skb_vlan_untag() net/core/skbuff.c
 */
export function vlanRemoveTag(frame: Uint8Array): Uint8Array | null {
  const at = 2 * ETH_ALEN
  if (frame.length < ETH_HLEN + VLAN_HLEN || !ethTypeVlan(getUnalignedBe16(frame, at))) return null
  const plain = new Uint8Array(frame.length - VLAN_HLEN)
  plain.set(frame.subarray(0, at))
  plain.set(frame.subarray(at + VLAN_HLEN), at)
  return plain
}
