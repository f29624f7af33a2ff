import type { Kernel } from '@vnet/kernel'
import { runtimeWebSocket, WebSocketClient } from './client.ts'
import type { WebSocketClientOptions } from './client.ts'
import type { WebSocketConstructor } from './socket.ts'

async function fromWs(): Promise<WebSocketConstructor> {
  const { WebSocket } = await import('ws')
  return WebSocket as unknown as WebSocketConstructor
}

/**
 * Makes a cable to a WebSocket server: that of this package, or any relay where one binary message is one frame.
 *
 * Call `close()` when done.
 *
 * @throws Errno EINVAL for an address that is none
 * @kernel none
 */
export function webSocketClient(
  kernel: Kernel,
  url: string,
  options: WebSocketClientOptions = {},
): WebSocketClient {
  return new WebSocketClient(kernel, url, options, () => runtimeWebSocket() ?? fromWs())
}
