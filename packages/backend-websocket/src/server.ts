import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { Errno, ERRNO, prErr, prInfo } from '@vnet/kernel'
import type { ErrnoName, Kernel } from '@vnet/kernel'
import type { WebSocketServer as WsServer } from 'ws'
import { admit } from './admission.ts'
import type { Admission } from './admission.ts'
import { MAX_FRAME_BYTES, WebSocketPeer } from './peer.ts'
import type { WebSocketOptions } from './peer.ts'
import type { WebSocketLike } from './socket.ts'

/** A client that vanished without a word is noticed by its silence. */
const KEEPALIVE_MS = 10_000
const STATUS_TEXT = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
} as const

/**
 * Who a connection is from.
 *
 * @kernel none
 */
export interface WebSocketVisitor {
  readonly address: string
  /** The page, when it is one. */
  readonly origin: string | undefined
}

/**
 * How a WebSocket server is made.
 *
 * @kernel none
 */
export interface WebSocketServerOptions extends Admission, WebSocketOptions {
  /** 0: any that is free, see `listenPort`. */
  readonly port: number
  /** Default 127.0.0.1: think before it is anything else. */
  readonly host?: string
  /** More are refused. Default 64. */
  readonly maxClients?: number
  /** Gets one cable for each connection. It is closed when the connection is; `onDisconnect` says so. */
  readonly onConnection: (peer: WebSocketPeer, visitor: WebSocketVisitor) => void
}

/**
 * What a server counts besides what its connections count. Numbers only grow.
 *
 * @kernel none
 */
export class WebSocketServerStats {
  accepted = 0
  /** Wrong path, wrong page, wrong token, too many. */
  refused = 0
}

/**
 * Serves cables over WebSocket. Made by `webSocketServer()`.
 *
 * @kernel none
 */
export class WebSocketServer {
  readonly stats: WebSocketServerStats
  /** Fulfilled when it listens. Rejected with an `Errno` when it cannot. */
  readonly ready: Promise<void>
  readonly #kernel: Kernel
  readonly #options: WebSocketServerOptions
  readonly #http: Server
  readonly #peers: Set<WebSocketPeer>
  #ws: WsServer | null
  #closed: boolean

  constructor(kernel: Kernel, options: WebSocketServerOptions) {
    const { port } = options
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new Errno('EINVAL', `port is ${port}, must be from 0 to 65535`, 'port')
    }
    this.stats = new WebSocketServerStats()
    this.#kernel = kernel
    this.#options = options
    this.#peers = new Set()
    this.#ws = null
    this.#closed = false
    this.#http = createServer((_, response) => response.writeHead(426, { Upgrade: 'websocket' }).end())
    this.#http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head)
    })
    this.ready = this.#listen()
    // Who does not look at it finds it in the log.
    this.ready.catch((error: unknown) => prErr(kernel, `websocket ${this.#where()}: ${String(error)}`))
  }

  /** Connections there are now. */
  get peers(): readonly WebSocketPeer[] {
    return [...this.#peers]
  }

  /** The port it listens on; 0 before `ready`. */
  get listenPort(): number {
    const address = this.#http.address() as AddressInfo | null
    return address?.port ?? 0
  }

  /** Ends all connections and stops listening. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const peer of this.#peers) peer.close()
    // Without waiting for those that do not answer.
    for (const socket of this.#ws?.clients ?? []) socket.terminate()
    this.#ws?.close()
    this.#http.close()
    this.#http.closeAllConnections()
  }

  async #listen(): Promise<void> {
    // Not taken apart: the compiler gives the name of this class another one, there too.
    const ws = await import('ws')
    this.#ws = new ws.WebSocketServer({
      noServer: true,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
    })
    if (this.#closed) return
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', (error: NodeJS.ErrnoException) => reject(this.#refusal(error)))
      this.#http.listen(this.#options.port, this.#host(), () => resolve())
    })
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {})
    const full = this.#peers.size >= (this.#options.maxClients ?? 64)
    const status = full ? 503 : admit(request, this.#options)
    if (status !== 0) return this.#refuse(socket, status, request)
    this.#ws!.handleUpgrade(request, socket, head, (ws) =>
      this.#accept(ws as unknown as WebSocketLike, request),
    )
  }

  #refuse(socket: Duplex, status: keyof typeof STATUS_TEXT, request: IncomingMessage): void {
    this.stats.refused++
    prInfo(
      this.#kernel,
      `websocket ${this.#where()}: refused ${visitor(request).address}: ${STATUS_TEXT[status]}`,
    )
    socket.end(`HTTP/1.1 ${status} ${STATUS_TEXT[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  }

  #accept(socket: WebSocketLike, request: IncomingMessage): void {
    this.stats.accepted++
    const who = visitor(request)
    const peer = new WebSocketPeer(
      this.#kernel,
      `websocket ${who.address}#${this.stats.accepted}`,
      this.#options,
    )
    this.#peers.add(peer)
    peer.onDisconnect = () => {}
    this.#options.onConnection(peer, who)
    const told = peer.onDisconnect
    peer.onDisconnect = () => {
      this.#peers.delete(peer)
      told()
    }
    request.socket.setKeepAlive(true, KEEPALIVE_MS)
    peer.adopt(socket)
  }

  #refusal(error: NodeJS.ErrnoException): Error {
    const code = String(error.code)
    if (!(code in ERRNO)) return error
    const sentence = WHAT_TO_DO[code]?.replace('$', this.#where())
    return new Errno(code as ErrnoName, sentence)
  }

  #host(): string {
    return this.#options.host ?? '127.0.0.1'
  }

  #where(): string {
    return `${this.#host()}:${this.#options.port}`
  }
}

const WHAT_TO_DO: Readonly<Record<string, string>> = {
  EADDRINUSE: '$ is taken by another program: end it, or choose another port',
  EACCES: 'this user may not listen at $: choose a port of 1024 or above',
  EADDRNOTAVAIL: 'no interface here has the address of $',
}

function visitor(request: IncomingMessage): WebSocketVisitor {
  const { remoteAddress, remotePort } = request.socket
  return { address: `${remoteAddress ?? '?'}:${remotePort ?? 0}`, origin: request.headers.origin }
}

/**
 * Makes a server of WebSocket cables, as the relay of v86 speaks it: one binary message is one frame.
 *
 * Listening begins soon; `ready` says when. Call `close()` when done.
 *
 * @throws Errno EINVAL for options that make no sense
 * @kernel none
 */
export function webSocketServer(kernel: Kernel, options: WebSocketServerOptions): WebSocketServer {
  return new WebSocketServer(kernel, options)
}
