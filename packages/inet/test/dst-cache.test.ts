import fc from 'fast-check'
import { createKernel } from '@vnet/kernel'
import {
  allocEtherdevMqs,
  allocSkb,
  consumeSkb,
  devChangeFlags,
  devGetFlags,
  devSetMtu,
  ETH_P_ARP,
  ETH_P_IP,
  ethHwAddrSet,
  Iff,
  netifCarrierOff,
  netifCarrierOn,
  NETDEV_TX_OK,
  PACKET_HOST,
  PACKET_LOOPBACK,
  netifTxStartAllQueues,
  parseMac,
  registerNetdev,
  skbPut,
  skbReserve,
  type NetDevice,
  type SkBuff,
} from '@vnet/netdev'
import { ipv4Number, parseIpv6Address, putUnalignedBe32 } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import {
  fibAdd,
  fibDel,
  inetAddrAdd,
  inetAddrDel,
  inetOf,
  ipv6Of,
  neighAdd,
  neighDelete,
  NlmNew,
  Nud,
  UdpSock,
  type Inet,
} from '../src/index.ts'
import { routeInput } from '../src/ipv4/route-input.ts'
import { ipFinishOutput2 } from '../src/ipv4/output.ts'
import { ipRouteOutput, ipRouteOutputKey, type Rt4 } from '../src/ipv4/route.ts'
import { ip6PathOf } from '../src/ipv6/path.ts'

function v4(text: string): Uint8Array {
  const out = new Uint8Array(4)
  putUnalignedBe32(ipv4Number(text), out, 0)
  return out
}

function v6(text: string): Uint8Array {
  return parseIpv6Address(text)!
}

interface World {
  readonly inet: Inet
  readonly devs: readonly NetDevice<any>[]
}

function world(sent: (skb: SkBuff) => void = () => {}): World {
  const kernel = createKernel()
  const inet = inetOf(kernel)
  const devs = [1, 2].map((nr) => {
    const dev = allocEtherdevMqs(kernel, {
      name: `eth${nr}`,
      ops: {
        ndoOpen: (d) => netifTxStartAllQueues(d),
        ndoStartXmit: (skb) => {
          sent(skb)
          consumeSkb(skb)
          return NETDEV_TX_OK
        },
        ndoChangeMtu: (d, mtu) => {
          d.mtu = mtu
        },
      },
      priv: () => ({}),
    })
    ethHwAddrSet(dev, parseMac(`02:00:00:00:00:0${nr}`))
    registerNetdev(dev)
    kernel.rtnl.run(() => devChangeFlags(dev, devGetFlags(dev) | Iff.UP))
    return dev
  })
  return { inet, devs }
}

/** Does what may be refused: then nothing has changed. */
function attempt({ inet }: World, fn: () => void): void {
  try {
    inet.kernel.rtnl.run(fn)
  } catch (error) {
    if ((error as { code?: string }).code === undefined) throw error
  }
  inet.kernel.runFor(0)
}

const DST4 = ['10.0.1.1', '10.0.1.2', '10.0.2.9', '172.16.0.1', '255.255.255.255', '224.0.0.1'].map(v4)
const DST6 = ['2001:db8:1::1', '2001:db8:1::2', '2001:db8:2::9', '2001:beef::1', 'fe80::9', 'ff02::1'].map(v6)

