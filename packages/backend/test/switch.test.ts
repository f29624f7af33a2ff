import { createKernel } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ForwardingTable } from '../src/fdb.ts'
import { switchBackend } from '../src/switch.ts'
import type { SwitchOptions } from '../src/switch.ts'
import { testBackend } from './contract.ts'
import { ether, leftBehind, problems, station, TestPort } from './helpers.ts'

testBackend({
  name: 'a port of a switch, with a neighbour',
  create(kernel) {
    const sw = switchBackend(kernel, { ports: 4 })
    new TestPort(kernel).plug(sw.port(3))
    return { backend: sw.port(0), unplug: () => sw.port(3).attach(null) }
  },
})

const network = (options: Partial<SwitchOptions> = {}) => {
  const kernel = createKernel()
  const sw = switchBackend(kernel, { ports: 4, ...options })
  const cards = [0, 1, 2, 3].map((i) => new TestPort(kernel).plug(sw.port(i)))
  /** Sends from a port and gives the ports it came out of. */
  const send = (from: number, frame: Uint8Array): number[] => {
    const before = cards.map((card) => card.frames.length)
    cards[from]!.send(sw.port(from), frame)
    kernel.runFor(1000)
    return [0, 1, 2, 3].filter((i) => cards[i]!.frames.length > before[i]!)
  }
  return { kernel, sw, cards, send }
}

