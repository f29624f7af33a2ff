import { createKernel, localBhDisable, localBhEnable, type Kernel } from '@vnet/kernel'
import {
  allocEtherdevMqs,
  allocSkb,
  consumeSkb,
  devOpen,
  ethHwAddrSet,
  ethTypeTrans,
  NETDEV_TX_OK,
  type NetDevice,
  netifReceiveSkb,
  netifTxStartAllQueues,
  parseMac,
  registerNetdev,
  skbPut,
  skbReserve,
} from '@vnet/netdev'
import { ipv4Number, parseIpv6Address, putUnalignedBe32 } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { inetAddrAdd, inetOf, ipv6Of, neighAdd, NlmNew, UdpSock, type Inet } from '../src/index.ts'
import { heapProfile, leastOf, type ProfileNode } from '../../kernel/test/heap-profile.ts'
import { ipFrame } from './packets.ts'
import { icmp6Frame, ipv6Frame } from './ipv6/frames.ts'

const MINE = '02:00:00:00:00:01'
const THEIRS = '02:00:00:00:00:02'
const PACKETS = 20_000

/** Bytes that functions of this package allocate while `run` runs, by name, with what the language allocates for them. */
function allocatedBy(run: () => void): Map<string, number> {
  const found = new Map<string, number>()
  const add = (node: ProfileNode, owner: string | null): void => {
    const { functionName, url } = node.callFrame
    // What has no file is built into the language, and belongs to the caller.
    const file = /inet\/src\/(.*)$/.exec(url)?.[1]
    const name = url === '' ? owner : file === undefined ? null : `${functionName} ${file}`
    if (name !== null && node.selfSize > 0) found.set(name, (found.get(name) ?? 0) + node.selfSize)
    for (const child of node.children) add(child, name)
  }
  add(heapProfile(run), null)
  return found
}

function card(kernel: Kernel, name: string, mac: string): { dev: NetDevice<any>; sent: () => number } {
  let sent = 0
  const dev = allocEtherdevMqs(kernel, {
    name,
    ops: {
      ndoOpen: (d) => netifTxStartAllQueues(d),
      ndoStartXmit: (skb) => {
        sent++
        consumeSkb(skb)
        return NETDEV_TX_OK
      },
    },
    priv: () => ({}),
  })
  ethHwAddrSet(dev, parseMac(mac))
  registerNetdev(dev)
  kernel.rtnl.run(() => devOpen(dev))
  return { dev, sent: () => sent }
}

interface World {
  readonly kernel: Kernel
  readonly inet: Inet
  readonly dev: NetDevice<any>
  readonly sent: () => number
  readonly sentOut: () => number
}

/** A machine with two cards, whose neighbours are known for ever. */
function world(): World {
  const kernel = createKernel()
  const inet = inetOf(kernel)
  const { dev, sent } = card(kernel, 'eth0', MINE)
  const out = card(kernel, 'eth1', '02:00:00:00:00:03')
  kernel.rtnl.run(() => {
    for (const [on, net] of [
      [dev, 0],
      [out.dev, 1],
    ] as const) {
      inetAddrAdd(inet, { dev: on, family: 2, local: v4(`10.0.${net}.1`), prefixlen: 24 })
      inetAddrAdd(inet, { dev: on, family: 10, local: v6(`2001:db8:${net}::1`), prefixlen: 64, flags: 2 })
      for (const dst of [v4(`10.0.${net}.2`), v6(`2001:db8:${net}::2`)]) {
        const table = inet.neighTable(dst.length === 4 ? 2 : 10)
        neighAdd(table, { dst, dev: on, lladdr: parseMac(THEIRS) }, NlmNew.CREATE)
      }
    }
    inet.ipForward = true
    for (const idev of ipv6Of(inet).devs.values()) idev.cnf.forwarding = 1
  })
  kernel.runFor(20e9)
  return { kernel, inet, dev, sent, sentOut: out.sent }
}

function v4(text: string): Uint8Array {
  const out = new Uint8Array(4)
  putUnalignedBe32(ipv4Number(text), out, 0)
  return out
}

function v6(text: string): Uint8Array {
  return parseIpv6Address(text)!
}

