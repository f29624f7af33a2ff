/** Bytes of the header before each frame of a TAP with offloads. @kernel struct virtio_net_hdr_mrg_rxbuf include/uapi/linux/virtio_net.h */
export const VIRTIO_NET_HDR_BYTES = 12

/** The checksum is to be finished from `csumStart` on. @kernel VIRTIO_NET_HDR_F_NEEDS_CSUM include/uapi/linux/virtio_net.h */
export const VIRTIO_NET_HDR_F_NEEDS_CSUM = 1
/** The checksum was found right. @kernel VIRTIO_NET_HDR_F_DATA_VALID include/uapi/linux/virtio_net.h */
export const VIRTIO_NET_HDR_F_DATA_VALID = 2

/** What a big frame is to be cut into. @kernel VIRTIO_NET_HDR_GSO_TCPV4 include/uapi/linux/virtio_net.h */
export const VIRTIO_NET_HDR_GSO = { NONE: 0, TCPV4: 1, UDP: 3, TCPV6: 4, UDP_L4: 5, ECN: 0x80 } as const

/**
 * What is missing from a frame: its checksum, its cutting into segments.
 *
 * @kernel struct virtio_net_hdr include/uapi/linux/virtio_net.h
 */
export class VirtioNetHdr {
  readonly #view: DataView

  constructor(buffer: ArrayBufferLike = new ArrayBuffer(VIRTIO_NET_HDR_BYTES), offset = 0) {
    this.#view = new DataView(buffer, offset, VIRTIO_NET_HDR_BYTES)
  }

  get flags(): number {
    return this.#view.getUint8(0)
  }

  set flags(value: number) {
    this.#view.setUint8(0, value)
  }

  /** One of `VIRTIO_NET_HDR_GSO`, and ECN. */
  get gsoType(): number {
    return this.#view.getUint8(1)
  }

  set gsoType(value: number) {
    this.#view.setUint8(1, value)
  }

  /** Bytes of all headers of the frame, as a hint. */
  get hdrLen(): number {
    return this.#view.getUint16(2, true)
  }

  set hdrLen(value: number) {
    this.#view.setUint16(2, value, true)
  }

  /** Bytes of payload in each segment. */
  get gsoSize(): number {
    return this.#view.getUint16(4, true)
  }

  set gsoSize(value: number) {
    this.#view.setUint16(4, value, true)
  }

  /** Where the sum begins, in bytes from the start of the frame. */
  get csumStart(): number {
    return this.#view.getUint16(6, true)
  }

  set csumStart(value: number) {
    this.#view.setUint16(6, value, true)
  }

  /** Where it is stored, in bytes from `csumStart`. */
  get csumOffset(): number {
    return this.#view.getUint16(8, true)
  }

  set csumOffset(value: number) {
    this.#view.setUint16(8, value, true)
  }

  /** Nothing is missing. */
  clear(): void {
    for (let at = 0; at < VIRTIO_NET_HDR_BYTES; at += 4) this.#view.setUint32(at, 0)
  }

  copyFrom(other: VirtioNetHdr): void {
    for (let at = 0; at < VIRTIO_NET_HDR_BYTES; at += 4) this.#view.setUint32(at, other.#view.getUint32(at))
  }
}

/**
 * Finishes the checksum of a frame in place, as a card without a big frame to cut would.
 *
 * The header says so afterwards. Does nothing when no checksum is missing; false when the header points outside.
 *
 * @kernel skb_checksum_help() net/core/dev.c
 */
export function completeChecksum(
  header: VirtioNetHdr,
  mem: Uint8Array,
  offset: number,
  length: number,
): boolean {
  if ((header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) === 0) return true
  const start = header.csumStart
  const field = start + header.csumOffset
  if (field + 2 > length) return false
  let sum = 0
  const end = offset + length
  let at = offset + start
  for (; at + 1 < end; at += 2) sum += (mem[at]! << 8) | mem[at + 1]!
  if (at < end) sum += mem[at]! << 8
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  // A UDP checksum of zero means there is none, so its other form stands for it.
  const check = ~sum & 0xffff || 0xffff
  mem[offset + field] = check >> 8
  mem[offset + field + 1] = check & 0xff
  header.flags = header.flags & ~VIRTIO_NET_HDR_F_NEEDS_CSUM
  return true
}
