import { describe, expect, it } from 'vitest'
import { addrconfSetForwarding } from '../../src/ipv6/index.ts'
import { neighLookup } from '../../src/neigh/index.ts'
import { RawSock } from '../../src/sock/index.ts'
import { Nud } from '../../src/types/constants.ts'
import { icmp6Frame, ipv6Frame } from './frames.ts'
import { Host, ip, SEC } from './helpers.ts'

const OURS = 'fe80::ff:fe00:1'
const PEER = 'fe80::2'
const RAW = 200

function started(): { host: Host; raw: RawSock } {
  const host = new Host()
  host.run(5 * SEC)
  host.take()
  return { host, raw: new RawSock(host.inet, 10, RAW) }
}

/** A packet to us: headers, each with the number of the next put in, and two bytes for the raw socket. */
function arrive(host: Host, kinds: readonly [number, ...number[]][], dst = OURS): void {
  const numbers = [...kinds.map(([kind]) => kind), RAW]
  const payload = kinds.flatMap(([, ...bytes], i) => [numbers[i + 1]!, ...bytes])
  host.receive(ipv6Frame({ src: PEER, dst, nextHeader: numbers[0]! }, Uint8Array.of(...payload, 1, 2)))
}

const PADDED = [0, 1, 4, 0, 0, 0, 0] as const

describe('the headers of a packet', () => {
  it('are stepped over, whatever their order, when they ask for nothing', () => {
    const { host, raw } = started()
    arrive(host, [
      [0, ...PADDED],
      [60, ...PADDED],
      [43, 0, 0, 0, 0, 0, 0, 0],
      [60, ...PADDED],
    ])
    expect(raw.recvmsg()?.bytes).toEqual(Uint8Array.of(1, 2))
    expect(host.idev.mib.ip.InDelivers).toBe(1)
  })

  it('that want us to pass the packet on are refused, and reported', () => {
    const { host, raw } = started()
    arrive(host, [[43, 0, 0, 1, 0, 0, 0, 0]])
    arrive(host, [[43, 0, 0, 0, 0, 0, 0, 0]], 'ff02::1')
    expect(raw.received.length).toBe(0)
    expect([host.idev.mib.icmpOut[4], host.idev.mib.ip.InHdrErrors, host.idev.mib.ip.InAddrErrors]).toEqual([
      1, 1, 1,
    ])
  })

  it('that are cut short, too many, or hop-by-hop not at the beginning are dropped', () => {
    const { host, raw } = started()
    arrive(host, [[60, 1, 1, 4, 0, 0, 0, 0]])
    arrive(host, [[43, 9, 0, 0, 0, 0, 0, 0]])
    arrive(
      host,
      Array.from({ length: 17 }, () => [60, ...PADDED] as [number, ...number[]]),
    )
    arrive(host, [[0, 9, 1, 4, 0, 0, 0, 0]])
    arrive(host, [
      [60, ...PADDED],
      [0, ...PADDED],
    ])
    expect(raw.received.length).toBe(0)
    expect([host.idev.mib.ip.InHdrErrors, host.idev.mib.ip.InUnknownProtos]).toEqual([4, 1])
  })

  it.each([
    ['a home address', [60, 0, 201, 4, 0, 0, 0, 0]],
    ['padding that is not zero', [60, 0, 1, 4, 0, 9, 0, 0]],
    ['too much padding', [60, 1, 1, 4, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 0, 0]],
    ['an option longer than its header', [60, 0, 0x1e, 9, 0, 0, 0, 0]],
    ['a router alert of three bytes', [0, 0, 5, 1, 0, 1, 1, 0]],
  ] as [string, [number, ...number[]]][])('with %s are dropped', (_what, header) => {
    const { host, raw } = started()
    arrive(host, [header])
    expect(raw.received.length).toBe(0)
    expect(host.idev.mib.ip.InHdrErrors).toBe(1)
  })

  it('end with "no next header" without a word', () => {
    const { host } = started()
    host.receive(ipv6Frame({ src: PEER, dst: OURS, nextHeader: 59 }, new Uint8Array(0)))
    expect(host.take()).toEqual([])
    expect(host.idev.mib.ip.InUnknownProtos).toBe(0)
  })

  it('promise more than there is, or come from nowhere good: dropped and counted', () => {
    const { host } = started()
    const frame = ipv6Frame({ src: PEER, dst: OURS, nextHeader: RAW }, Uint8Array.of(1, 2))
    const longer = frame.slice()
    longer[19] = 9
    const version4 = frame.slice()
    version4[14] = 0x45
    host.receive(longer)
    host.receive(version4)
    host.receive(ipv6Frame({ src: 'ff02::1', dst: OURS, nextHeader: RAW }, Uint8Array.of(1)))
    host.receive(ipv6Frame({ src: PEER, dst: 'ff01::1', nextHeader: RAW }, Uint8Array.of(1)))
    host.receive(ipv6Frame({ src: PEER, dst: 'ff00::1', nextHeader: RAW }, Uint8Array.of(1)))
    const { InTruncatedPkts, InHdrErrors, InReceives } = host.idev.mib.ip
    expect([InTruncatedPkts, InHdrErrors, InReceives]).toEqual([1, 4, 5])
  })

  it('say how congested the way was: each mark is counted', () => {
    const { host } = started()
    for (const mark of [0, 1, 2, 3]) {
      const frame = ipv6Frame({ src: PEER, dst: OURS, nextHeader: 59 }, new Uint8Array(0))
      frame[15] = mark << 4
      host.receive(frame)
    }
    const { InNoECTPkts, InECT1Pkts, InECT0Pkts, InCEPkts } = host.idev.mib.ip
    expect([InNoECTPkts, InECT1Pkts, InECT0Pkts, InCEPkts]).toEqual([1, 1, 1, 1])
  })
})

describe('a router', () => {
  it('learns from the solicitation of a host, which a host does not', () => {
    const { host } = started()
    const solicitation = icmp6Frame(
      { src: PEER, dst: 'ff02::2', hopLimit: 255, type: 133 },
      Uint8Array.of(1, 1, 2, 0, 0, 0, 0, 2),
    )
    host.receive(solicitation)
    expect(neighLookup(host.ipv6.nd, ip(PEER), host.dev)).toBeNull()
    host.kernel.rtnl.run(() => addrconfSetForwarding(host.idev, 1))
    host.receive(solicitation)
    expect(neighLookup(host.ipv6.nd, ip(PEER), host.dev)?.nudState).toBe(Nud.STALE)
    host.kernel.rtnl.run(() => addrconfSetForwarding(host.idev, 0))
    expect(host.idev.mcList).toHaveLength(3)
  })
})