/** Everything that may change a way, by number; `n` says which device, and how much. */
const CHANGES: readonly ((world: World, dev: NetDevice<any>, n: number) => void)[] = [
  ({ inet }, dev, n) => inetAddrAdd(inet, { dev, family: 2, local: v4(`10.0.${n}.1`), prefixlen: 24 }),
  ({ inet }, dev, n) => inetAddrDel(inet, { dev, family: 2, local: v4(`10.0.${n}.1`), prefixlen: 24 }),
  ({ inet }, dev, n) =>
    inetAddrAdd(inet, { dev, family: 10, local: v6(`2001:db8:${n}::1`), prefixlen: 64, flags: 2 }),
  ({ inet }, dev, n) => inetAddrDel(inet, { dev, family: 10, local: v6(`2001:db8:${n}::1`), prefixlen: 64 }),
  ({ inet }, dev, n) =>
    fibAdd(inet, { family: 2, dst: v4('172.16.0.0'), dstLen: 12, priority: n, scope: 253, oif: dev }),
  ({ inet }, _dev, n) => fibDel(inet, { family: 2, dst: v4('172.16.0.0'), dstLen: 12, priority: n }),
  ({ inet }, _dev, n) => fibAdd(inet, { family: 2, dst: v4(`10.0.${n}.2`), dstLen: 32, type: 7 }),
  ({ inet }, dev, n) =>
    fibAdd(inet, { family: 10, dst: v6('2001:beef::'), dstLen: 32, priority: n, oif: dev }),
  ({ inet }, dev, n) =>
    fibAdd(inet, { family: 10, dst: v6('::'), dstLen: 0, priority: n, gateway: v6(`fe80::${n}`), oif: dev }),
  ({ inet }, _dev, n) => fibDel(inet, { family: 10, dst: v6('2001:beef::'), dstLen: 32, priority: n }),
  ({ inet }, dev, n) =>
    neighAdd(
      inet.neighTable(10),
      { dst: v6(`fe80::${n}`), dev, lladdr: dev.devAddr, state: n === 1 ? Nud.FAILED : Nud.REACHABLE },
      NlmNew.CREATE | NlmNew.REPLACE,
    ),
  (_world, dev) => devChangeFlags(dev, devGetFlags(dev) ^ Iff.UP),
  (_world, dev, n) => void devSetMtu(dev, 1280 + n * 20),
  (_world, dev) => netifCarrierOff(dev),
  (_world, dev) => netifCarrierOn(dev),
  ({ inet }, _dev, n) => inet.kernel.runFor(n * 1e9),
]

function expectSame({ inet, devs }: World): void {
  const ipv6 = ipv6Of(inet)
  for (const bytes of DST4) {
    const dst = ipv4Number([...bytes].join('.'))
    for (const oif of [null, ...devs]) {
      const fresh = ipRouteOutput(inet.ipv4, dst, { oif })
      expect(ipRouteOutputKey(inet.ipv4, dst, 0, oif, 0)).toEqual(fresh)
    }
  }
  for (const dst of DST6) {
    for (const oif of [null, ...devs]) {
      const way = ipv6.dst.lookup(ipv6, dst, 0, oif)
      const route = ipv6.fib.lookup(ipv6, dst, oif)
      if (route?.oif == null) expect(way).toBeNull()
      else {
        expect(way?.route).toBe(route)
        expect(way?.path).toEqual(ip6PathOf(ipv6, route, dst))
      }
    }
  }
}

describe('a way found before', () => {
  it('is what would be found now, whatever has changed', () => {
    const change = fc.tuple(fc.nat(CHANGES.length - 1), fc.nat(1), fc.integer({ min: 1, max: 2 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 25 }), (changes) => {
        const all = world()
        for (const [what, which, n] of changes) {
          expectSame(all)
          attempt(all, () => CHANGES[what]!(all, all.devs[which]!, n))
          expectSame(all)
        }
      }),
      { numRuns: 40, seed: 7 },
    )
  })

  it('is kept while nothing changes', () => {
    const all = world()
    attempt(all, () => CHANGES[0]!(all, all.devs[0]!, 1))
    attempt(all, () => CHANGES[2]!(all, all.devs[0]!, 1))
    const { ipv4 } = all.inet
    const ipv6 = ipv6Of(all.inet)
    const dst = ipv4Number('10.0.1.2')
    expect(ipRouteOutputKey(ipv4, dst, 0, null, 0)).toBe(ipRouteOutputKey(ipv4, dst, 0, null, 0))
    expect(ipv6.dst.lookup(ipv6, DST6[1]!, 0, null)).toBe(ipv6.dst.lookup(ipv6, DST6[1]!, 0, null))
  })

  it('does not outlive the MTU that a router reported for it', () => {
    const all = world()
    attempt(all, () => CHANGES[0]!(all, all.devs[0]!, 1))
    const { ipv4 } = all.inet
    const dst = ipv4Number('10.0.1.2')
    const mtu = (): unknown => (ipRouteOutputKey(ipv4, dst, 0, null, 0) as { mtu: number }).mtu
    expect(mtu()).toBe(1500)
    ipv4.pathMtu.learn(dst, 1000)
    all.inet.rtGenid.bump()
    expect(mtu()).toBe(1000)
    all.inet.kernel.runFor(700e9)
    expect(mtu()).toBe(1500)
  })
})

