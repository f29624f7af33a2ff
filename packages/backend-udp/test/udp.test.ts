import { createSocket } from 'node:dgram'
import { accounts } from '@vnet/backend'
import { createKernel } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LearnedAddresses } from '../src/learned.ts'
import { udpBackend } from '../src/udp-backend.ts'
import type { UdpBackend } from '../src/udp-backend.ts'
import { vxlanBackend } from '../src/vxlan-backend.ts'
import type { VxlanOptions } from '../src/vxlan-backend.ts'
import { getVxlanVni, putVxlanHeader } from '../src/vxlan-header.ts'
import { numbered, send, StubCard, until } from '../../../test/lib/stub-card.ts'

const HOST = '127.0.0.1'

/** An Ethernet frame between two stations known by one byte each; 0xff is everyone. */
function ether(to: number, from: number): Uint8Array {
  const station = (n: number): number[] => (n === 0xff ? Array<number>(6).fill(255) : [2, 0, 0, 0, 0, n])
  return Uint8Array.of(...station(to), ...station(from), 0x88, 0xb5, ...new Uint8Array(46))
}

/** A port nobody has now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, HOST, resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}

describe('cables in UDP', () => {
  let kernel: Kernel
  const open: { close(): void }[] = []

  beforeEach(() => {
    kernel = createKernel({ clock: 'real' })
  })

  afterEach(() => {
    for (const one of open.splice(0)) one.close()
    kernel.shutdown()
  })

  const keep = <T extends { close(): void }>(one: T): T => {
    open.push(one)
    return one
  }

  /** Two ends of a plain cable, each with a card. */
  async function pair(options = {}): Promise<[UdpBackend, UdpBackend, StubCard, StubCard]> {
    const ports = [await freePort(), await freePort()] as const
    const ends = [0, 1].map((i) =>
      keep(
        udpBackend(kernel, {
          local: { host: HOST, port: ports[i]! },
          remote: { host: HOST, port: ports[1 - i]! },
          ...options,
        }),
      ),
    )
    const cards = ends.map((end) => {
      const card = new StubCard()
      end.attach(card)
      return card
    })
    await Promise.all(ends.map((end) => end.ready))
    return [ends[0]!, ends[1]!, cards[0]!, cards[1]!]
  }

  it('a plain one carries frames of all lengths both ways', async () => {
    const [a, b, ca, cb] = await pair()
    expect([a.linkUp, b.linkUp]).toEqual([true, true])
    for (const length of [14, 60, 1514, 9014, 9216]) {
      expect(send(a, numbered(length, length))).toBe(true)
      expect(send(b, numbered(length + 1, length))).toBe(true)
    }
    await until(() => ca.frames.length === 5 && cb.frames.length === 5, 'all')
    expect(cb.frames.map((frame) => frame.length)).toEqual([14, 60, 1514, 9014, 9216])
    expect(cb.frames[2]).toEqual(numbered(1514, 1514))
    send(a, new Uint8Array(9217))
    expect(a.stats.txOversize).toBe(1)
    for (const end of [a, b]) expect(accounts(end).problems).toEqual([])
  })

  it('refuses when too much is on its way, and goes on', async () => {
    const [a, , ca, cb] = await pair({ slots: 4 })
    let next = 0
    const pump = (): void => {
      while (next < 100 && send(a, numbered(next))) next++
    }
    ca.onWritable = pump
    pump()
    expect(next).toBe(4)
    await until(() => cb.frames.length === 100, 'all')
    expect(ca.writables).toBe(a.stats.txFull)
  })

  it('takes nothing from strangers', async () => {
    const [a, , ca] = await pair()
    const stranger = createSocket('udp4')
    keep({ close: () => stranger.close() })
    stranger.send(numbered(1), a.localPort, HOST)
    await until(() => a.stats.rxStrangers === 1, 'the stranger')
    expect(ca.frames).toEqual([])
  })

  it('says what to do when a port is taken', async () => {
    const [a] = await pair()
    const second = keep(
      udpBackend(kernel, { local: { host: HOST, port: a.localPort }, remote: { host: HOST, port: 9 } }),
    )
    await expect(second.ready).rejects.toMatchObject({ code: 'EADDRINUSE', message: /choose another port/ })
    expect(second.linkUp).toBe(false)
    send(second, numbered(1))
    expect(second.counters).toMatchObject({ txFrames: 1, dropped: 1 })
  })

  it('refuses options that make no sense', () => {
    const good = { host: HOST, port: 9 }
    expect(() => udpBackend(kernel, { local: good, remote: { host: 'name', port: 9 } })).toThrow(
      /no IPv4 or IPv6/,
    )
    expect(() => udpBackend(kernel, { local: good, remote: { host: '::1', port: 9 } })).toThrow(
      /both IPv4 and IPv6/,
    )
    expect(() => udpBackend(kernel, { local: good, remote: { host: HOST, port: 0 } })).toThrow(/port is 0/)
    expect(() => udpBackend(kernel, { local: good, remote: good, slots: 0 })).toThrow(/slots is 0/)
    expect(() => vxlanBackend(kernel, { vni: 1 << 24, remotes: [HOST] })).toThrow(/vni is 16777216/)
    expect(() => vxlanBackend(kernel, { vni: 1, remotes: [] })).toThrow(/there is none/)
  })

  it('a VXLAN floods to all remotes, learns, and keeps networks apart', async () => {
    const port = await freePort()
    const end = (last: number, vni: number, remotes: readonly number[], more: Partial<VxlanOptions> = {}) => {
      const options = {
        vni,
        local: `127.0.0.${last}`,
        remotes: remotes.map((r) => `127.0.0.${r}`),
        port,
        ...more,
      }
      const made = keep(vxlanBackend(kernel, options))
      const card = new StubCard()
      made.attach(card)
      return { made, card }
    }
    const [one, two, three] = [end(1, 7, [2, 3]), end(2, 7, [1, 3]), end(3, 7, [1, 2])]
    await Promise.all([one, two, three].map(({ made }) => made.ready))
    send(one.made, ether(0xff, 1))
    await until(() => two.card.frames.length === 1 && three.card.frames.length === 1, 'everybody')
    send(two.made, ether(1, 2))
    await until(() => one.card.frames.length === 1, 'the answer')
    expect(one.card.frames[0]).toEqual(ether(1, 2))
    send(one.made, ether(2, 1))
    await until(() => two.card.frames.length === 2, 'straight there')
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(three.card.frames).toHaveLength(1)

    const raw = createSocket('udp4')
    keep({ close: () => raw.close() })
    await new Promise<void>((resolve) => raw.bind(0, '127.0.0.2', resolve))
    const other = new Uint8Array(68)
    putVxlanHeader(8, other, 0)
    for (const bytes of [other, Uint8Array.of(8, 0, 0), new Uint8Array(60)]) raw.send(bytes, port, HOST)
    await until(() => one.made.stats.rxInvalid === 2 && one.made.stats.rxOtherVni === 1, 'what is not ours')
    expect(one.card.frames).toHaveLength(1)
    expect(accounts(one.made).problems).toEqual([])
  })
})

