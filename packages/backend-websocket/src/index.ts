/**
 * Frames over WebSocket as a cable: one binary message is one frame.
 *
 * `webSocketClient()` for browsers and Node, `webSocketServer()` for Node, `webSocketRelay()` for a switch everybody
 * may plug into. In a browser import `@vnet/backend-websocket/browser`, which has the client alone.
 *
 * @packageDocumentation
 */

export { webSocketClient } from './node-client.ts'
export { WebSocketClient } from './client.ts'
export type { WebSocketClientOptions } from './client.ts'
export { webSocketServer, WebSocketServer, WebSocketServerStats } from './server.ts'
export type { WebSocketServerOptions, WebSocketVisitor } from './server.ts'
export { webSocketRelay, WebSocketRelay } from './relay.ts'
export type { WebSocketRelayOptions } from './relay.ts'
export { admit } from './admission.ts'
export type { Admission } from './admission.ts'
export { MAX_FRAME_BYTES, WebSocketPeer } from './peer.ts'
export type { WebSocketOptions } from './peer.ts'
export type { WebSocketConstructor, WebSocketLike } from './socket.ts'
export { WebSocketStats } from './stats.ts'
