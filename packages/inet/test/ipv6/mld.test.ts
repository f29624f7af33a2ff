import { csumFold, csumIpv6Nofold, csumPartial, putUnalignedBe16 } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { ipv6DevMcDec, ipv6DevMcInc } from '../../src/ipv6/index.ts'
import { ipv6Frame } from './frames.ts'
import { Host, ip, MS, SEC } from './helpers.ts'

const ROUTER = 'fe80::ff:fe00:2'
const GROUP = 'ff02::1234'

function started(): Host {
  const host = new Host()
  host.run(10 * SEC)
  host.take()
  return host
}

/** A listener query with its router alert: 24 bytes are version 1, 28 version 2. */
function query(host: Host, length: number, delay: number, group = '::', hopLimit = 1): void {
  const payload = new Uint8Array(8 + length)
  payload.set([58, 0, 5, 2, 0, 0, 1, 0])
  payload[8] = 130
  putUnalignedBe16(delay, payload, 12)
  payload.set(ip(group), 16)
  const dst = group === '::' ? 'ff02::1' : group
  const frame = ipv6Frame({ src: ROUTER, dst, nextHeader: 0, hopLimit }, payload)
  const sum = csumFold(csumPartial(frame, 62, length, csumIpv6Nofold(frame, 22, length, 58)))
  putUnalignedBe16(sum, frame, 64)
  host.receive(frame)
}

const records = (host: Host): number[][] =>
  host.sent.splice(0).flatMap(({ bytes }) => {
    if (bytes[20] !== 0 || bytes[62] !== 143) return []
    const count = bytes[69]!
    return Array.from({ length: count }, (_, i) => [bytes[70 + i * 20]!, bytes[70 + i * 20 + 19]!])
  })

describe('multicast listener discovery', () => {
  it('reports a group that was joined twice, and one that was left twice', () => {
    const host = started()
    host.kernel.rtnl.run(() => ipv6DevMcInc(host.idev, ip(GROUP)))
    expect([...host.dev.mc.keys()]).toContain('33:33:00:00:12:34')
    host.run(3 * SEC)
    expect(records(host)).toEqual([
      [4, 0x34],
      [4, 0x34],
    ])
    host.kernel.rtnl.run(() => ipv6DevMcDec(host.idev, ip(GROUP)))
    expect([...host.dev.mc.keys()]).not.toContain('33:33:00:00:12:34')
    host.run(3 * SEC)
    expect(records(host)).toEqual([
      [3, 0x34],
      [3, 0x34],
    ])
  })

  it("counts users: the second join and the first leave are nobody else's business", () => {
    const host = started()
    host.kernel.rtnl.run(() => ipv6DevMcInc(host.idev, ip(GROUP)))
    host.run(3 * SEC)
    records(host)
    host.kernel.rtnl.run(() => {
      ipv6DevMcInc(host.idev, ip(GROUP))
      ipv6DevMcDec(host.idev, ip(GROUP))
    })
    host.run(3 * SEC)
    expect(records(host)).toEqual([])
    expect(host.idev.mcList[0]!.users).toBe(1)
  })

  it('answers a general query in time, with the state of all groups but ff02::1', () => {
    const host = started()
    query(host, 28, 500)
    host.run(8 * MS)
    host.run(520 * MS)
    expect(records(host)).toEqual([[2, 1]])
  })

  it('answers a query for one group, and none for a group it is not in', () => {
    const host = started()
    query(host, 28, 100, 'ff02::1:ff00:1')
    query(host, 28, 100, GROUP)
    host.run(SEC)
    expect(records(host)).toEqual([[2, 1]])
  })

  it('speaks version 1 while a router of version 1 is around', () => {
    const host = started()
    query(host, 24, 100)
    host.run(SEC)
    expect(host.take().map((line) => line.replace(/^.*: fe80/, 'fe80'))).toEqual([
      expect.stringContaining('> ff02::1:ff00:1: HBH ICMP6, multicast listener report'),
    ])
    host.run(300 * SEC)
    query(host, 28, 100)
    host.run(SEC)
    expect(records(host)).toEqual([[2, 1]])
  })

  it('ignores queries that could come from another link', () => {
    const host = started()
    query(host, 28, 100, '::', 2)
    query(host, 26, 100)
    host.run(SEC)
    expect(records(host)).toEqual([])
  })
})
