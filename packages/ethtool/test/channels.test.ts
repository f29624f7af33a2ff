import { describe, expect, it } from 'vitest'
import { ethtoolGetChannels, ethtoolSetChannels, ethtoolSetRxfh } from '../src/index.ts'
import type { EthtoolChannels, RxnfcRule } from '../src/index.ts'
import { makeDev } from './devices.ts'
import { notices, parts, refused } from './helpers.ts'

function card(over: Partial<EthtoolChannels> = {}, rules: readonly RxnfcRule[] = []) {
  const state = {
    maxRx: 4,
    maxTx: 4,
    maxOther: 1,
    maxCombined: 8,
    rxCount: 0,
    txCount: 0,
    otherCount: 1,
    combinedCount: 4,
    ...over,
  }
  const rxfh = { indir: [0, 1, 2, 3, 0, 1, 2, 3] as readonly number[], key: new Uint8Array(40), hfunc: 1 }
  const asked: EthtoolChannels[] = []
  const rig = makeDev('eth0', {
    getChannels: () => ({ ...state }),
    setChannels: (_dev, channels) => {
      asked.push(channels)
      Object.assign(state, channels)
    },
    getRxRingCount: () => 8,
    getRxfh: () => ({ ...rxfh }),
    setRxfh: (_dev, change) => Object.assign(rxfh, change),
    getRxnfcRules: () => rules,
  })
  return { ...rig, state, asked, sent: notices(rig) }
}

describe('channels', () => {
  it('ETH-02 ETH-03 merges and sends one notice', () => {
    const { dev, asked, sent } = card()
    expect(ethtoolSetChannels(dev, { combinedCount: 2 })).toBe(true)
    expect(asked).toEqual([expect.objectContaining({ combinedCount: 2, otherCount: 1, rxCount: 0 })])
    expect(ethtoolSetChannels(dev, { combinedCount: 2 })).toBe(false)
    expect(sent).toEqual(['channels-ntf'])
    expect(ethtoolGetChannels(dev).combinedCount).toBe(2)
  })

  const tooMany = [
    ['rxCount', 'rx-count', 5],
    ['txCount', 'tx-count', 5],
    ['otherCount', 'other-count', 2],
    ['combinedCount', 'combined-count', 9],
  ] as const
  for (const [key, attr, value] of tooMany) {
    it(`ETH-05 refuses ${key} above the maximum`, () => {
      const { dev, asked } = card()
      const error = refused(() => ethtoolSetChannels(dev, { [key]: value }))
      expect(parts(error)).toEqual(['EINVAL', 'requested channel count exceeds maximum', attr])
      expect(asked).toEqual([])
    })
  }

  const none = 'requested channel counts would result in no RX or TX channel being configured'
  const empty = [
    ['no combined', { combinedCount: 0 }, {}, 'combined-count'],
    ['no receive', { rxCount: 0 }, { combinedCount: 0, rxCount: 1, txCount: 1 }, 'rx-count'],
    ['no transmit', { txCount: 0 }, { combinedCount: 0, rxCount: 1, txCount: 1 }, 'tx-count'],
    ['combined for receive only', { combinedCount: 0, rxCount: 2 }, {}, 'combined-count'],
  ] as const
  for (const [what, change, over, attr] of empty) {
    it(`ETH-06 keeps a channel each way: ${what}`, () => {
      const { dev, asked } = card(over)
      expect(parts(refused(() => ethtoolSetChannels(dev, change)))).toEqual(['EINVAL', none, attr])
      expect(asked).toEqual([])
    })
  }

  it('ETH-06 lets combined be replaced by single ones', () => {
    expect(ethtoolSetChannels(card().dev, { combinedCount: 0, rxCount: 2, txCount: 2 })).toBe(true)
  })

  it('ETH-07 keeps a queue that a flow rule points at', () => {
    const rules = [
      { location: 0, queue: 3 },
      { location: 1, queue: null },
    ]
    const { dev, asked } = card({}, rules)
    const error = refused(() => ethtoolSetChannels(dev, { combinedCount: 2 }))
    expect(parts(error)).toEqual([
      'EINVAL',
      'requested channel counts are too low for existing ntuple filter settings',
      undefined,
    ])
    expect(asked).toEqual([])
  })

  it('ETH-07 MQ-06 keeps a queue that somebody pointed the hash table at', () => {
    const { dev } = card()
    expect(ethtoolSetChannels(dev, { combinedCount: 3 })).toBe(true)
    ethtoolSetRxfh(dev, { indir: [0, 0, 0, 0, 2, 2, 2, 2] })
    expect(refused(() => ethtoolSetChannels(dev, { combinedCount: 2 })).extack).toBe(
      'requested channel counts are too low for existing indirection table settings',
    )
    ethtoolSetRxfh(dev, { indir: 'default' })
    expect(ethtoolSetChannels(dev, { combinedCount: 2 })).toBe(true)
  })
})
