import { formatIpv6Address, putUnalignedBe16, putUnalignedBe32 } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { fibDump, fibLookup } from '../../src/inet.ts'
import { Inet6IfFlag } from '../../src/ipv6/index.ts'
import { neighLookup } from '../../src/neigh/index.ts'
import { IfaFlag, Ntf, Rtax } from '../../src/types/constants.ts'
import { icmp6Frame } from './frames.ts'
import { Host, ip, macBytes, MS, SEC } from './helpers.ts'

const ROUTER = 'fe80::ff:fe00:2'
const MAC = '02:00:00:00:00:02'

interface Advert {
  readonly lifetime?: number
  readonly flags?: number
  readonly hopLimit?: number
  readonly prefix?: { address: string; len?: number; flags?: number; valid: number; preferred: number }
  readonly mtu?: number
  readonly reachable?: number
  readonly retrans?: number
  readonly src?: string
}

/** A router's advertisement. */
function advertise(host: Host, fields: Advert = {}): void {
  const parts: number[][] = []
  const head = new Uint8Array(8)
  putUnalignedBe32(fields.reachable ?? 0, head, 0)
  putUnalignedBe32(fields.retrans ?? 0, head, 4)
  parts.push([...head], [1, 1, ...macBytes(MAC)])
  const { prefix, mtu } = fields
  if (prefix !== undefined) {
    const option = new Uint8Array(32)
    option.set([3, 4, prefix.len ?? 64, prefix.flags ?? 0xc0])
    putUnalignedBe32(prefix.valid, option, 4)
    putUnalignedBe32(prefix.preferred, option, 8)
    option.set(ip(prefix.address), 16)
    parts.push([...option])
  }
  if (mtu !== undefined) {
    const option = Uint8Array.of(5, 1, 0, 0, 0, 0, 0, 0)
    putUnalignedBe32(mtu, option, 4)
    parts.push([...option])
  }
  const rest = Uint8Array.of(fields.hopLimit ?? 64, fields.flags ?? 0, 0, 0)
  putUnalignedBe16(fields.lifetime ?? 1800, rest, 2)
  const word = ((rest[0]! << 24) | (rest[1]! << 16) | (rest[2]! << 8) | rest[3]!) >>> 0
  const src = fields.src ?? ROUTER
  host.receive(
    icmp6Frame(
      { src, dst: 'ff02::1', hopLimit: 255, srcMac: MAC, type: 134, rest: word },
      Uint8Array.from(parts.flat()),
    ),
  )
}

function started(): Host {
  const host = new Host()
  host.run(3 * SEC)
  host.take()
  return host
}

const PREFIX = { address: '2001:db8::', valid: 86_400, preferred: 14_400 }
const OWN = '2001:db8::ff:fe00:1'

