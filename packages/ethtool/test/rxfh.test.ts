import { describe, expect, it } from 'vitest'
import { ethtoolGetRxfh, ethtoolRxfhIndirDefault, ethtoolSetRxfh } from '../src/index.ts'
import type { EthtoolRxfhChange } from '../src/index.ts'
import { makeDev } from './devices.ts'
import { notices, refused } from './helpers.ts'

function card() {
  const state = {
    indir: ethtoolRxfhIndirDefault(8, 4) as readonly number[],
    key: new Uint8Array(4),
    hfunc: 1,
  }
  const asked: EthtoolRxfhChange[] = []
  const rig = makeDev('eth0', {
    getRxRingCount: () => 4,
    getRxfh: () => ({ ...state }),
    setRxfh: (_dev, change) => {
      asked.push(change)
      Object.assign(state, change)
    },
  })
  return { ...rig, asked, sent: notices(rig) }
}

describe('receive-side scaling', () => {
  it('MQ-04 spreads evenly by default', () => {
    expect(ethtoolGetRxfh(card().dev).indir).toEqual([0, 1, 2, 3, 0, 1, 2, 3])
  })

  it('ETH-02 ETH-03 hands over only what changes, with one notice', () => {
    const { dev, asked, sent } = card()
    expect(ethtoolSetRxfh(dev, { indir: 'default', key: new Uint8Array(4), hfunc: 1 })).toBe(false)
    expect([asked, sent]).toEqual([[], []])
    const indir = [0, 0, 0, 0, 1, 1, 1, 1]
    expect(ethtoolSetRxfh(dev, { indir, hfunc: 1 })).toBe(true)
    expect(asked).toEqual([{ indir }])
    expect(ethtoolSetRxfh(dev, { key: Uint8Array.of(1, 2, 3, 4), hfunc: 2 })).toBe(true)
    expect(asked[1]).toEqual({ key: Uint8Array.of(1, 2, 3, 4), hfunc: 2 })
    expect(sent).toEqual(['rss-ntf', 'rss-ntf'])
  })

  const bad = [
    [{ indir: [0, 1] }, 'EINVAL', 'indir'],
    [{ indir: [0, 1, 2, 3, 0, 1, 2, 4] }, 'EINVAL', 'indir'],
    [{ key: new Uint8Array(3) }, 'EINVAL', 'hkey'],
    [{ hfunc: 3 }, 'EINVAL', 'hfunc'],
    [{ hfunc: 0 }, 'EINVAL', 'hfunc'],
    [{ hfunc: 8 }, 'EOPNOTSUPP', 'hfunc'],
  ] as const
  for (const [request, code, attr] of bad) {
    it(`MQ-06 refuses ${JSON.stringify(request)}`, () => {
      const { dev, asked } = card()
      expect(refused(() => ethtoolSetRxfh(dev, request))).toMatchObject({ code, badAttr: attr })
      expect(asked).toEqual([])
    })
  }
})
