/**
 * The client of `@vnet/backend-websocket` for browsers: without Node, without `ws`.
 *
 * @packageDocumentation
 */
import { Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { runtimeWebSocket, WebSocketClient } from './client.ts'
import type { WebSocketClientOptions } from './client.ts'

export { WebSocketClient } from './client.ts'
export type { WebSocketClientOptions } from './client.ts'
export { MAX_FRAME_BYTES, WebSocketPeer } from './peer.ts'
export type { WebSocketOptions } from './peer.ts'
export type { WebSocketConstructor, WebSocketLike } from './socket.ts'
export { WebSocketStats } from './stats.ts'

/**
 * Makes a cable to a WebSocket server: that of this package, or any relay where one binary message is one frame.
 *
 * Call `close()` when done.
 *
 * @throws Errno EINVAL for an address that is none, EOPNOTSUPP when the runtime has no WebSocket
 * @kernel none
 */
export function webSocketClient(
  kernel: Kernel,
  url: string,
  options: WebSocketClientOptions = {},
): WebSocketClient {
  const own = options.WebSocket ?? runtimeWebSocket()
  if (own === undefined) {
    throw new Errno('EOPNOTSUPP', 'this runtime has no WebSocket: give one as the option WebSocket')
  }
  return new WebSocketClient(kernel, url, options, () => own)
}
