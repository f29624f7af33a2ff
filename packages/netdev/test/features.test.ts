import { Errno } from '@vnet/kernel'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  FEATURE_NAMES,
  FEATURE_RULES,
  featureByName,
  FeatureBit,
  featureNames,
  NETIF_F,
  NETIF_F_ALL_TSO,
  NETIF_F_GSO_SHIFT,
  NETIF_F_NEVER_CHANGE,
  netdevChangeFeatures,
  type NetDevice,
  netdevFixFeatures,
  type NetdevFeatures,
  netdevSetWantedFeatures,
  netdevUpdateFeatures,
  PktFeature,
  pktFeatures,
  registerNetdeviceNotifier,
  SKB_GSO_TCPV4,
  SKB_GSO_TCPV6,
  SKB_GSO_UDP_L4,
} from '../src/index.ts'
import { lenient, logTexts, makeDev, reported, rules, type TestOps } from './helpers.ts'

const anyFeatures = fc.bigInt({ min: 0n, max: (1n << 63n) - 1n })

describe('names', () => {
  it("the names are those of ethtool -k, in the kernel's order", () => {
    const names = JSON.parse(
      readFileSync(new URL('fixtures/feature-names.json', import.meta.url), 'utf8'),
    ) as string[]
    // What ethtool prints in none of its groups, as a real machine listed it.
    expect(FEATURE_NAMES.map(({ name }) => name).filter((name) => names.includes(name))).toEqual(names)
  })

  it('every feature but the old UFO slot has one name of its own', () => {
    const keys = FEATURE_NAMES.map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
    expect(Object.keys(FeatureBit).filter((key) => !keys.includes(key as never))).toEqual(['GSO_UDP'])
    expect(featureByName('tx-checksum-ip-generic')?.mask).toBe(NETIF_F.HW_CSUM)
    expect(featureByName('nonsense')).toBeUndefined()
    expect(featureNames(NETIF_F.SG | NETIF_F.RXCSUM)).toEqual(['tx-scatter-gather', 'rx-checksum'])
  })

  it('the numbers for packets are the low bits of the set, and GSO types fall on their features', () => {
    for (const [key, mask] of Object.entries(PktFeature)) {
      if (key.endsWith('_MASK')) continue
      expect([key, BigInt(mask)]).toEqual([key, NETIF_F[key as keyof typeof NETIF_F]])
    }
    expect(pktFeatures(NETIF_F.SG | NETIF_F.RXCSUM | NETIF_F.LLTX)).toBe(PktFeature.SG)
    for (const [type, mask] of [
      [SKB_GSO_TCPV4, PktFeature.TSO],
      [SKB_GSO_TCPV6, PktFeature.TSO6],
      [SKB_GSO_UDP_L4, PktFeature.GSO_UDP_L4],
    ] as const) {
      expect(type << NETIF_F_GSO_SHIFT).toBe(mask)
    }
  })
})