describe('what to do with a packet like the one before', () => {
  const SOURCES = ['10.0.1.9', '10.0.2.9', '172.16.0.1', '10.0.1.1'].map((text) => ipv4Number(text))
  const OWN = ['10.0.1.1', '10.0.2.1', '10.0.1.255'].map((text) => ipv4Number(text))
  const INPUT_CHANGES: typeof CHANGES = [
    ...CHANGES,
    ({ inet }, dev, n) => {
      inet.ipv4.inDev(dev)!.cnf.rpFilter = n
      inet.rtGenid.bump()
    },
    ({ inet }, dev, n) => {
      inet.ipv4.inDev(dev)!.cnf.acceptLocal = n === 1
      inet.rtGenid.bump()
    },
    ({ inet }, _dev, n) => {
      inet.ipForward = n === 1
    },
  ]

  it('is what would be found now, whatever has changed', () => {
    const change = fc.tuple(fc.nat(INPUT_CHANGES.length - 1), fc.nat(1), fc.integer({ min: 1, max: 2 }))
    const packet = fc.tuple(fc.constantFrom(...SOURCES), fc.constantFrom(...OWN), fc.nat(1))
    let remembered = 0
    fc.assert(
      fc.property(packet, fc.array(change, { maxLength: 15 }), ([src, dst, which], changes) => {
        const all = world()
        const { ipv4 } = all.inet
        const ask = (dev = which, type: number = PACKET_HOST, from = src, to = dst): number =>
          routeInput(ipv4, ipv4.inDev(all.devs[dev]!)!, type, from, to)
        /** The same, and what differs in one thing. */
        const near = (): number[] => [
          ask(),
          ask(1 - which),
          (ask(), ask(which, PACKET_LOOPBACK)),
          (ask(which, PACKET_LOOPBACK), ask()),
          (ask(), ask(which, PACKET_HOST, ipv4Number('10.0.9.9'))),
          (ask(), ask(which, PACKET_HOST, src, ipv4Number('10.0.9.9'))),
        ]
        // Both have their address, so that there is something to remember.
        for (const n of [1, 2]) attempt(all, () => CHANGES[0]!(all, all.devs[n - 1]!, n))
        ask()
        for (const [what, i, n] of changes) {
          attempt(all, () => INPUT_CHANGES[what]!(all, all.devs[i]!, n))
          const answers = near()
          ask()
          if (ipv4.lastInput.genid === all.inet.rtGenid.value) remembered++
          const fresh = [
            [which, PACKET_HOST, src, dst],
            [1 - which, PACKET_HOST, src, dst],
            [which, PACKET_LOOPBACK, src, dst],
            [which, PACKET_HOST, src, dst],
            [which, PACKET_HOST, ipv4Number('10.0.9.9'), dst],
            [which, PACKET_HOST, src, ipv4Number('10.0.9.9')],
          ].map((words) => {
            ipv4.lastInput.genid = -1
            return ask(...words)
          })
          expect(answers).toEqual(fresh)
          ask()
        }
      }),
      { numRuns: 60, seed: 7 },
    )
    expect(remembered).toBeGreaterThan(50)
  })
})

