import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatFrame } from '@vnet/wire'
import { RawSock } from '../../src/index.ts'
import { Host, receive } from '../helpers.ts'
import { ipFrame } from '../packets.ts'

const PROTOCOL = 253

function listen(host: Host): RawSock {
  const sock = new RawSock(host.inet, 2, PROTOCOL)
  sock.options.rcvbuf = 1 << 24
  return sock
}

function pattern(len: number): Uint8Array {
  return Uint8Array.from({ length: len }, (_, i) => (i * 7 + (i >> 8)) & 255)
}

function piece(whole: Uint8Array, offset: number, end: number, id = 1): Uint8Array {
  return ipFrame({
    protocol: PROTOCOL,
    id,
    offset,
    more: end < whole.length,
    payload: whole.slice(offset, end),
  })
}

describe('reassembly', () => {
  it('puts a datagram together whatever the order, and copies do no harm', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 9, max: 4000 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        (len, cuts, chance) => {
          const host = new Host()
          const sock = listen(host)
          const whole = pattern(len)
          const places = [...new Set([0, ...cuts.map((c) => c * 8).filter((c) => c < len)])].sort(
            (a, b) => a - b,
          )
          const frames = places.map((at, i) => piece(whole, at, places[i + 1] ?? len))
          const order: Uint8Array[] = []
          for (const frame of frames) {
            order.splice(chance.next().value % (order.length + 1), 0, frame)
          }
          // A copy of one that is there already, in the middle of the others.
          const early = order.slice(0, -1)
          if (early.length > 0) order.splice(early.length, 0, early[chance.next().value % early.length]!)
          for (const frame of order) receive(host.dev, frame)
          const got = sock.recvmsg()
          expect(got?.bytes.slice(20)).toEqual(whole)
          expect(sock.recvmsg()).toBe(null)
          expect(host.ipv4.frags.memory).toBe(0)
          sock.close()
          host.end()
        },
      ),
      { numRuns: 150 },
    )
  })

  it('agrees with a map of bytes about overlaps: they lose everything', () => {
    const range = fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 1, max: 6 }), fc.boolean())
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 14 }), (ranges) => {
        const host = new Host()
        const sock = listen(host)
        const { ip } = host.ipv4
        let model = new ByteMap()
        let complete = 0
        for (const [at, units, last] of ranges) {
          const [begin, end] = [at * 8, (at + units) * 8]
          const said = model.add(begin, end, !last)
          if (said === 'complete') complete++
          if (said === 'lost' || said === 'complete') model = new ByteMap()
          const fails = ip.reasmFails
          receive(
            host.dev,
            ipFrame({ protocol: PROTOCOL, offset: begin, more: !last, payload: new Uint8Array(end - begin) }),
          )
          // A first and last fragment at once is no fragment.
          if (begin === 0 && last) continue
          expect(ip.reasmFails - fails).toBe(said === 'lost' ? 1 : 0)
        }
        expect(ip.reasmOks).toBe(complete)
        host.kernel.runFor(31e9)
        expect(host.ipv4.frags.inuse).toBe(0)
        sock.close()
        host.end()
      }),
      { numRuns: 400 },
    )
  })

  it('gives up after 30 seconds, and says so when it has the beginning', () => {
    const host = new Host()
    const whole = pattern(100)
    receive(host.dev, piece(whole, 0, 40))
    receive(host.dev, piece(whole, 48, 80, 2))
    host.kernel.runFor(29.9e9)
    expect(host.ipv4.ip.reasmTimeout).toBe(0)
    host.kernel.runFor(0.2e9)
    expect(host.ipv4.ip).toMatchObject({ reasmTimeout: 2, reasmFails: 2, reasmReqds: 2, reasmOks: 0 })
    expect(host.ipv4.icmp.outType[11]).toBe(1)
    host.end()
  })

  it('keeps within its memory', () => {
    const host = new Host()
    host.ipv4.frags.highThresh = 100_000
    const whole = pattern(2000)
    for (let id = 0; id < 500; id++) receive(host.dev, piece(whole, 0, 1000, id))
    expect(host.ipv4.frags.memory).toBeLessThan(110_000)
    expect(host.ipv4.ip.reasmFails).toBeGreaterThan(400)
    expect(host.kernel.census.take().filter(({ kind }) => kind === 'skb').length).toBeLessThan(60)
    host.end()
  })

  it('refuses more than 64 KiB', () => {
    const host = new Host()
    const big = ipFrame({ protocol: PROTOCOL, offset: 65_528, more: false, payload: new Uint8Array(100) })
    receive(host.dev, ipFrame({ protocol: PROTOCOL, offset: 0, more: true, payload: new Uint8Array(64) }))
    receive(host.dev, big)
    expect(host.ipv4.ip.reasmFails).toBe(1)
    expect(host.ipv4.frags.inuse).toBe(0)
    host.end()
  })

  it('delivers the largest datagram there is, and answers it in pieces', () => {
    const host = new Host()
    const ping = new Uint8Array(65_515)
    ping[0] = 8
    ping[2] = 0xf7
    ping[3] = 0xff
    for (let at = 0; at < ping.length; at += 1480) {
      receive(
        host.dev,
        ipFrame({
          protocol: 1,
          offset: at,
          more: at + 1480 < ping.length,
          payload: ping.slice(at, at + 1480),
        }),
      )
    }
    expect(host.ipv4.ip.reasmOks).toBe(1)
    expect(host.ipv4.icmp.inType[8]).toBe(1)
    expect(host.ipv4.icmp.outType[0]).toBe(1)
    expect(host.ipv4.ip.fragCreates).toBe(45)
    expect(formatFrame(host.take()[0]!)).toContain('who-has 10.0.0.2')
    host.end()
  })
})

/** What is known of one datagram, byte by byte. */
class ByteMap {
  readonly #bytes = new Uint8Array(256)
  #end = 0
  #last = false

  add(begin: number, end: number, more: boolean): 'kept' | 'copy' | 'lost' | 'complete' {
    if (begin === 0 && !more) return 'copy'
    if (!more) {
      if (end < this.#end || (this.#last && end !== this.#end)) return 'lost'
      this.#last = true
      this.#end = end
    } else if (end > this.#end) {
      if (this.#last) return 'lost'
      this.#end = end
    }
    const known = this.#bytes.slice(begin, end)
    if (known.every((b) => b === 1)) return 'copy'
    if (known.some((b) => b === 1)) return 'lost'
    this.#bytes.fill(1, begin, end)
    return this.#last && this.#bytes.slice(0, this.#end).every((b) => b === 1) ? 'complete' : 'kept'
  }
}