describe('dependencies', () => {
  it('FEAT-03 only ever take away, and a second look takes nothing more', () => {
    fc.assert(
      fc.property(anyFeatures, (features) => {
        const fixed = netdevFixFeatures(features)
        expect(fixed & ~features).toBe(0n)
        expect(netdevFixFeatures(fixed)).toBe(fixed)
      }),
    )
  })

  it('FEAT-04 hold for every set', () => {
    fc.assert(
      fc.property(anyFeatures, (features) => {
        const f = netdevFixFeatures(features)
        const has = (mask: NetdevFeatures) => (f & mask) !== 0n
        if (has(NETIF_F_ALL_TSO) || has(NETIF_F.GSO)) expect(has(NETIF_F.SG)).toBe(true)
        if (has(NETIF_F.TSO)) expect(has(NETIF_F.HW_CSUM | NETIF_F.IP_CSUM)).toBe(true)
        if (has(NETIF_F.TSO6)) expect(has(NETIF_F.HW_CSUM | NETIF_F.IPV6_CSUM)).toBe(true)
        if (has(NETIF_F.GRO_HW)) expect(has(NETIF_F.RXCSUM) && !has(NETIF_F.LRO | NETIF_F.RXFCS)).toBe(true)
        if (has(NETIF_F.LRO)) expect(has(NETIF_F.RXFCS | NETIF_F.GRO_HW)).toBe(false)
        if (has(NETIF_F.HW_CSUM)) expect(has(NETIF_F.IP_CSUM | NETIF_F.IPV6_CSUM)).toBe(false)
        if (has(NETIF_F.TSO_MANGLEID | NETIF_F.TSO_ECN)) expect(has(NETIF_F.TSO | NETIF_F.TSO6)).toBe(true)
        if (has(NETIF_F.HW_TLS_RX)) expect(has(NETIF_F.RXCSUM)).toBe(true)
      }),
    )
  })

  it('FEAT-04 table of single pairs', () => {
    const {
      SG,
      TSO,
      TSO6,
      HW_CSUM,
      IP_CSUM,
      IPV6_CSUM,
      GSO,
      GRO_HW,
      LRO,
      RXFCS,
      RXCSUM,
      TSO_ECN,
      TSO_MANGLEID,
      GSO_UDP_L4,
      HW_TLS_TX,
    } = NETIF_F
    const table: [NetdevFeatures, NetdevFeatures][] = [
      [TSO, 0n],
      [TSO | SG, SG],
      [TSO | SG | IP_CSUM, TSO | SG | IP_CSUM],
      [TSO | SG | HW_CSUM, TSO | SG | HW_CSUM],
      [TSO | SG | IPV6_CSUM, SG | IPV6_CSUM],
      [TSO6 | SG | IP_CSUM, SG | IP_CSUM],
      [TSO6 | SG | IPV6_CSUM, TSO6 | SG | IPV6_CSUM],
      [GSO, 0n],
      [GSO | SG, GSO | SG],
      [HW_CSUM | IP_CSUM | IPV6_CSUM, HW_CSUM],
      [GRO_HW, 0n],
      [GRO_HW | RXCSUM, GRO_HW | RXCSUM],
      [GRO_HW | RXCSUM | LRO, GRO_HW | RXCSUM],
      [LRO | RXFCS, RXFCS],
      [GRO_HW | RXCSUM | RXFCS, RXCSUM | RXFCS],
      [TSO_ECN | SG | HW_CSUM, SG | HW_CSUM],
      [TSO_MANGLEID | SG | HW_CSUM, SG | HW_CSUM],
      [GSO_UDP_L4 | IP_CSUM, IP_CSUM],
      [GSO_UDP_L4 | HW_CSUM, GSO_UDP_L4 | HW_CSUM],
      [HW_TLS_TX, 0n],
    ]
    for (const [asked, want] of table)
      expect(featureNames(netdevFixFeatures(asked))).toEqual(featureNames(want))
  })

  it('FEAT-04 says which rules bit, in order', () => {
    const why: string[] = []
    netdevFixFeatures(NETIF_F.TSO | NETIF_F.GSO | NETIF_F.GRO_HW, (rule) => why.push(rule.why))
    expect(why).toEqual([
      'Dropping TSO features since no SG feature.',
      'Dropping NETIF_F_GSO since no SG feature.',
      'Dropping NETIF_F_GRO_HW since no RXCSUM feature.',
    ])
    expect(FEATURE_RULES.length).toBeGreaterThan(10)
  })
})

