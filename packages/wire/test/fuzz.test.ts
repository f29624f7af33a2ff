import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as w from '@vnet/wire'
import { anyFrame } from './corpus.ts'

type Parser = (bytes: Uint8Array, off: number, len: number) => unknown

/** Every function that takes bytes from outside. */
const parsers: readonly (readonly [string, Parser])[] = [
  ['parseEth', w.parseEth],
  ['parseVlan', w.parseVlan],
  ['parseLlc', w.parseLlc],
  ['parseLldp', w.parseLldp],
  ['parseArp', w.parseArp],
  ['parseIpv4', w.parseIpv4],
  ['parseIpv4Options', w.parseIpv4Options],
  ['parseIpv6', w.parseIpv6],
  [
    'parseIpv6Extensions',
    (b, o, l) => [0, 43, 44, 51, 60].map((type) => w.parseIpv6Extensions(b, o, l, type)),
  ],
  ['parseIcmp', w.parseIcmp],
  ['parseIcmpv6', w.parseIcmpv6],
  ['parseNd', w.parseNd],
  ['parseUdp', w.parseUdp],
  ['parseTcp', w.parseTcp],
  ['parseTcpOptions', w.parseTcpOptions],
  ['parseHello', w.parseHello],
  ['classify', w.classify],
  ['dissect', w.dissect],
  ['vlanGetProtocol', w.vlanGetProtocol],
  ['verifyChecksums', w.verifyChecksums],
  ['inetChecksum', (b, o, l) => w.inetChecksum(b, o, l)],
  ['hexDump', w.hexDump],
  ['formatFrame', (b, o, l) => w.formatFrame(b, o, l)],
  ['formatFrame with dump', (b, o, l) => w.formatFrame(b, o, l, { dump: true, flows: new w.TcpFlows() })],
  ['formatFrame without link', (b, o, l) => w.formatFrame(b, o, l, { link: false, wireLength: l + 7 })],
]

/** Where a parser should begin in a frame: at its start, or behind the Ethernet, VLAN, IPv4 or IPv6 header. */
const starts = [0, 14, 18, 34, 54]

/** A byte that is not there reads as undefined, and arithmetic makes NaN of it. */
function expectWholeNumbers(value: unknown): void {
  if (typeof value === 'number') expect(Number.isSafeInteger(value)).toBe(true)
  else if (typeof value === 'string') expect(value).not.toMatch(/NaN|undefined/)
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(expectWholeNumbers)
}

describe.each(parsers)('%s', (_, parse) => {
  it('answers any bytes, and bytes outside the range change nothing', () => {
    fc.assert(
      fc.property(anyFrame, fc.constantFrom(...starts), fc.nat(9), (frame, start, before) => {
        const from = Math.min(start, frame.length)
        const among = (filler: number): unknown => {
          const memory = new Uint8Array(before + frame.length + 64).fill(filler)
          memory.set(frame, before)
          return parse(memory, before + from, frame.length - from)
        }
        const answer = among(0x00)
        expectWholeNumbers(answer)
        expect(among(0xff)).toEqual(answer)
      }),
      { numRuns: 1500 },
    )
  })

  it('answers the same at the end of the memory as in the middle', () => {
    fc.assert(
      fc.property(anyFrame, fc.constantFrom(...starts), (frame, start) => {
        const from = Math.min(start, frame.length)
        const larger = new Uint8Array(frame.length + 32).fill(0x5a)
        larger.set(frame)
        const answer = parse(frame, from, frame.length - from)
        expectWholeNumbers(answer)
        expect(parse(larger, from, frame.length - from)).toEqual(answer)
      }),
      { numRuns: 500 },
    )
  })

  it('answers offsets and lengths that make no sense', () => {
    const frame = w.udpFrame({
      srcMac: w.MAC_ZERO,
      dstMac: w.MAC_ZERO,
      src: '::1',
      dst: '::1',
      srcPort: 1,
      dstPort: 2,
    })
    const odd = [-1, -1e9, 0, 0.5, 13, 61, 62, 63, 1000, 2 ** 31, 2 ** 32, 2 ** 53, NaN, Infinity, -Infinity]
    for (const off of odd) {
      for (const len of odd) {
        // A length beyond the end is cut to it; hexDump and the checksum need not be asked for 2^53 bytes.
        expect(() => parse(frame, off, Math.min(len, 1e6))).not.toThrow()
      }
    }
  })
})
