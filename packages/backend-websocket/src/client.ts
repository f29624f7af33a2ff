import { Errno, prInfo } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { WebSocketPeer } from './peer.ts'
import type { WebSocketOptions } from './peer.ts'
import type { WebSocketConstructor, WebSocketLike } from './socket.ts'

/**
 * How a WebSocket cable goes to its server.
 *
 * @kernel none
 */
export interface WebSocketClientOptions extends WebSocketOptions {
  /** Shown to the server as the query parameter `token`. */
  readonly token?: string
  /** Milliseconds until it tries again; 0: never. Default 1,000. */
  readonly reconnectMs?: number
  /** The class to use. Default the runtime's own; in Node before 22 that of `ws`. */
  readonly WebSocket?: WebSocketConstructor
}

/** Finds the class to use when none was given, now or later. */
export type FindWebSocket = () => WebSocketConstructor | Promise<WebSocketConstructor>

/**
 * A WebSocket cable that goes to a server, and tries again when it is lost. Made by `webSocketClient()`.
 *
 * @kernel none
 */
export class WebSocketClient extends WebSocketPeer {
  readonly #url: string
  readonly #reconnectMs: number
  readonly #find: FindWebSocket
  #attempt: WebSocketLike | null
  #timer: ReturnType<typeof setTimeout> | null
  #closed: boolean
  #told: boolean

  constructor(kernel: Kernel, url: string, options: WebSocketClientOptions, find: FindWebSocket) {
    const { address, name } = checkedUrl(url, options.token)
    super(kernel, name, options)
    const { reconnectMs = 1000, WebSocket } = options
    this.#url = address
    this.#reconnectMs = reconnectMs
    this.#find = WebSocket === undefined ? find : () => WebSocket
    this.#attempt = null
    this.#timer = null
    this.#closed = false
    this.#told = false
    this.#start()
  }

  override close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const attempt = this.#attempt
    this.#attempt = null
    attempt?.close()
    super.close()
  }

  #start(): void {
    const found = this.#find()
    if (!(found instanceof Promise)) return this.#connect(found)
    found.then(
      (WebSocket) => this.#connect(WebSocket),
      (error: unknown) => this.#failed(String(error)),
    )
  }

  #connect(WebSocket: WebSocketConstructor): void {
    if (this.#closed) return
    const socket = new WebSocket(this.#url)
    this.#attempt = socket
    socket.onopen = () => {
      if (this.#attempt !== socket) return
      this.#attempt = null
      this.#told = false
      this.adopt(socket)
      this.onDisconnect = () => this.#again()
    }
    socket.onerror = () => {}
    socket.onclose = () => {
      if (this.#attempt !== socket) return
      this.#attempt = null
      this.#failed('nobody answers, or we are refused')
    }
  }

  #failed(reason: string): void {
    this.stats.connectErrors++
    // Once, not each second.
    if (!this.#told) prInfo(this.kernel, `${this.name}: ${reason}`)
    this.#told = true
    this.#again()
  }

  #again(): void {
    if (this.#closed || this.#reconnectMs === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#start()
    }, this.#reconnectMs)
  }
}

/** The address to call, and the name for logs, which does not show the token. */
function checkedUrl(url: string, token: string | undefined): { address: string; name: string } {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new Errno('EINVAL', `'${url}' is no address: ws://host:port/path`, 'url')
  }
  if (parsed.protocol !== 'ws:' && parsed.protocol !== 'wss:') {
    throw new Errno('EINVAL', `'${url}' begins with ${parsed.protocol}, must be ws: or wss:`, 'url')
  }
  const name = parsed.host + parsed.pathname
  if (token !== undefined) parsed.searchParams.set('token', token)
  return { address: parsed.href, name }
}

/** The runtime's own class: browsers have one, Node from 22 on. */
export function runtimeWebSocket(): WebSocketConstructor | undefined {
  return Reflect.get(globalThis, 'WebSocket') as WebSocketConstructor | undefined
}
