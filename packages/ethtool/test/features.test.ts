import { NETIF_F, netdevUpdateFeatures } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import {
  ethtoolGetFeatures,
  ethtoolNotify,
  ethtoolSetFeatures,
  ethtoolSubscribe,
  FEATURE_GROUPS,
  featuresOf,
} from '../src/index.ts'
import { dummy, makeDev } from './devices.ts'
import { notices, parts, refused } from './helpers.ts'

describe('features', () => {
  it('FEAT-01 a wish that can be met is met, with one notice', () => {
    const rig = dummy()
    const sent = notices(rig)
    const result = ethtoolSetFeatures(rig.dev, [{ name: 'rx-gro', value: false }])
    expect(result).toMatchObject({
      wantedMask: 0n,
      activeMask: NETIF_F.GRO,
      active: 0n,
      requested: NETIF_F.GRO,
    })
    expect(ethtoolGetFeatures(rig.dev).active & NETIF_F.GRO).toBe(0n)
    expect(sent).toEqual(['features-ntf'])
  })

  it('ETH-03 nothing changed, no notice', () => {
    const rig = dummy()
    const sent = notices(rig)
    ethtoolSetFeatures(rig.dev, [{ name: 'rx-gro', value: true }])
    ethtoolSetFeatures(rig.dev, [])
    expect(sent).toEqual([])
  })

  it('FEAT-01 a wish for what the device cannot do changes nothing, and the result says so', () => {
    const rig = makeDev('eth0', {})
    const sent = notices(rig)
    const before = ethtoolGetFeatures(rig.dev)
    const result = ethtoolSetFeatures(rig.dev, [{ name: 'tx-checksum-ipv4', value: true }])
    expect(result).toMatchObject({ wantedMask: NETIF_F.IP_CSUM, wanted: NETIF_F.IP_CSUM, activeMask: 0n })
    expect(ethtoolGetFeatures(rig.dev)).toEqual(before)
    expect(sent).toEqual([])
  })

  it('FEAT-03 what depends on it goes and comes back with it', () => {
    const rig = dummy()
    const off = ethtoolSetFeatures(rig.dev, [{ name: 'tx-scatter-gather', value: false }])
    expect(off.activeMask & NETIF_F.TSO).not.toBe(0n)
    const on = ethtoolSetFeatures(rig.dev, [{ name: 'tx-scatter-gather', value: true }])
    expect(on.active & NETIF_F.TSO).not.toBe(0n)
    expect(on.activeMask).toBe(off.activeMask)
  })

  it('refuses what is no switch, and names what nobody knows', () => {
    const { dev } = dummy()
    expect(parts(refused(() => ethtoolSetFeatures(dev, [{ name: 'tx-lockless', value: false }])))).toEqual([
      'EINVAL',
      'attempt to change non-ethtool features',
      undefined,
    ])
    const request = [
      { name: 'rx-gro', value: true },
      { name: 'warp', value: true },
    ]
    expect(parts(refused(() => ethtoolSetFeatures(dev, request)))).toEqual([
      'EOPNOTSUPP',
      'bit name not found',
      'wanted/bits/1/name',
    ])
  })

  it('ETH-03 a notice also follows when somebody else changes them', () => {
    const rig = dummy()
    const sent = notices(rig)
    rig.kernel.rtnl.run(() => {
      rig.dev.wantedFeatures &= ~NETIF_F.GRO
      netdevUpdateFeatures(rig.dev)
    })
    expect(sent).toEqual(['features-ntf'])
  })

  it('families have the members the tool gives them', () => {
    const sizes = Object.fromEntries(FEATURE_GROUPS.map((group) => [group.short, group.members.length]))
    expect(sizes).toEqual({
      rx: 1,
      tx: 5,
      sg: 2,
      tso: 4,
      gso: 1,
      gro: 1,
      lro: 1,
      rxvlan: 1,
      txvlan: 1,
      ntuple: 1,
      rxhash: 1,
    })
    expect(featuresOf('tso')).toEqual(featuresOf('tcp-segmentation-offload'))
    expect(featuresOf('rx-gro-hw')).toEqual(['rx-gro-hw'])
    expect(featuresOf('ufo')).toEqual([])
  })
})

describe('notices', () => {
  it('ETH-03 reach every listener of this kernel until it leaves', () => {
    const [one, two] = [dummy(), dummy()]
    const seen: string[] = []
    const leave = ethtoolSubscribe(one.kernel, ({ cmd, dev }) => seen.push(`${dev.name} ${cmd}`))
    ethtoolNotify(two.dev, 'rings-ntf')
    ethtoolNotify(one.dev, 'rings-ntf')
    leave()
    ethtoolNotify(one.dev, 'rings-ntf')
    expect(seen).toEqual(['dummy0 rings-ntf'])
  })
})

describe('features and the driver’s table', () => {
  it('ETH-11 a change runs between begin and complete', () => {
    const log: string[] = []
    const { dev } = makeDev('eth0', {
      begin: () => void log.push('begin'),
      complete: () => void log.push('complete'),
    })
    ethtoolSetFeatures(dev, [{ name: 'rx-gro', value: false }])
    expect(log).toEqual(['begin', 'complete'])
  })
})