/** Has a frame arrive. */
function arrive({ kernel, dev }: World, frame: Uint8Array): void {
  const skb = allocSkb(kernel, frame.length + 66)!
  skbReserve(skb, 66)
  skb.mem.set(frame, skbPut(skb, frame.length))
  skb.protocol = ethTypeTrans(skb, dev)
  localBhDisable(kernel)
  netifReceiveSkb(skb)
  localBhEnable(kernel)
}

function run(each: () => void): number {
  const many = (): void => {
    for (let i = 0; i < PACKETS; i++) each()
  }
  many()
  return leastOf(() => measure(many), 1)
}

function measure(many: () => void): number {
  const found = allocatedBy(many)
  let total = 0
  for (const bytes of found.values()) total += bytes
  if (process.env['SHOW'] !== undefined) {
    for (const [name, bytes] of [...found].sort((a, b) => b[1] - a[1]))
      console.log((bytes / PACKETS).toFixed(1), name)
  }
  return total / PACKETS
}

/** UDP without a checksum over IPv4; IPv6 insists on one. */
function udp(port: number): Uint8Array {
  return Uint8Array.of(1, 1, port >> 8, port & 255, 0, 12, 0, 0, 1, 2, 3, 4)
}

// 8 + 0x0001 + 0x0001 and its complement.
const ECHO4 = ipFrame({ protocol: 1, payload: Uint8Array.of(8, 0, 0xf7, 0xfd, 0, 1, 0, 1, 0, 0, 0, 0) })
const ECHO6 = icmp6Frame({ src: '2001:db8:0::2', dst: '2001:db8:0::1', type: 128 }, new Uint8Array(56))

describe('bytes allocated for one packet', () => {
  it('an IPv4 echo request in and the reply out', () => {
    const all = world()
    expect(run(() => arrive(all, ECHO4))).toBeLessThan(1)
    expect(all.sent()).toBeGreaterThanOrEqual(2 * PACKETS)
  })

  it('an IPv6 echo request in and the reply out', () => {
    const all = world()
    expect(run(() => arrive(all, ECHO6))).toBeLessThan(1)
    expect(all.sent()).toBeGreaterThanOrEqual(2 * PACKETS)
  })

  it('an IPv4 packet passed on', () => {
    const all = world()
    const frame = ipFrame({ dst: '10.0.1.2', payload: udp(9) })
    expect(run(() => arrive(all, frame))).toBeLessThan(1)
    expect(all.sentOut()).toBeGreaterThanOrEqual(2 * PACKETS)
  })

  it('an IPv6 packet passed on', () => {
    const all = world()
    const frame = ipv6Frame({ src: '2001:db8:0::2', dst: '2001:db8:1::2', nextHeader: 17 }, udp(9))
    expect(run(() => arrive(all, frame))).toBeLessThan(1)
    expect(all.sentOut()).toBeGreaterThanOrEqual(2 * PACKETS)
  })

  it('a datagram out of a connected IPv4 socket', () => {
    const all = world()
    const sock = new UdpSock(all.inet, 2, all.inet.ipv4.udp)
    sock.connect({ address: v4('10.0.0.2'), port: 9 })
    const bytes = new Uint8Array(100)
    expect(run(() => sock.sendmsg(bytes))).toBeLessThan(1)
    expect(all.sent()).toBeGreaterThanOrEqual(2 * PACKETS)
  })

  it('a datagram out of a connected IPv6 socket', () => {
    const all = world()
    const sock = new UdpSock(all.inet, 10, ipv6Of(all.inet).udpMib)
    sock.connect({ address: v6('2001:db8:0::2'), port: 9 })
    const bytes = new Uint8Array(100)
    expect(run(() => sock.sendmsg(bytes))).toBeLessThan(1)
    expect(all.sent()).toBeGreaterThanOrEqual(2 * PACKETS)
  })

  it('a datagram in to a bound socket: what the reader gets, and no more', () => {
    const all = world()
    const sock = new UdpSock(all.inet, 2, all.inet.ipv4.udp)
    sock.bind({ address: new Uint8Array(4), port: 9 })
    const frame = ipFrame({ payload: udp(9) })
    const bytes = run(() => {
      arrive(all, frame)
      if (sock.recvmsg() === null) throw new Error('lost')
    })
    expect(bytes).toBeLessThan(1000)
  })
})