describe("a device's features", () => {
  const csum = NETIF_F.SG | NETIF_F.HW_CSUM | NETIF_F.TSO | NETIF_F.RXCSUM

  function device(more: TestOps = {}, setup: (dev: NetDevice<any>) => void = () => {}) {
    const made = makeDev(more, {
      setup(dev) {
        dev.hwFeatures = csum
        dev.features = csum | NETIF_F.LLTX
        setup(dev)
      },
      options: lenient,
    })
    const seen: string[] = []
    registerNetdeviceNotifier(
      made.kernel,
      (event) => void (event === 'NETDEV_FEAT_CHANGE' && seen.push(event)),
    )
    const want = (mask: NetdevFeatures, values: NetdevFeatures) =>
      made.kernel.rtnl.run(() => netdevSetWantedFeatures(made.dev, mask, values))
    return { ...made, seen, want }
  }

  it('FEAT-01 registering adds what the core does, as the oracle shows for a card without features', () => {
    const { dev } = makeDev()
    expect(featureNames(dev.features)).toEqual(['rx-gro'])
    expect(featureNames(dev.wantedFeatures)).toEqual(['tx-generic-segmentation', 'rx-gro'])
    expect(featureNames(dev.hwFeatures)).toEqual([
      'tx-generic-segmentation',
      'rx-gro',
      'tx-nocache-copy',
      'rx-gro-list',
      'rx-udp-gro-forwarding',
    ])
  })

  it('FEAT-01 a driver that writes the features on now after registering is reported', () => {
    const { dev } = makeDev()
    expect(reported(() => void (dev.features |= NETIF_F.SG))).toBe('FEAT-01')
  })

  it('FEAT-01 FEAT-05 a user turns a feature off and on; each change is told once, and no change is not', () => {
    const { dev, want, seen } = device()
    expect(want(NETIF_F.RXCSUM, 0n)).toBe(true)
    expect(dev.features & NETIF_F.RXCSUM).toBe(0n)
    expect(want(NETIF_F.RXCSUM, 0n)).toBe(false)
    expect(want(NETIF_F.RXCSUM, NETIF_F.RXCSUM)).toBe(true)
    expect(seen).toHaveLength(2)
    expect(dev.pktFeatures).toBe(pktFeatures(dev.features))
  })

  it('FEAT-03 what depends goes along and comes back, because it is still wanted', () => {
    const { dev, want } = device()
    want(NETIF_F.SG, 0n)
    expect(dev.features & (NETIF_F.TSO | NETIF_F.GSO)).toBe(0n)
    want(NETIF_F.SG, NETIF_F.SG)
    expect(dev.features & (NETIF_F.TSO | NETIF_F.GSO)).toBe(NETIF_F.TSO | NETIF_F.GSO)
  })

  it('FEAT-01 what the card cannot change cannot be asked for', () => {
    const { want } = device()
    for (const mask of [NETIF_F.LRO, NETIF_F.LLTX, NETIF_F_NEVER_CHANGE]) {
      expect(() => want(mask, mask)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
  })

  it("FEAT-02 ndoFixFeatures may be called any number of times and has the driver's say", () => {
    let calls = 0
    const { kernel, dev, want } = device({
      ndoFixFeatures(_dev, features) {
        calls++
        return (features & NETIF_F.RXCSUM) === 0n ? features & ~NETIF_F.HW_CSUM : features
      },
    })
    want(NETIF_F.RXCSUM, 0n)
    expect(dev.features & (NETIF_F.HW_CSUM | NETIF_F.TSO)).toBe(0n)
    const before = dev.features
    for (let i = 0; i < 100; i++) kernel.rtnl.run(() => netdevUpdateFeatures(dev))
    expect(dev.features).toBe(before)
    expect(calls).toBeGreaterThan(100)
    expect(rules(kernel)).toEqual([])
  })

  it.each<[string, NonNullable<TestOps['ndoFixFeatures']>]>([
    ['changes the device', (dev, features) => ((dev.wantedFeatures ^= NETIF_F.GRO), features)],
    [
      'answers by turns',
      (dev, features) => (
        (dev.priv.n = (dev.priv.n ?? 0) + 1),
        dev.priv.n % 2 ? features : features & ~NETIF_F.SG
      ),
    ],
  ])('FEAT-02 a driver whose ndoFixFeatures %s is reported', (_what, fix) => {
    const { kernel } = device({ ndoFixFeatures: fix })
    expect(rules(kernel)).toContain('FEAT-02')
  })

  it('FEAT-05 a driver that fails to follow keeps what it has, and the failure is in the log', () => {
    const { kernel, dev, want, seen } = device({
      ndoSetFeatures(_dev, features) {
        if ((features & NETIF_F.RXCSUM) === 0n) throw new Errno('EIO')
      },
    })
    want(NETIF_F.RXCSUM, 0n)
    expect(dev.features & NETIF_F.RXCSUM).toBe(NETIF_F.RXCSUM)
    expect(seen).toHaveLength(1)
    expect(logTexts(kernel).at(-1)).toMatch(
      /^test0: set_features\(\) failed \(-5\); wanted 0x[0-9a-f]{16}, left 0x[0-9a-f]{16}$/,
    )
  })

  it('FEAT-01 inside ndoSetFeatures a driver may set what it could reach', () => {
    const { kernel, dev, want } = device({
      ndoSetFeatures(d, features) {
        d.features = features | NETIF_F.RXALL
        return true
      },
    })
    want(NETIF_F.RXCSUM, 0n)
    expect(dev.features & (NETIF_F.RXALL | NETIF_F.RXCSUM)).toBe(NETIF_F.RXALL)
    expect(rules(kernel)).toEqual([])
  })

  it('FEAT-05 a driver whose abilities changed has it told in any case', () => {
    const { kernel, dev, seen } = device()
    kernel.rtnl.run(() => netdevChangeFeatures(dev))
    kernel.rtnl.run(() => netdevUpdateFeatures(dev))
    expect(seen).toHaveLength(1)
  })

  it('mixed checksum settings are warned about', () => {
    const { kernel, dev } = makeDev(
      {},
      { setup: (d) => void (d.features = NETIF_F.HW_CSUM | NETIF_F.IP_CSUM) },
    )
    expect(dev.features & NETIF_F.IP_CSUM).toBe(0n)
    expect(logTexts(kernel)).toContain('test0: mixed HW and IP checksum settings.')
  })
})