describe('the neighbour a way goes to', () => {
  const MAC = parseMac('02:00:00:00:00:99')
  const OTHER = parseMac('02:00:00:00:00:98')

  it('is looked up again once it was deleted', () => {
    const frames: { readonly to: Uint8Array; readonly type: number }[] = []
    const all = world((skb) => frames.push({ to: skb.mem.slice(skb.data, skb.data + 6), type: skb.protocol }))
    const [dev] = all.devs
    attempt(all, () => CHANGES[0]!(all, dev!, 1))
    const table = all.inet.neighTable(2)
    const dst = v4('10.0.1.2')
    const set = (lladdr: Uint8Array): void =>
      attempt(all, () =>
        neighAdd(table, { dst, dev: dev!, lladdr, state: Nud.PERMANENT }, NlmNew.CREATE | NlmNew.REPLACE),
      )
    const sock = new UdpSock(all.inet, 2, all.inet.ipv4.udp)
    sock.connect({ address: dst, port: 9 })
    const send = (): unknown => {
      frames.length = 0
      sock.sendmsg(new Uint8Array(4))
      all.inet.kernel.runFor(0)
      return frames.at(-1)
    }
    set(MAC)
    expect(send()).toEqual({ to: MAC, type: ETH_P_IP })
    expect(send()).toEqual({ to: MAC, type: ETH_P_IP })
    set(OTHER)
    expect(send()).toEqual({ to: OTHER, type: ETH_P_IP })
    attempt(all, () => neighDelete(table, dst, dev!))
    expect(send()).toMatchObject({ type: ETH_P_ARP })
    attempt(all, () => neighDelete(table, dst, dev!))
    set(MAC)
    expect(send()).toEqual({ to: MAC, type: ETH_P_IP })
  })

  it('is looked up again also by who keeps the way', () => {
    const all = world()
    const [dev] = all.devs
    attempt(all, () => CHANGES[0]!(all, dev!, 1))
    const { ipv4 } = all.inet
    const table = all.inet.neighTable(2)
    const rt = ipRouteOutput(ipv4, ipv4Number('10.0.1.2'), {}) as Rt4
    const send = (): unknown => {
      const skb = allocSkb(all.inet.kernel, 128)!
      skbReserve(skb, 64)
      skbPut(skb, 20)
      ipFinishOutput2(ipv4, skb, rt)
      return rt.neigh
    }
    const first = send()
    expect(send()).toBe(first)
    attempt(all, () => neighDelete(table, v4('10.0.1.2'), dev!))
    expect(send()).not.toBe(first)
    expect(rt.neigh!.dead).toBe(false)
  })
})

describe('a connected socket', () => {
  it('follows its route to another device, and hears that there is none any more', () => {
    const all = world()
    const [one, two] = all.devs
    attempt(all, () => CHANGES[0]!(all, one!, 1))
    attempt(all, () => CHANGES[0]!(all, two!, 2))
    attempt(all, () => CHANGES[4]!(all, one!, 2))
    const sock = new UdpSock(all.inet, 2, all.inet.ipv4.udp)
    sock.connect({ address: v4('172.16.0.1'), port: 9 })
    const sent = (dev: NetDevice<any>): boolean => {
      const table = all.inet.neighTable(2)
      const before = table.entries
      sock.sendmsg(new Uint8Array(4))
      let found = false
      table.forEach((n) => (found ||= n.dev === dev))
      return found && table.entries >= before
    }
    expect(sent(one!)).toBe(true)
    attempt(all, () => CHANGES[4]!(all, two!, 1))
    expect(sent(two!)).toBe(true)
    attempt(all, () => CHANGES[5]!(all, one!, 1))
    attempt(all, () => CHANGES[5]!(all, one!, 2))
    expect(() => sock.sendmsg(new Uint8Array(4))).toThrow('Network is unreachable')
  })
})
