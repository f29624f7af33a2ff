/**
 * The part of a WebSocket that is used: the same in browsers, in Node 22 or newer, and in `ws`.
 *
 * @kernel none
 */
export interface WebSocketLike {
  binaryType: string
  readonly bufferedAmount: number
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(bytes: Uint8Array): void
  close(): void
}

/**
 * Makes a WebSocket: the browser's own class, or that of `ws`.
 *
 * @kernel none
 */
export type WebSocketConstructor = new (url: string, protocols?: string | string[]) => WebSocketLike