describe('VXLAN header', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffff }), fc.integer({ min: 0, max: 9 }), (vni, at) => {
        const mem = new Uint8Array(20).fill(0xee)
        putVxlanHeader(vni, mem, at)
        expect(getVxlanVni(mem, at, 8)).toBe(vni)
      }),
    )
  })

  it('nothing else is one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const vni = getVxlanVni(bytes, 0, bytes.length)
        expect(vni === -1).toBe(bytes.length < 8 || bytes[0] !== 8)
      }),
    )
  })
})

describe('learned addresses', () => {
  const mac = (n: number): Uint8Array => Uint8Array.of(2, 0, n >>> 24, n >>> 16, n >>> 8, n)

  it('are forgotten after 300 seconds, and when moved are where they were seen last', () => {
    const learned = new LearnedAddresses()
    learned.learn(mac(1), 0, 0, 0)
    learned.learn(mac(1), 0, 1, 10e9)
    expect(learned.lookup(mac(1), 0, 310e9)).toBe(1)
    expect(learned.lookup(mac(1), 0, 311e9)).toBe(-1)
    expect(learned.size).toBe(0)
  })

  it('a flood of sources takes a bounded room', () => {
    const learned = new LearnedAddresses()
    for (let n = 0; n < 10_000; n++) learned.learn(mac(n), 0, 0, 0)
    expect(learned.size).toBe(4096)
    expect(learned.lookup(mac(9999), 0, 0)).toBe(0)
  })

  it('a group is nobody', () => {
    const learned = new LearnedAddresses()
    const group = Uint8Array.of(1, 0, 94, 0, 0, 1)
    learned.learn(group, 0, 0, 0)
    expect(learned.lookup(group, 0, 0)).toBe(-1)
    expect(learned.size).toBe(0)
  })
})
