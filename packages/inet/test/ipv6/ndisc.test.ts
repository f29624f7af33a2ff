import { describe, expect, it } from 'vitest'
import { neighLookup } from '../../src/neigh/index.ts'
import type { Neighbour } from '../../src/neigh/index.ts'
import { PingSock } from '../../src/sock/index.ts'
import { Nud } from '../../src/types/constants.ts'
import { ipv6EchoRequest, neighbourAdvertisement, neighbourSolicitation } from './frames.ts'
import { Host, ip, MS, SEC, together } from './helpers.ts'

const A = 'fe80::ff:fe00:1'
const B = 'fe80::ff:fe00:2'
const MAC_B = '02:00:00:00:00:02'

function pair(): [Host, Host] {
  const a = new Host({ seed: 1 })
  const b = new Host({ seed: 2, mac: MAC_B })
  together(a, b, 5 * SEC)
  a.take()
  b.take()
  return [a, b]
}

/** An echo request with eight bytes. */
function ping(sock: PingSock, host: Host, to: string, seq = 1): void {
  const message = Uint8Array.of(128, 0, 0, 0, 0, 0, 0, seq, 1, 2, 3, 4, 5, 6, 7, 8)
  sock.sendmsg(message, { address: ip(to), port: 0, scopeId: host.dev.ifindex })
}

function neigh(host: Host, address: string): Neighbour | null {
  return neighLookup(host.ipv6.nd, ip(address), host.dev)
}

describe('ping between two machines', () => {
  it('resolves, asks, answers', () => {
    const [a, b] = pair()
    const sock = new PingSock(a.inet, 10)
    ping(sock, a, B)
    together(a, b, 10 * MS)
    const short = (line: string): string => line.replace(/^.*length \d+: /, '')
    expect(a.take().map(short)).toEqual([
      `${A} > ff02::1:ff00:2: ICMP6, neighbor solicitation, who has ${B}, length 32`,
      expect.stringMatching(`${A} > ${B}: ICMP6, echo request, id \\d+, seq 1, length 16`),
    ])
    expect(b.take().map(short)).toEqual([
      `${B} > ${A}: ICMP6, neighbor advertisement, tgt is ${B}, length 32`,
      expect.stringMatching(`${B} > ${A}: ICMP6, echo reply, id \\d+, seq 1, length 16`),
    ])
    const reply = sock.recvmsg()!
    expect(reply.bytes[0]).toBe(129)
    expect(reply.bytes.subarray(8)).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))
    expect(reply.from).toEqual({ address: ip(B), port: 0, scopeId: a.dev.ifindex })
    expect(reply.ttl).toBe(64)
    expect(neigh(a, B)!.nudState).toBe(Nud.REACHABLE)
    // Learned from the question, and used for the answer.
    expect(neigh(b, A)!.nudState).toBe(Nud.DELAY)
    expect(b.idev.mib.icmpIn[128]).toBe(1)
    sock.close()
  })

  it('goes to ourselves without a word on the link', () => {
    const [a] = pair()
    const sock = new PingSock(a.inet, 10)
    ping(sock, a, A)
    a.run(MS)
    expect(a.take()).toEqual([])
    expect(sock.recvmsg()?.bytes[0]).toBe(129)
  })

  it('says "address unreachable" from ourselves when nobody answers for three seconds', () => {
    const host = new Host()
    host.run(5 * SEC)
    host.take()
    const sock = new PingSock(host.inet, 10)
    sock.options.recverr = true
    ping(sock, host, 'fe80::99')
    host.run(2900 * MS)
    expect(sock.readable).toBe(false)
    host.run(200 * MS)
    const asked = host.take().filter((line) => line.includes('who has fe80::99'))
    expect(asked).toHaveLength(3)
    expect(() => sock.recvmsg()).toThrow(expect.objectContaining({ code: 'EHOSTUNREACH' }))
    const error = sock.recverr()!
    expect([error.type, error.code, error.errno]).toEqual([1, 3, 113])
    expect(error.offender?.address).toEqual(ip(A))
    expect(neigh(host, 'fe80::99')!.nudState).toBe(Nud.FAILED)
  })

  it('needs to know the link of a link-local address', () => {
    const [a] = pair()
    const sock = new PingSock(a.inet, 10)
    const message = Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 1)
    expect(() => sock.sendmsg(message, { address: ip(B), port: 0 })).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    )
    expect(() => sock.sendmsg(message, { address: ip('2001:db8::1'), port: 0 })).toThrow(
      expect.objectContaining({ code: 'ENETUNREACH' }),
    )
  })
})

