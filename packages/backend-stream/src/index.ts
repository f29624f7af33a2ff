/**
 * QEMU’s stream and dgram netdevs as a cable, over Unix and TCP sockets.
 *
 * Frames go over a stream with their length before them. `streamServer()` and `streamClient()` are the two ends; the
 * client comes back when the connection was lost. `unixDgram()` is one frame in a datagram.
 *
 * @packageDocumentation
 */

export { streamServer, StreamServer } from './server.ts'
export { streamClient, StreamClient } from './client.ts'
export { StreamBackend } from './stream-backend.ts'
export type { StreamAddress, StreamClientOptions, StreamOptions } from './options.ts'
export { StreamStats } from './stats.ts'
export { DgramStats, UnixDgram, unixDgram } from './unix-dgram.ts'
export type { UnixDgramOptions } from './unix-dgram.ts'
export { FRAME_HEADER_BYTES, FrameDecoder, MAX_FRAME_BYTES, putFrame } from './frame-codec.ts'
export type { FrameSink } from './frame-codec.ts'
