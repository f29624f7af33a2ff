import { Errno } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { ethtoolGetRingparam, ethtoolSetRingparam } from '../src/index.ts'
import type { EthtoolRingparam } from '../src/index.ts'
import { makeDev } from './devices.ts'
import { notices, parts, refused } from './helpers.ts'

function card(
  over: Partial<EthtoolRingparam> = {},
  flags: readonly ('rxBufLen' | 'cqeSize' | 'txPush')[] = [],
) {
  const state = { rxMaxPending: 4096, txMaxPending: 4096, rxPending: 256, txPending: 256, ...over }
  const asked: EthtoolRingparam[] = []
  const rig = makeDev(
    'eth0',
    {
      supportedRingParams: new Set(flags),
      getRingparam: () => ({ ...state }),
      setRingparam: (_dev, ring) => {
        asked.push(ring)
        Object.assign(state, ring)
      },
    },
    undefined,
    { strict: false },
  )
  return { ...rig, state, asked, sent: notices(rig) }
}

describe('ring sizes', () => {
  it('fills in what the driver leaves out', () => {
    expect(ethtoolGetRingparam(card().dev)).toEqual({
      rxMaxPending: 4096,
      rxMiniMaxPending: 0,
      rxJumboMaxPending: 0,
      txMaxPending: 4096,
      rxPending: 256,
      rxMiniPending: 0,
      rxJumboPending: 0,
      txPending: 256,
      rxBufLen: 0,
      tcpDataSplit: 0,
      cqeSize: 0,
      txPush: false,
    })
  })

  it('ETH-02 merges: one field is asked for, the driver gets all of them', () => {
    const { dev, asked } = card()
    expect(ethtoolSetRingparam(dev, { rxPending: 128 })).toBe(true)
    expect(asked).toEqual([expect.objectContaining({ rxPending: 128, txPending: 256, rxMaxPending: 4096 })])
  })

  it('ETH-03 sends one notice when something changes, none and no call when nothing does', () => {
    const { dev, asked, sent } = card()
    expect(ethtoolSetRingparam(dev, { rxPending: 256, txPending: undefined })).toBe(false)
    expect(ethtoolSetRingparam(dev, {})).toBe(false)
    expect([asked.length, sent]).toEqual([0, []])
    expect(ethtoolSetRingparam(dev, { rxPending: 512, txPending: 512 })).toBe(true)
    expect(sent).toEqual(['rings-ntf'])
  })

  const tooBig = [
    ['rxPending', 'rx', 4097],
    ['rxMiniPending', 'rx-mini', 1],
    ['rxJumboPending', 'rx-jumbo', 1],
    ['txPending', 'tx', 4097],
  ] as const
  for (const [key, attr, value] of tooBig) {
    it(`ETH-05 refuses ${key} above the maximum before the driver is asked`, () => {
      const { dev, asked, sent } = card()
      const error = refused(() => ethtoolSetRingparam(dev, { [key]: value }))
      expect(parts(error)).toEqual(['EINVAL', 'requested ring size exceeds maximum', attr])
      expect([asked.length, sent.length]).toEqual([0, 0])
    })
  }

  it('ETH-05 takes the maximum itself', () => {
    expect(ethtoolSetRingparam(card().dev, { rxPending: 4096 })).toBe(true)
  })

  for (const value of [-1, 1.5, 2 ** 32]) {
    it(`refuses ${value}: it fits in no u32`, () => {
      const error = refused(() => ethtoolSetRingparam(card().dev, { txPending: value }))
      expect(parts(error)).toEqual(['ERANGE', 'integer out of range', 'tx'])
    })
  }

  const undeclared = [
    ['rxBufLen', 2048, 'setting rx buf len not supported', 'rx-buf-len'],
    ['cqeSize', 64, 'setting cqe size not supported', 'cqe-size'],
    ['txPush', true, 'setting tx push not supported', 'tx-push'],
  ] as const
  for (const [key, value, message, attr] of undeclared) {
    it(`ETH-04 refuses ${key} unless the driver declared it`, () => {
      const change = { [key]: value }
      expect(parts(refused(() => ethtoolSetRingparam(card().dev, change)))).toEqual([
        'EOPNOTSUPP',
        message,
        attr,
      ])
      expect(ethtoolSetRingparam(card({}, [key]).dev, change)).toBe(true)
    })
  }

  it('ETH-10 keeps the old state and sends nothing when the driver cannot get the new size', () => {
    const rig = makeDev('eth0', {
      getRingparam: () => ({ rxMaxPending: 4096, rxPending: 256 }),
      setRingparam: () => {
        throw new Errno('ENOMEM', 'no memory for 4096 descriptors', 'rx')
      },
    })
    const sent = notices(rig)
    const error = refused(() => ethtoolSetRingparam(rig.dev, { rxPending: 4096 }))
    expect(parts(error)).toEqual(['ENOMEM', 'no memory for 4096 descriptors', 'rx'])
    expect(sent).toEqual([])
  })

  it('ETH-09 reports a driver that does not keep what was set', () => {
    const rig = makeDev(
      'eth0',
      { getRingparam: () => ({ rxMaxPending: 4096, rxPending: 256 }), setRingparam: () => {} },
      undefined,
      { strict: false, checks: true },
    )
    ethtoolSetRingparam(rig.dev, { rxPending: 100 })
    expect(rig.kernel.violations.map((v) => [v.rule, v.message])).toEqual([
      ['ETH-09', 'eth0: ring rx was set to 100 and reads 256'],
    ])
  })

  it('ETH-09 is content with one that does', () => {
    const { kernel, dev } = card()
    ethtoolSetRingparam(dev, { rxPending: 100, txPending: 7 })
    expect(kernel.violations).toEqual([])
  })
})
