import { readFileSync } from 'node:fs'
import { devClose, forEachNetdev, Iff } from '@vnet/netdev'
import { formatIpv6Address } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { snmp6Fields } from '../../src/ipv6/index.ts'
import { Host, MS, SEC, together } from './helpers.ts'

interface Frame {
  readonly time: number
  readonly hex: string
}
interface Answer {
  readonly command: string
  readonly stdout: string
}

/** What a device of the real driver sent from its own bring-up on; the capture began a moment late. */
const recorded = fixture<Frame[]>('13-vnet-pcap-ipv6')
const answers = ['10-vnet7-ipv6', '20-dummy-ipv6', '21-veth-ipv6'].flatMap((name) => fixture<Answer[]>(name))

function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8')) as T
}

function answer(command: string): string {
  return answers.find((record) => record.command === command)!.stdout
}

/** Bytes as hex; the nonce of a solicitation, and with it the checksum, are chance. */
function comparable(hex: string): string {
  const isNs = hex.slice(108, 110) === '87'
  return isNs ? hex.slice(0, 112) + '????' + hex.slice(116, 160) : hex
}

const hexOf = (bytes: Uint8Array): string => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')

describe('a device that comes up', () => {
  it('sends, byte for byte, the kinds of frames a real kernel was recorded to send', () => {
    const host = new Host()
    host.run(20 * SEC)
    const ours = new Set(host.sent.map(({ bytes }) => comparable(hexOf(bytes))))
    const theirs = new Set(recorded.map(({ hex }) => comparable(hex)))
    expect(ours).toEqual(theirs)
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'sends them in the order and the times of the kernel (seed %i)',
    (seed) => {
      const host = new Host({ seed })
      host.run(50 * SEC)
      const at = (wanted: string): number[] =>
        host.sent.filter(({ bytes }) => kindOf(bytes) === wanted).map((s) => s.at / MS)
      const [ns] = at('ns')
      expect(at('ns')).toHaveLength(1)
      expect(ns).toBeGreaterThanOrEqual(0)
      expect(ns).toBeLessThanOrEqual(1000)
      // Detection takes a second; then the address is used at once.
      const rs = at('rs')
      expect(rs).toHaveLength(4)
      expect(rs[0]).toBeCloseTo(ns! + 1000, 5)
      expect(at('mld')).toContain(rs[0])
      expectBetween(rs[1]! - rs[0]!, 3600, 4400)
      expectBetween((rs[2]! - rs[1]!) / (rs[1]! - rs[0]!), 1.89, 2.11)
      expectBetween((rs[3]! - rs[2]!) / (rs[2]! - rs[1]!), 1.89, 2.11)
      // Two reports of the change, and two more from the link-local address.
      const mld = at('mld')
      expect(mld).toHaveLength(4)
      expectBetween(mld[0]!, 8, 1008)
      expectBetween(mld[3]!, rs[0]! + 8, rs[0]! + 2016)
    },
  )

  it('sends the same at the same times with the same seed, and others with another', () => {
    const trace = (seed: number): string[] => {
      const host = new Host({ seed })
      host.run(20 * SEC)
      return host.sent.map(({ at, bytes }) => `${at} ${hexOf(bytes)}`)
    }
    expect(trace(7)).toEqual(trace(7))
    expect(trace(7)).not.toEqual(trace(8))
  })

  it('counts as /proc/net/dev_snmp6 showed after 40 seconds', () => {
    const host = new Host()
    host.run(40 * SEC)
    expect(devSnmp6(host, 2)).toBe(answer('cat /proc/net/dev_snmp6/vnet0'))
  })

  it('hears from the other end of its cable what veth0 heard: groups of others are counted, and nothing is delivered', () => {
    const a = new Host({ seed: 5, mac: '0e:83:d4:72:e0:98' })
    const b = new Host({ seed: 6, mac: 'e2:f4:fa:c4:5c:e4' })
    together(a, b, 11 * SEC)
    expect(devSnmp6(a, 3)).toBe(answer('cat /proc/net/dev_snmp6/veth0'))
  })

  it('on a device that resolves no addresses asks for routers at once and joins nothing, as dummy0 did', () => {
    const host = new Host({ setup: ({ dev }) => (dev.flags |= Iff.NOARP) })
    host.run(29 * SEC)
    expect(devSnmp6(host, 2)).toBe(answer('cat /proc/net/dev_snmp6/dummy0'))
    expect(groupsOf(host)).toEqual(groupLines('ip maddr show dev dummy0'))
    expect(host.sent[0]!.at).toBe(0)
  })

  it('has the groups, link addresses and routes that ip showed', () => {
    const host = new Host()
    host.run(5 * SEC)
    expect(groupsOf(host)).toEqual(groupLines('ip maddr show dev vnet0'))
    expect([...host.dev.mc.keys()]).toEqual(['33:33:00:00:00:01', '33:33:ff:00:00:01'])
    const [route, ...rest] = host.ipv6.fib.list(254)
    expect(rest).toEqual([])
    expect(
      `${formatIpv6Address(route!.dst)}/${route!.dstLen} proto kernel metric ${route!.priority} pref medium\n`,
    ).toBe(answer('ip -6 route show dev vnet0'))
    expect(
      host.ipv6.fib
        .list(255)
        .map((r) => [formatIpv6Address(r.dst), r.dstLen, r.type, r.priority, r.protocol]),
    ).toEqual([
      ['fe80::ff:fe00:1', 128, 2, 0, 2],
      ['ff00::', 8, 5, 256, 2],
    ])
  })

  it('has the address /proc/net/if_inet6 showed, tentative for the first second', () => {
    const host = new Host()
    host.run(MS)
    const [ifp] = host.ipv6.addresses()
    expect(ifp!.flags).toBe(0xc0)
    host.run(3 * SEC)
    const line = [
      hexOf(ifp!.local),
      '02',
      ifp!.prefixlen.toString(16),
      scopeBits(ifp!.scope),
      ifp!.flags.toString(16),
    ]
    expect(answer('cat /proc/net/if_inet6')).toContain(line.join(' '))
  })

  it('tells of what comes and goes in the order the monitor of a real kernel showed', () => {
    const events: string[] = []
    const host = new Host({
      setup: ({ inet }) => {
        inet.on('addr', (event, ifa) => events.push(`${event} addr ${formatIpv6Address(ifa.local)}`))
        inet.on('route', (event, r) => events.push(`${event} route ${formatIpv6Address(r.dst)}/${r.dstLen}`))
        inet.on('neigh', (event, n) => events.push(`${event} neigh ${formatIpv6Address(n.primaryKey)}`))
      },
    })
    host.run(4 * SEC)
    expect(events.splice(0)).toEqual([
      'new route ff00::/8',
      'new route fe80::/64',
      'new addr fe80::ff:fe00:1',
      'new route fe80::ff:fe00:1/128',
    ])
    host.kernel.rtnl.run(() => devClose(host.dev))
    const neighbours = events.splice(3, 3)
    expect(neighbours.sort()).toEqual(['del neigh ff02::16', 'del neigh ff02::1:ff00:1', 'del neigh ff02::2'])
    expect(events).toEqual([
      'del route fe80::/64',
      'del route fe80::ff:fe00:1/128',
      'del route ff00::/8',
      'del addr fe80::ff:fe00:1',
    ])
  })

  it('is silent after it went down, and starts anew when it comes up', () => {
    const host = new Host()
    host.run(10 * SEC)
    host.kernel.rtnl.run(() => devClose(host.dev))
    host.take()
    host.run(60 * SEC)
    expect(host.take()).toEqual([])
    expect([...host.dev.mc.keys()]).toEqual([])
    host.up()
    host.run(3 * SEC)
    expect(host.sent.map(({ bytes }) => kindOf(bytes))).toContain('rs')
    expect([...host.dev.mc.keys()].sort()).toEqual(['33:33:00:00:00:01', '33:33:ff:00:00:01'])
  })

  it('leaves nothing behind when it is taken away, at whatever moment', () => {
    for (const at of [0, 1, 300, 900, 1500, 5000]) {
      const host = new Host({ seed: 100 + at })
      host.run(at * MS)
      expect(
        host.end().filter((entry) => !entry.startsWith('memory') && !entry.startsWith('netdev')),
      ).toEqual([])
      expect(host.ipv6.devs.size).toBe(0)
      expect(host.ipv6.fib.list()).toEqual([])
      expect(forEachNetdev(host.kernel)).toEqual([])
    }
  })
})

function devSnmp6(host: Host, ifindex: number): string {
  return [['ifIndex', ifindex], ...snmp6Fields(host.idev.mib)]
    .map(([name, value]) => `${String(name).padEnd(32)}\t${value}\n`)
    .join('')
}

function groupsOf(host: Host): string[] {
  return host.idev.mcList.map((group) => `\tinet6 ${formatIpv6Address(group.addr)}`)
}

function groupLines(command: string): string[] {
  const lines = answer(command).split('\n')
  return lines.filter((line) => line.startsWith('\tinet6'))
}

function expectBetween(value: number, low: number, high: number): void {
  expect(value).toBeGreaterThanOrEqual(low)
  expect(value).toBeLessThanOrEqual(high)
}

/** The scope as /proc shows it: 20 link, 10 host, 00 global. */
function scopeBits(scope: number): string {
  return scope === 253 ? '20' : scope === 254 ? '10' : '00'
}

function kindOf(bytes: Uint8Array): string {
  if (bytes[20] === 0) return 'mld'
  return { 133: 'rs', 135: 'ns', 136: 'na' }[bytes[54]!] ?? 'other'
}
