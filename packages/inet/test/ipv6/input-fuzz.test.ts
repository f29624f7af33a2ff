import { netifRx, skbCacheOf } from '@vnet/netdev'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inetAddrAdd } from '../../src/inet.ts'
import { RawSock, UdpSock } from '../../src/sock/index.ts'
import { IfaFlag } from '../../src/types/constants.ts'
import { icmp6Frame, ipv6Frame } from './frames.ts'
import { Host, ip, SEC } from './helpers.ts'

const OURS = 'fe80::ff:fe00:1'
const destinations = fc.constantFrom(
  OURS,
  '2001:db8::1',
  'ff02::1',
  'ff02::1:ff00:1',
  'ff02::77',
  '2001:db8::5',
)
const sources = fc.constantFrom('fe80::2', '2001:db8::2', '::', OURS, 'ff02::1', '::1')
const bytes = fc.uint8Array({ maxLength: 200 })
const protocols = fc.constantFrom(0, 6, 17, 43, 44, 58, 59, 60, 200)

/** Options of neighbour discovery, each with a true length. */
const options = fc
  .array(
    fc.record({ type: fc.constantFrom(1, 2, 3, 5, 14, 24, 31), units: fc.constantFrom(1, 4), fill: bytes }),
    {
      maxLength: 4,
    },
  )
  .map((list) =>
    list.flatMap(({ type, units, fill }) => {
      const option = new Uint8Array(units * 8)
      option.set(fill.subarray(0, option.length))
      option.set([type, units])
      return [...option]
    }),
  )

/** An advertisement of a router with true options. */
const adverts = fc
  .record({
    rest: fc.integer({ min: 0, max: 0xffffffff }),
    times: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    options,
  })
  .map(({ rest, times, options: list }) =>
    icmp6Frame(
      { src: 'fe80::2', dst: 'ff02::1', hopLimit: 255, type: 134, rest },
      Uint8Array.of(...times, ...list),
    ),
  )

/** Solicitations and advertisements of neighbours with true options, mostly about us. */
const neighbours = fc
  .record({
    src: sources,
    type: fc.constantFrom(135, 136),
    rest: fc.constantFrom(0, 0x60000000, 0xe0000000),
    options,
  })
  .map(({ src, type, rest, options: list }) =>
    icmp6Frame(
      { src, dst: 'ff02::1:ff00:1', hopLimit: 255, type, rest },
      Uint8Array.of(...ip(OURS), ...list),
    ),
  )

/** A well-made message of a type that is looked into, with any body. */
const messages = fc
  .record({
    src: sources,
    dst: destinations,
    type: fc.constantFrom(1, 2, 3, 4, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 143, 99, 200),
    code: fc.constantFrom(0, 1, 4),
    rest: fc.integer({ min: 0, max: 0xffffffff }),
    hopLimit: fc.constantFrom(255, 1, 64),
    body: bytes,
  })
  .map(({ body, ...fields }) => icmp6Frame(fields, body))

/** A packet with any payload after a header of a kind that is looked into. */
const packets = fc
  .record({ src: sources, dst: destinations, nextHeader: protocols, payload: bytes })
  .map(({ payload, ...fields }) => ipv6Frame(fields, payload))

/** The same with bytes changed and the end cut off. */
const broken = fc
  .record({
    frame: fc.oneof(messages, packets, adverts, neighbours),
    changes: fc.array(fc.record({ at: fc.nat(120), value: fc.nat(255) }), { maxLength: 4 }),
    cut: fc.nat(250),
  })
  .map(({ frame, changes, cut }) => {
    const copy = frame.slice(0, Math.max(14, frame.length - (cut < 100 ? cut : 0)))
    for (const { at, value } of changes) if (at >= 14 && at < copy.length) copy[at] = value
    return copy
  })

/** Has a machine take the frames, and checks that nothing of them is left when its device goes. */
function testSurvives(frames: readonly Uint8Array[], failing: number): void {
  const host = new Host()
  const config = { dev: host.dev, family: 10 as const, local: ip('2001:db8::1'), prefixlen: 64 }
  host.kernel.rtnl.run(() => inetAddrAdd(host.inet, { ...config, flags: IfaFlag.NODAD }))
  host.run(3 * SEC)
  const sockets = [new RawSock(host.inet, 10, 58), new UdpSock(host.inet, 10, host.ipv6.udpMib)]
  const cache = skbCacheOf(host.kernel)
  for (const frame of frames) {
    const skb = host.frame(frame)
    cache.fail = failing === 0 ? null : () => host.kernel.rng.chance(failing)
    netifRx(skb)
    host.run(SEC / 10)
    cache.fail = null
  }
  host.run(70 * SEC)
  for (const sock of sockets) sock.close()
  const left = host.end().filter((entry) => !entry.startsWith('memory') && !entry.startsWith('netdev'))
  expect(left).toEqual([])
  expect(host.kernel.violations).toEqual([])
  expect([host.ipv6.frags.size, host.ipv6.frags.weight]).toEqual([0, 0])
  expect(host.ipv6.mib.ip.InReceives).toBeGreaterThanOrEqual(frames.length)
}

const streams = fc.array(fc.oneof(messages, packets, broken, adverts, neighbours), {
  minLength: 1,
  maxLength: 25,
})

describe('whatever comes in', () => {
  it('breaks no rule and leaves nothing alive', () => {
    fc.assert(
      fc.property(streams, (frames) => {
        testSurvives(frames, 0)
      }),
      { numRuns: 300 },
    )
  })

  it('does so also when memory fails half of the time', () => {
    fc.assert(
      fc.property(streams, (frames) => {
        testSurvives(frames, 0.5)
      }),
      { numRuns: 150 },
    )
  })
})
