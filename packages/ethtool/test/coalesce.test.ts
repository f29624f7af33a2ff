import { describe, expect, it } from 'vitest'
import { COALESCE_ATTRS, coalesceShown, ethtoolGetCoalesce, ethtoolSetCoalesce } from '../src/index.ts'
import type { EthtoolCoalesce } from '../src/index.ts'
import { makeDev } from './devices.ts'
import { notices, parts, refused } from './helpers.ts'

const KEYS = Object.keys(COALESCE_ATTRS) as (keyof EthtoolCoalesce)[]

function card(declared: readonly (keyof EthtoolCoalesce)[], start: Partial<EthtoolCoalesce> = {}) {
  let state: Partial<EthtoolCoalesce> = start
  let calls = 0
  const rig = makeDev('eth0', {
    supportedCoalesceParams: new Set(declared),
    getCoalesce: () => state,
    setCoalesce: (_dev, next) => {
      calls++
      state = next
    },
  })
  return { ...rig, sent: notices(rig), calls: () => calls }
}

const other = (key: keyof EthtoolCoalesce) => (key.startsWith('use') ? true : 5)

describe('coalescing', () => {
  it('has all 24 parameters of the kernel, zero when not told', () => {
    const all = ethtoolGetCoalesce(card(['rxCoalesceUsecs']).dev)
    expect(Object.keys(all).sort()).toEqual([...KEYS].sort())
    expect(KEYS.length).toBe(24)
    expect(Object.values(all).every((value) => !value)).toBe(true)
  })

  for (const key of KEYS) {
    it(`ETH-08 ${key} is refused unless declared, and set when it is`, () => {
      const without = card(KEYS.filter((k) => k !== key))
      const error = refused(() => ethtoolSetCoalesce(without.dev, { [key]: other(key) }))
      expect(parts(error)).toEqual(['EINVAL', 'cannot modify an unsupported parameter', COALESCE_ATTRS[key]])
      expect([without.calls(), without.sent]).toEqual([0, []])
      const declared = card([key])
      expect(ethtoolSetCoalesce(declared.dev, { [key]: other(key) })).toBe(true)
      expect(ethtoolGetCoalesce(declared.dev)[key]).toBe(other(key))
      expect(declared.sent).toEqual(['coalesce-ntf'])
    })
  }

  it('ETH-08 names the first undeclared one in the kernel’s order', () => {
    const { dev } = card(['rxCoalesceUsecs'])
    const error = refused(() =>
      ethtoolSetCoalesce(dev, { useCqeModeRx: true, txCoalesceUsecs: 1, rxCoalesceUsecs: 1 }),
    )
    expect(error.badAttr).toBe('tx-usecs')
  })

  it('ETH-15 off is not the same as not mentioned', () => {
    const { dev, calls } = card(['useAdaptiveRxCoalesce'], { useAdaptiveRxCoalesce: true })
    expect(ethtoolSetCoalesce(dev, {})).toBe(false)
    expect(calls()).toBe(0)
    expect(ethtoolSetCoalesce(dev, { useAdaptiveRxCoalesce: false })).toBe(true)
    expect(ethtoolGetCoalesce(dev).useAdaptiveRxCoalesce).toBe(false)
  })

  it('shows what is declared or not zero', () => {
    const { dev } = card(['rxCoalesceUsecs'], { txCoalesceUsecs: 3 })
    expect([...coalesceShown(dev, ethtoolGetCoalesce(dev))]).toEqual(['rxCoalesceUsecs', 'txCoalesceUsecs'])
  })
})
