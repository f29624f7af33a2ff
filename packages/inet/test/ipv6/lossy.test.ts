import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inetAddrAdd } from '../../src/inet.ts'
import { UdpSock } from '../../src/sock/index.ts'
import { IfaFlag } from '../../src/types/constants.ts'
import { Host, ip, MS, SEC, together } from './helpers.ts'

const A = '2001:db8::1'
const B = '2001:db8::2'

function hostWith(address: string, mac: string, seed: number): Host {
  const host = new Host({ seed, mac })
  const config = { dev: host.dev, family: 10 as const, local: ip(address), prefixlen: 64 }
  host.kernel.rtnl.run(() => inetAddrAdd(host.inet, { ...config, flags: IfaFlag.NODAD }))
  return host
}

/** What the link does with each frame: lose it, bring it twice, or keep it back for later. */
type Fate = 'through' | 'lost' | 'twice' | 'late'

describe('a link that loses, doubles and mixes up frames', () => {
  it('brings whole datagrams or none, and leaves no fragment behind', () => {
    const fates = fc.infiniteStream(
      fc.constantFrom<Fate>('through', 'through', 'through', 'through', 'lost', 'twice', 'late'),
    )
    const lengths = fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(lengths, fates, (list, chance) => {
        const a = hostWith(A, '02:00:00:00:00:01', 1)
        const b = hostWith(B, '02:00:00:00:00:02', 2)
        together(a, b, 3 * SEC)
        const from = new UdpSock(a.inet, 10, a.ipv6.udpMib)
        const to = new UdpSock(b.inet, 10, b.ipv6.udpMib)
        to.bind({ address: ip('::'), port: 9 })
        from.sendmsg(new Uint8Array(0), { address: ip(B), port: 9 })
        together(a, b, 5 * MS)
        to.recvmsg()
        const sent = list.map((len, n) => Uint8Array.from({ length: len }, (_, i) => (i * (n + 3)) & 0xff))
        for (const bytes of sent) from.sendmsg(bytes, { address: ip(B), port: 9 })
        deliver(b, chance)
        together(a, b, 5 * MS)
        for (let got = to.recvmsg(); got !== null; got = to.recvmsg()) {
          const { bytes } = got
          expect(sent.some((one) => one.length === bytes.length && one.every((v, i) => v === bytes[i]))).toBe(
            true,
          )
        }
        expect(b.ipv6.udpMib.inCsumErrors).toBe(0)
        b.run(61 * SEC)
        expect([b.ipv6.frags.size, b.ipv6.frags.weight]).toEqual([0, 0])
      }),
      { numRuns: 60 },
    )
  })
})

/** Lets the frames that wait for a machine have their fates. */
function deliver(host: Host, chance: fc.Stream<Fate>): void {
  const late: Uint8Array[] = []
  for (const bytes of host.inbox.splice(0)) {
    const fate = chance.next().value
    if (fate === 'late') late.push(bytes)
    else if (fate !== 'lost') host.inbox.push(bytes)
    if (fate === 'twice') host.inbox.push(bytes)
  }
  host.inbox.push(...late)
}