describe('an advertisement of a router', () => {
  it('ends the solicitations and makes a default route that ends by itself', () => {
    const host = started()
    advertise(host, { lifetime: 30, flags: 0x80 })
    expect(host.idev.ifFlags & Inet6IfFlag.RA_RCVD).not.toBe(0)
    expect(host.idev.ifFlags & Inet6IfFlag.RA_MANAGED).not.toBe(0)
    const route = fibDump(host.inet, 10, 254).find((r) => r.dstLen === 0)!
    expect([formatIpv6Address(route.gateway!), route.protocol, route.priority]).toEqual([ROUTER, 9, 1024])
    expect(route.metrics.get(Rtax.HOPLIMIT)).toBe(64)
    expect(fibLookup(host.inet, ip('2001:db8:9::1'), { src: ip(OWN) }).gateway).toEqual(ip(ROUTER))
    const neigh = neighLookup(host.ipv6.nd, ip(ROUTER), host.dev)!
    expect([neigh.ha[5], neigh.flags & Ntf.ROUTER]).toEqual([2, Ntf.ROUTER])
    host.run(29 * SEC)
    expect(host.take()).toEqual([])
    expect(fibDump(host.inet, 10, 254)).toHaveLength(2)
    host.run(2 * SEC)
    expect(fibDump(host.inet, 10, 254)).toHaveLength(1)
    expect(() => fibLookup(host.inet, ip('2001:db8:9::1'))).toThrow(
      expect.objectContaining({ code: 'ENETUNREACH' }),
    )
  })

  it('with lifetime 0 takes the route back', () => {
    const host = started()
    advertise(host)
    advertise(host, { lifetime: 0 })
    expect(fibDump(host.inet, 10, 254)).toHaveLength(1)
  })

  it('gives an address for a prefix, with detection, lifetimes and a prefix route', () => {
    const host = started()
    advertise(host, { prefix: PREFIX })
    const [ifp] = host.ipv6.addresses()
    expect(formatIpv6Address(ifp!.local)).toBe(OWN)
    expect(ifp!.flags).toBe(IfaFlag.MANAGETEMPADDR | IfaFlag.TENTATIVE)
    expect([ifp!.validLft, ifp!.preferredLft]).toEqual([86_400, 14_400])
    host.run(3 * SEC)
    expect(ifp!.flags).toBe(IfaFlag.MANAGETEMPADDR)
    expect(host.take().some((line) => line.includes(`who has ${OWN}`))).toBe(true)
    const route = fibDump(host.inet, 10, 254).find((r) => r.dstLen === 64 && r.dst[0] === 0x20)!
    expect([route.protocol, route.priority, route.expires > 0]).toEqual([2, 256, true])
    host.run(14_400 * SEC)
    expect(ifp!.flags & IfaFlag.DEPRECATED).not.toBe(0)
    host.run(72_100 * SEC)
    expect(host.ipv6.addresses()).toHaveLength(1)
    expect(fibDump(host.inet, 10, 254)).toHaveLength(1)
  })

  it('cannot cut a life to less than two hours, but makes it longer', () => {
    const host = started()
    advertise(host, { prefix: PREFIX })
    host.run(3 * SEC)
    const [ifp] = host.ipv6.addresses()
    advertise(host, { prefix: { ...PREFIX, valid: 60, preferred: 30 } })
    expect([ifp!.validLft, ifp!.preferredLft]).toEqual([7200, 30])
    advertise(host, { prefix: { ...PREFIX, valid: 100_000 } })
    expect(ifp!.validLft).toBe(100_000)
  })

  it('makes no address of a prefix of another length, and no route of one that is not on the link', () => {
    const host = started()
    advertise(host, { prefix: { ...PREFIX, len: 48, flags: 0x40 } })
    expect(host.ipv6.addresses()).toHaveLength(1)
    advertise(host, { prefix: { ...PREFIX, flags: 0x40 } })
    expect(host.ipv6.addresses()).toHaveLength(2)
    expect(fibDump(host.inet, 10, 254).filter((r) => r.dstLen === 64)).toHaveLength(1)
  })

  it('sets hop limit, MTU, and the times of neighbour discovery', () => {
    const host = started()
    advertise(host, { hopLimit: 33, mtu: 1400, reachable: 5000, retrans: 250 })
    expect([host.idev.cnf.hopLimit, host.idev.cnf.mtu6]).toEqual([33, 1400])
    expect([host.idev.ndParms.baseReachableTime, host.idev.ndParms.retransTime]).toEqual([5000, 250])
    advertise(host, { mtu: 1279 })
    expect(host.idev.cnf.mtu6).toBe(1400)
  })

  it('is not believed from a global address, or where it is not wanted', () => {
    const host = started()
    advertise(host, { src: '2001:db8::1', prefix: PREFIX })
    host.idev.cnf.acceptRa = 0
    advertise(host, { prefix: PREFIX })
    expect(host.ipv6.addresses()).toHaveLength(1)
    expect(fibDump(host.inet, 10, 254)).toHaveLength(1)
  })

  it('prefers the router that says it is better', () => {
    const host = started()
    advertise(host, { flags: 3 << 3 })
    advertise(host, { src: 'fe80::3', flags: 1 << 3 })
    const found = fibLookup(host.inet, ip('2001:db8:9::1'), { src: ip(OWN) })
    expect(formatIpv6Address(found.gateway!)).toBe('fe80::3')
    host.run(MS)
  })
})
