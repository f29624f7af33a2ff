import { request } from 'node:http'
import { accounts } from '@vnet/backend'
import { createKernel } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { webSocketClient } from '../src/node-client.ts'
import type { WebSocketClient, WebSocketClientOptions } from '../src/client.ts'
import { MAX_FRAME_BYTES } from '../src/peer.ts'
import type { WebSocketPeer } from '../src/peer.ts'
import { webSocketRelay } from '../src/relay.ts'
import { webSocketServer } from '../src/server.ts'
import type { WebSocketServer, WebSocketServerOptions } from '../src/server.ts'
import type { WebSocketConstructor, WebSocketLike } from '../src/socket.ts'
import { numbered, send, StubCard, until } from '../../../test/lib/stub-card.ts'

describe('a WebSocket cable', () => {
  let kernel: Kernel
  const open: { close(): void }[] = []
  const peers: WebSocketPeer[] = []
  const cards: StubCard[] = []

  beforeEach(() => {
    kernel = createKernel({ clock: 'real' })
    peers.length = 0
    cards.length = 0
  })

  afterEach(() => {
    for (const one of open.splice(0).reverse()) one.close()
    kernel.shutdown()
  })

  const keep = <T extends { close(): void }>(one: T): T => {
    open.push(one)
    return one
  }

  async function serve(options: Partial<WebSocketServerOptions> = {}): Promise<WebSocketServer> {
    const server = keep(
      webSocketServer(kernel, {
        port: 0,
        onConnection: (peer) => {
          const card = new StubCard()
          peer.attach(card)
          peers.push(peer)
          cards.push(card)
        },
        ...options,
      }),
    )
    await server.ready
    return server
  }

  async function client(
    server: WebSocketServer,
    options: WebSocketClientOptions = {},
  ): Promise<WebSocketClient> {
    const made = keep(
      webSocketClient(kernel, `ws://127.0.0.1:${server.listenPort}/`, { reconnectMs: 5, ...options }),
    )
    await until(() => made.linkUp, 'the connection')
    return made
  }

  const pluggedIn = (backend: WebSocketClient): StubCard => {
    const card = new StubCard()
    backend.attach(card)
    return card
  }

  it('carries frames of all lengths both ways, in order', async () => {
    const near = await client(await serve())
    const card = pluggedIn(near)
    const lengths = [14, 60, 125, 126, 1514, 65_535, 65_536, MAX_FRAME_BYTES]
    for (const length of lengths) {
      expect(send(near, numbered(length, length))).toBe(true)
      send(peers[0]!, numbered(length + 1, length))
    }
    await until(
      () => card.frames.length === lengths.length && cards[0]!.frames.length === lengths.length,
      'all',
    )
    expect(cards[0]!.frames).toEqual(lengths.map((length) => numbered(length, length)))
    expect(card.frames).toEqual(lengths.map((length) => numbered(length + 1, length)))
    for (const end of [near, peers[0]!]) expect(accounts(end).problems).toEqual([])
  })

  it('speaks as any relay does: one binary message is one frame', async () => {
    const server = await serve()
    const socket = new WebSocket(`ws://127.0.0.1:${server.listenPort}/`)
    keep({ close: () => socket.terminate() })
    const heard = new Promise<Buffer>((resolve) => socket.once('message', (data: Buffer) => resolve(data)))
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send(numbered(1))
    socket.send('text is no frame')
    await until(() => peers[0]?.stats.rxText === 1, 'both messages')
    expect(cards[0]!.frames).toEqual([numbered(1)])
    send(peers[0]!, numbered(2))
    expect(new Uint8Array(await heard)).toEqual(numbered(2))
  })

  it('comes back when the server does', async () => {
    const server = await serve()
    const near = await client(server)
    const card = pluggedIn(near)
    const port = server.listenPort
    server.close()
    await until(() => !near.linkUp, 'the link goes')
    expect(send(near, numbered(1))).toBe(true)
    expect(near.counters.dropped).toBe(1)
    await until(() => near.stats.connectErrors > 0, 'an attempt in vain')
    await serve({ port })
    await until(() => near.linkUp, 'the link comes back')
    expect(card.links).toEqual([false, true])
  })

  it('refuses a card whose server does not read, and loses nothing', async () => {
    // A socket whose buffer is in the test's hand.
    const sent: Uint8Array[] = []
    const socket = { bufferedAmount: 0 } as { -readonly [key in keyof WebSocketLike]: WebSocketLike[key] }
    socket.send = (bytes) => {
      sent.push(bytes)
      socket.bufferedAmount += bytes.length
    }
    socket.close = () => {}
    const Slow = function (): WebSocketLike {
      queueMicrotask(() => socket.onopen?.({} as never))
      return socket
    } as unknown as WebSocketConstructor
    const near = keep(webSocketClient(kernel, 'ws://x/', { WebSocket: Slow, maxBuffered: 10_000 }))
    const card = pluggedIn(near)
    await until(() => near.linkUp, 'the connection')
    let next = 0
    while (send(near, numbered(next, 1000))) next++
    expect(next).toBe(11)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(card.writables).toBe(0)
    socket.bufferedAmount = 4000
    await until(() => card.writables === 1, 'room')
    expect(sent).toEqual(Array.from({ length: 11 }, (_, i) => numbered(i, 1000)))
    expect(near.stats.txFull).toBe(1)
  })

  it('a client that floods keeps nobody from the loop, and is counted', async () => {
    const server = await serve()
    const socket = new WebSocket(`ws://127.0.0.1:${server.listenPort}/`)
    keep({ close: () => socket.terminate() })
    await new Promise((resolve) => socket.once('open', resolve))
    await until(() => cards.length === 1, 'the connection')
    cards[0]!.takes = false
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    for (let i = 0; i < 20_000; i++) socket.send(numbered(i))
    await until(() => peers[0]!.counters.rxMissed === 20_000, 'all were offered')
    clearInterval(timer)
    expect(turns).toBeGreaterThan(0)
    expect(accounts(peers[0]!).problems).toEqual([])
  })

  it('ends a connection whose message is longer than any frame', async () => {
    const server = await serve()
    const socket = new WebSocket(`ws://127.0.0.1:${server.listenPort}/`)
    socket.on('error', () => {})
    const code = new Promise((resolve) => socket.once('close', resolve))
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send(new Uint8Array(MAX_FRAME_BYTES + 1))
    expect(await code).toBe(1009)
    await until(() => server.peers.length === 0, 'it is gone')
    expect(cards[0]!.frames).toEqual([])
    expect(cards[0]!.links).toEqual([true, false])
  })

  describe('refuses', () => {
    /** The status a request to connect is answered with; 101 is yes. */
    function knock(
      server: WebSocketServer,
      path: string,
      headers: Record<string, string> = {},
    ): Promise<number> {
      return new Promise((resolve, reject) => {
        const upgrade = {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        }
        const asked = request({ port: server.listenPort, path, headers: { ...upgrade, ...headers } })
        asked.on('response', (response) => resolve(response.statusCode!))
        asked.on('upgrade', (_, socket) => {
          socket.destroy()
          resolve(101)
        })
        asked.on('error', reject)
        asked.end()
      })
    }

    it('pages of others, unless they are named', async () => {
      const server = await serve()
      expect(await knock(server, '/')).toBe(101)
      expect(await knock(server, '/', { Origin: 'http://localhost:5173' })).toBe(101)
      expect(await knock(server, '/', { Origin: 'https://evil.example' })).toBe(403)
      expect(await knock(server, '/', { Origin: 'https://localhost.evil.example' })).toBe(403)
      expect(await knock(server, '/', { Origin: 'null' })).toBe(403)
      const named = await serve({ origins: ['https://good.example'] })
      expect(await knock(named, '/', { Origin: 'https://good.example' })).toBe(101)
      expect(await knock(named, '/', { Origin: 'http://localhost' })).toBe(403)
      expect(await knock(await serve({ origins: '*' }), '/', { Origin: 'https://evil.example' })).toBe(101)
      expect(named.stats).toEqual({ accepted: 1, refused: 1 })
    })

    it('who does not show the token', async () => {
      const server = await serve({ token: 'sesame' })
      expect(await knock(server, '/')).toBe(401)
      expect(await knock(server, '/?token=sesam')).toBe(401)
      expect(await knock(server, '/?token=sesame')).toBe(101)
      expect(await knock(server, '/', { Authorization: 'Bearer sesame' })).toBe(101)
      expect((await client(server, { token: 'sesame' })).linkUp).toBe(true)
      const wrong = keep(webSocketClient(kernel, `ws://127.0.0.1:${server.listenPort}/`, { reconnectMs: 0 }))
      await until(() => wrong.stats.connectErrors === 1, 'the refusal')
      expect(wrong.name).not.toContain('sesame')
    })

    it('another path, and one too many', async () => {
      const server = await serve({ path: '/vnet', maxClients: 1 })
      expect(await knock(server, '/')).toBe(404)
      const first = keep(webSocketClient(kernel, `ws://127.0.0.1:${server.listenPort}/vnet`))
      await until(() => first.linkUp, 'the first')
      expect(await knock(server, '/vnet')).toBe(503)
      first.close()
      await until(() => server.peers.length === 0, 'it is gone')
      expect(await knock(server, '/vnet')).toBe(101)
    })

    it('a port that is taken, and says so', async () => {
      const server = await serve()
      const second = keep(webSocketServer(kernel, { port: server.listenPort, onConnection: () => undefined }))
      await expect(second.ready).rejects.toMatchObject({ code: 'EADDRINUSE', message: /choose another port/ })
    })

    it('options that make no sense', () => {
      expect(() => webSocketServer(kernel, { port: -1, onConnection: () => undefined })).toThrow(/port is -1/)
      expect(() => webSocketClient(kernel, 'nonsense')).toThrow(/is no address/)
      expect(() => webSocketClient(kernel, 'http://x/')).toThrow(/must be ws: or wss:/)
    })
  })

  it('a relay is one Ethernet for all', async () => {
    const relay = keep(webSocketRelay(kernel, { port: 0, maxClients: 2 }))
    await relay.server.ready
    const local = new StubCard()
    relay.port(0).attach(local)
    const ends = [await client(relay.server), await client(relay.server)]
    const plugged = ends.map(pluggedIn)
    await until(() => relay.server.peers.length === 2, 'both')
    const broadcast = new Uint8Array(60).fill(0xff, 0, 6)
    broadcast.set([2, 0, 0, 0, 0, 9, 0x88, 0xb5], 6)
    send(ends[0]!, broadcast)
    await until(() => local.frames.length === 1 && plugged[1]!.frames.length === 1, 'it is everywhere')
    expect(plugged[0]!.frames).toEqual([])
    const answer = Uint8Array.of(2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb5, ...new Uint8Array(46))
    send(relay.port(0), answer)
    await until(() => plugged[0]!.frames.length === 1, 'it is where it belongs')
    expect(plugged[1]!.frames).toHaveLength(1)
    ends[0]!.close()
    await until(() => relay.server.peers.length === 1, 'one left')
    expect((await client(relay.server)).linkUp).toBe(true)
    expect(() => relay.port(1)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    relay.port(0).attach(null)
  })
})
