import { describe, expect, it } from 'vitest'
import { ethtoolGetStats, ethtoolGetStdStats, ethtoolGetStrings } from '../src/index.ts'
import type { EthtoolOps } from '../src/index.ts'
import { makeDev } from './devices.ts'

function withStats(
  names: () => readonly string[],
  values: () => readonly bigint[],
  over: EthtoolOps<any> = {},
) {
  const ops: EthtoolOps<any> = {
    getStrings: (_dev, set) => (set === 'stats' ? names() : []),
    getEthtoolStats: values,
    ...over,
  }
  return makeDev('eth0', ops, undefined, { strict: false })
}

const rules = (rig: { kernel: { violations: readonly { rule: string }[] } }) =>
  rig.kernel.violations.map((v) => v.rule)

describe('the driver’s statistics', () => {
  it('are names with values, which wrap at 64 bits', () => {
    const rig = withStats(
      () => ['ring_full', 'stops'],
      () => [2n ** 64n + 3n, 4n],
    )
    expect(ethtoolGetStats(rig.dev)).toEqual([
      { name: 'ring_full', value: 3n },
      { name: 'stops', value: 4n },
    ])
    expect(rules(rig)).toEqual([])
  })

  it('ETH-12 a name of 31 bytes is fine, one of 32 is reported', () => {
    const ok = withStats(
      () => ['x'.repeat(31)],
      () => [0n],
    )
    ethtoolGetStats(ok.dev)
    expect(rules(ok)).toEqual([])
    for (const name of ['x'.repeat(32), 'ü'.repeat(16)]) {
      const bad = withStats(
        () => [name],
        () => [0n],
      )
      ethtoolGetStats(bad.dev)
      expect(rules(bad)).toEqual(['ETH-12'])
    }
  })

  it('ETH-12 more or fewer values than names is reported', () => {
    for (const values of [[1n], [1n, 2n, 3n]]) {
      const rig = withStats(
        () => ['a', 'b'],
        () => values,
      )
      expect(ethtoolGetStats(rig.dev).length).toBe(2)
      expect(rules(rig)).toEqual(['ETH-12'])
    }
  })

  it('ETH-12 an announced count that is not the number of names is reported', () => {
    const rig = withStats(
      () => ['a', 'b'],
      () => [1n, 2n],
      { getSsetCount: () => 3 },
    )
    ethtoolGetStrings(rig.dev, 'stats')
    expect(rules(rig)).toEqual(['ETH-12'])
  })

  it('STAT-11 names that change while registered are reported, also their order', () => {
    let names = ['a', 'b']
    const rig = withStats(
      () => names,
      () => names.map(() => 0n),
    )
    ethtoolGetStats(rig.dev)
    ethtoolGetStats(rig.dev)
    expect(rules(rig)).toEqual([])
    names = ['b', 'a']
    ethtoolGetStats(rig.dev)
    names = ['b', 'a', 'c']
    ethtoolGetStats(rig.dev)
    expect(rules(rig)).toEqual(['STAT-11', 'STAT-11'])
  })
})

describe('standard statistics', () => {
  it('STAT-10 leave out what is not kept', () => {
    const rig = makeDev('eth0', {
      getEthMacStats: () => ({ FramesTransmittedOK: 5n, OctetsReceivedOK: 0n }),
      getRmonStats: () => ({ etherStatsJabbers: 1n, rxHist: [{ low: 64, high: 64, value: 2n }] }),
    })
    const groups = ethtoolGetStdStats(rig.dev, ['eth-mac', 'rmon', 'eth-phy'])
    expect(groups.map((g) => [g.group, g.stats])).toEqual([
      ['eth-phy', []],
      [
        'eth-mac',
        [
          ['FramesTransmittedOK', 5n],
          ['OctetsReceivedOK', 0n],
        ],
      ],
      ['rmon', [['etherStatsJabbers', 1n]]],
    ])
    expect(groups[2]!.rxHist).toEqual([{ low: 64, high: 64, value: 2n }])
  })
})
