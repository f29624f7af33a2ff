/**
 * A TAP device of the host as a cable.
 *
 * `tapBackend()` makes one or takes one that is there; plug a card into it, and the card is on the host's network.
 * What the host refuses is thrown as an `Errno` whose message says what to do.
 *
 * @packageDocumentation
 */

export { tapBackend, TapBackend } from './tap-backend.ts'
export type { TapOptions } from './options.ts'
export { TapStats } from './stats.ts'
export { tapProblem } from './support.ts'
export { explainTapRefusal } from './refusals.ts'
export type { TapStep } from './refusals.ts'
export { joinTaps } from './offload-wire.ts'
export {
  completeChecksum,
  VIRTIO_NET_HDR_BYTES,
  VIRTIO_NET_HDR_F_DATA_VALID,
  VIRTIO_NET_HDR_F_NEEDS_CSUM,
  VIRTIO_NET_HDR_GSO,
  VirtioNetHdr,
} from './virtio-net-hdr.ts'