describe('a neighbour', () => {
  it('is asked straight when it was not heard of, and fails after three questions', () => {
    const [a, b] = pair()
    const sock = new PingSock(a.inet, 10)
    ping(sock, a, B)
    together(a, b, 10 * MS)
    a.take()
    a.peer = null
    a.run(60 * SEC)
    expect(neigh(a, B)!.nudState).toBe(Nud.STALE)
    ping(sock, a, B, 2)
    expect(neigh(a, B)!.nudState).toBe(Nud.DELAY)
    a.run(5100 * MS)
    expect(neigh(a, B)!.nudState).toBe(Nud.PROBE)
    a.run(4 * SEC)
    expect(neigh(a, B)!.nudState).toBe(Nud.FAILED)
    const probes = a.take().filter((line) => line.includes(`> ${B}: ICMP6, neighbor solicitation`))
    expect(probes).toHaveLength(3)
  })

  const advert = (over: object): Uint8Array =>
    neighbourAdvertisement({
      srcMac: '02:00:00:00:00:77',
      dstMac: '02:00:00:00:00:01',
      src: B,
      dst: A,
      target: B,
      ...over,
    })

  it('follows an advertisement by its flags', () => {
    const [a, b] = pair()
    ping(new PingSock(a.inet, 10), a, B)
    together(a, b, 10 * MS)
    const entry = neigh(a, B)!
    a.receive(advert({ override: false }))
    expect([entry.nudState, entry.ha[5]]).toEqual([Nud.STALE, 2])
    a.receive(advert({ override: true, router: true }))
    expect([entry.nudState, entry.ha[5], entry.flags]).toEqual([Nud.REACHABLE, 0x77, 0x80])
    a.receive(advert({ solicited: false, override: true }))
    expect(entry.flags).toBe(0)
  })

  it('is not made by an advertisement nobody asked for', () => {
    const [a] = pair()
    a.receive(advert({}))
    expect(neigh(a, B)).toBeNull()
  })

  it('is learned from a solicitation, and answered', () => {
    const [a] = pair()
    a.receive(neighbourSolicitation({ srcMac: MAC_B, src: B, target: A }))
    expect(neigh(a, B)!.nudState).toBe(Nud.DELAY)
    expect(neigh(a, B)!.ha[5]).toBe(2)
    expect(a.take()[0]).toContain(`${A} > ${B}: ICMP6, neighbor advertisement, tgt is ${A}, length 32`)
  })

  it('is not believed from outside the link, for a group, or with broken options', () => {
    const [a] = pair()
    const good = neighbourSolicitation({ srcMac: MAC_B, src: B, target: A })
    const lowered = good.slice()
    lowered[21] = 254
    const noLength = good.slice()
    noLength[14 + 40 + 24 + 1] = 0
    for (const bytes of [lowered, noLength]) a.receive(bytes)
    expect(neigh(a, B)).toBeNull()
    expect(a.idev.mib.icmp.InCsumErrors).toBe(1)
  })

  it('says when somebody else advertises an address that is ours', () => {
    const [a] = pair()
    a.receive(advert({ target: A }))
    expect(a.log()).toContain(`ICMPv6: NA: 02:00:00:00:00:77 advertised our address ${A} on vnet0!`)
  })
})

describe('an echo request to all', () => {
  it('is answered from our own address', () => {
    const [a] = pair()
    a.receive(ipv6EchoRequest(MAC_B, B, 'ff02::1'))
    a.receive(
      neighbourAdvertisement({ srcMac: MAC_B, dstMac: '02:00:00:00:00:01', src: B, dst: A, target: B }),
    )
    expect(a.take().at(-1)).toContain(`${A} > ${B}: ICMP6, echo reply, id 7, seq 1, length 12`)
  })
})
