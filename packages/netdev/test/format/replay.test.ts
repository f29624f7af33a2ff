import { describe, expect, it } from 'vitest'
import { devGetByName, formatMac, runIpLink } from '../../src/index.ts'
import { replayDummy, replayE1000, replayVeth, replayVnet7 } from './replay-rig.ts'

describe('ip link, replayed against what a real machine answered', () => {
  for (const name of ['vnet7', 'vnet7-noipv6'] as const) {
    it(`prints the records of ${name} byte for byte`, () => {
      const { kernel, found, recorded } = replayVnet7(name, runIpLink)
      expect(recorded.length).toBeGreaterThan(70)
      expect(found).toEqual(recorded)
      expect(devGetByName(kernel, 'vnet0')).toBeUndefined()
    })
  }

  it('prints the records of dummy byte for byte', () => {
    const { found, recorded } = replayDummy(runIpLink)
    expect(recorded.length).toBeGreaterThan(50)
    expect(found).toEqual(recorded)
  })

  it('prints the records of e1000 byte for byte', () => {
    const { found, recorded } = replayE1000(runIpLink)
    expect(recorded.length).toBeGreaterThan(50)
    expect(found).toEqual(recorded)
  })

  it('prints the records of veth byte for byte', () => {
    const { kernel, found, recorded } = replayVeth(runIpLink)
    expect(recorded.length).toBeGreaterThan(10)
    expect(found).toEqual(recorded)
    expect(formatMac(devGetByName(kernel, 'veth0')!.devAddr)).toBe('0e:83:d4:72:e0:98')
  })
})
