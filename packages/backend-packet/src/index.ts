/**
 * A network interface of the host as a cable, by AF_PACKET rings.
 *
 * `packetBackend()` puts a card on an interface that is there: frames are read in place from a ring shared with the
 * kernel. What the host refuses is thrown as an `Errno` whose message says what to do.
 *
 * @packageDocumentation
 */

export { packetBackend, PacketBackend } from './packet-backend.ts'
export { explainPacketRefusal } from './options.ts'
export type { PacketOptions } from './options.ts'
export { PacketStats } from './stats.ts'
export { RxRing, TP_STATUS } from './rx-ring.ts'
export type { RingLayout } from './rx-ring.ts'
export { finishChecksum } from './checksum.ts'
export { TcpSegmenter } from './segmenter.ts'