describe('switchBackend', () => {
  it('floods what it does not know, learns, then sends to the one port', () => {
    const { sw, send } = network()
    expect(send(0, ether(2, 1))).toEqual([1, 2, 3])
    expect(send(2, ether(1, 2))).toEqual([0])
    expect(send(0, ether(2, 1))).toEqual([2])
    expect(sw.fdb().map(({ mac, port }) => [mac, port])).toEqual([
      ['02:00:00:00:00:01', 0],
      ['02:00:00:00:00:02', 2],
    ])
    expect(sw.counters).toMatchObject({ flooded: 1, copies: 2, forwarded: 2, filtered: 0 })
  })

  it('floods broadcast and multicast always, and never back', () => {
    const { send } = network()
    send(1, ether(9, 1))
    expect(send(0, ether(0xff, 2))).toEqual([1, 2, 3])
    const group = ether(1, 2)
    group[0] = 1
    expect(send(0, group)).toEqual([1, 2, 3])
  })

  it('follows a station that moves, and keeps traffic within a port to itself', () => {
    const { sw, send } = network()
    send(0, ether(0xff, 1))
    send(3, ether(0xff, 1))
    expect(send(2, ether(1, 2))).toEqual([3])
    send(2, ether(0xff, 5))
    expect(send(2, ether(5, 2))).toEqual([])
    expect(sw.counters.filtered).toBe(1)
    expect(sw.port(2).counters.dropped).toBe(1)
  })

  it('drops what a bridge drops: runts, bad sources, link-local groups', () => {
    const { sw, send } = network()
    const group = ether(1, 2)
    group[6] = 3
    const nobody = ether(1, 0)
    nobody.fill(0, 6, 12)
    const lldp = ether(1, 2)
    lldp.set([0x01, 0x80, 0xc2, 0, 0, 0x0e])
    for (const frame of [ether(1, 2).slice(0, 13), group, nobody, lldp]) expect(send(0, frame)).toEqual([])
    expect(sw.port(0).counters).toMatchObject({ txFrames: 4, dropped: 4 })
    expect(sw.counters.filtered).toBe(4)
  })

  it('forgets an address that was silent for the ageing time, to the nanosecond', () => {
    const { kernel, sw, send } = network({ ageingNs: 1e9 })
    send(1, ether(0xff, 1))
    kernel.runFor(1e9 - 1001)
    expect(send(0, ether(1, 2))).toEqual([1])
    expect(sw.fdb().map((e) => e.port)).toEqual([0])
    expect(send(0, ether(1, 2))).toEqual([1, 2, 3])
  })

  it('with an ageing time of 0 is a hub', () => {
    const { sw, send } = network({ ageingNs: 0 })
    send(1, ether(0xff, 1))
    expect(send(0, ether(1, 2))).toEqual([1, 2, 3])
    expect(sw.fdb()).toEqual([])
  })

  it('forgets what was behind a port whose card is unplugged, and sends nothing there', () => {
    const { sw, send } = network()
    send(1, ether(0xff, 1))
    sw.port(1).attach(null)
    const before = sw.port(1).counters.upFrames
    expect(send(0, ether(1, 2))).toEqual([2, 3])
    expect(sw.port(1).counters.upFrames).toBe(before)
  })

  it('drops at a full port and counts it there', () => {
    const { kernel, sw, cards } = network({ queue: { frames: 4 } })
    for (let i = 0; i < 10; i++) cards[0]!.send(sw.port(0), ether(0xff, 1))
    kernel.runFor(1e6)
    expect(cards[2]!.frames.length).toBe(4)
    expect(sw.port(2).counters).toMatchObject({ upFrames: 10, rxFrames: 4, dropped: 6 })
    expect(sw.port(0).counters).toMatchObject({ txFrames: 10, downFrames: 10, dropped: 0 })
  })

  it('refuses port numbers and ageing times that make no sense', () => {
    const kernel = createKernel()
    for (const ports of [0, 257, 1.5, NaN]) {
      expect(() => switchBackend(kernel, { ports })).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
    expect(() => switchBackend(kernel, { ports: 2, ageingNs: -1 })).toThrow(/ageingNs/)
    expect(() => switchBackend(kernel, { ports: 2 }).port(2)).toThrow('switch has no port 2, only 0 to 1')
  })

  it('STAT-13 accounts for every frame and every copy, whatever is sent (property)', () => {
    const action = fc.record({
      from: fc.integer({ min: 0, max: 3 }),
      dst: fc.constantFrom(1, 2, 3, 4, 0xff),
      src: fc.integer({ min: 1, max: 4 }),
      length: fc.constantFrom(10, 60, 1514),
      rest: fc.constantFrom('', 'run', 'unplug'),
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => {
        const { kernel, sw, cards } = network({ queue: { frames: 8 } })
        for (const { from, dst, src, length, rest } of actions) {
          cards[from]!.send(sw.port(from), ether(dst, src, 1514).slice(0, length))
          if (rest === 'run') kernel.runFor(1000)
          if (rest === 'unplug') sw.port(src - 1).attach(null)
        }
        const ports = [0, 1, 2, 3].map((i) => sw.port(i))
        const sum = (key: 'downFrames' | 'upFrames'): number => ports.reduce((n, p) => n + p.counters[key], 0)
        expect(sum('downFrames') + sw.counters.copies).toBe(sum('upFrames'))
        for (const port of ports) {
          expect(problems(port)).toEqual([])
          port.attach(null)
          expect(problems(port)).toEqual([])
        }
        expect(leftBehind(kernel)).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})

describe('ForwardingTable', () => {
  it('agrees with a plain map while it has room (model)', () => {
    const mac = fc
      .integer({ min: 0, max: 40 })
      .map((n) => Uint8Array.from([2, n & 3, 0, 7, n, (n * 89) & 0xff]))
    const action = fc.record({
      mac,
      port: fc.integer({ min: 0, max: 7 }),
      wait: fc.integer({ min: 0, max: 50 }),
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200, size: 'max' }), (actions) => {
        const table = new ForwardingTable(300, 256)
        const model = new Map<string, { port: number; seen: number }>()
        let now = 0
        for (const { mac, port, wait } of actions) {
          now += wait
          const known = model.get(mac.join())
          const expected = known !== undefined && now - known.seen < 300 ? known.port : -1
          expect(table.lookup(mac, 0, now)).toBe(expected)
          table.learn(mac, 0, port, now)
          model.set(mac.join(), { port, seen: now })
        }
        const alive = [...model.values()].filter((entry) => now - entry.seen < 300)
        expect(table.list(now).length).toBe(alive.length)
      }),
    )
  })

  it('stays bounded: in a full bucket the oldest gives way', () => {
    const table = new ForwardingTable(1e9, 1)
    for (let n = 1; n <= 10; n++) table.learn(Uint8Array.from(station(n)), 0, n, n)
    expect(table.list(10).map((entry) => entry.port)).toEqual([7, 8, 9, 10])
  })
})
