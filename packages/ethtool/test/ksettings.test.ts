import { Errno } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  Duplex,
  ethtoolGetLinkKsettings,
  ethtoolSetLinkinfo,
  ethtoolSetLinkmodes,
  hasLinkMode,
  LINK_MODES,
  linkModes,
} from '../src/index.ts'
import type { EthtoolLinkKsettings, EthtoolOps } from '../src/index.ts'
import { makeDev } from './devices.ts'
import { notices, parts, refused } from './helpers.ts'

const ALL = linkModes(
  '10baseT/Half',
  '10baseT/Full',
  '100baseT/Half',
  '100baseT/Full',
  '1000baseT/Full',
  'Autoneg',
  'TP',
)

function card(start: Partial<EthtoolLinkKsettings> = {}, over: EthtoolOps<any> = {}) {
  let state: Partial<EthtoolLinkKsettings> = {
    speed: 1000,
    duplex: Duplex.FULL,
    autoneg: true,
    supported: ALL,
    advertising: ALL,
    ...start,
  }
  const asked: EthtoolLinkKsettings[] = []
  const rig = makeDev('eth0', {
    getLinkKsettings: () => state,
    setLinkKsettings: (_dev, next) => {
      asked.push(next)
      state = next
    },
    ...over,
  })
  return { ...rig, asked, sent: notices(rig) }
}

/** The names of the modes in a set. */
const names = (bits: bigint) =>
  LINK_MODES.filter((mode) => hasLinkMode(bits, mode.name)).map((mode) => mode.name)

describe('link modes', () => {
  it('have the kernel’s bits', () => {
    expect(LINK_MODES.length).toBe(93)
    const bits = {
      '10baseT/Half': 0,
      Autoneg: 6,
      TP: 7,
      Pause: 13,
      '10000baseR_FEC': 20,
      '2500baseT/Full': 47,
      None: 49,
      LLRS: 74,
      '10baseT1L/Full': 92,
    }
    for (const [name, bit] of Object.entries(bits))
      expect([name, linkModes(name)]).toEqual([name, 1n << BigInt(bit)])
  })

  it('know their speed, duplex and lanes', () => {
    const of = (name: string) => LINK_MODES.find((mode) => mode.name === name)!
    expect(of('100baseT/Half')).toMatchObject({ speed: 100, duplex: 'half', lanes: 1 })
    expect(of('100000baseKR4/Full')).toMatchObject({ speed: 100000, lanes: 4 })
    expect(of('400000baseLR8_ER8_FR8/Full')).toMatchObject({ lanes: 8 })
    expect(of('20000baseMLD2/Full')).toMatchObject({ lanes: 2 })
    expect(of('1000baseT1/Full')).toMatchObject({ lanes: 1 })
    expect(of('10baseT1L/Full')).toMatchObject({ speed: 10, lanes: 1 })
    expect(of('10000baseKX4/Full')).toMatchObject({ lanes: 4 })
    expect(of('10000baseR_FEC')).toMatchObject({ speed: 10000, kind: 'real', duplex: 'full' })
    expect(of('Pause')).toMatchObject({ kind: 'pause', speed: 0, lanes: 0 })
  })

  it('a name nobody knows is an error of the program', () => {
    expect(() => linkModes('1baseT/Full')).toThrow(RangeError)
  })
})

describe('link settings', () => {
  it('a virtual card reports none', () => {
    const { dev } = makeDev('vnet0', { getLinkKsettings: () => ({ speed: 10000, duplex: Duplex.FULL }) })
    expect(ethtoolGetLinkKsettings(dev)).toMatchObject({
      supported: 0n,
      advertising: 0n,
      autoneg: false,
      lanes: 0,
    })
  })

  it('ETH-04 say that they could not be retrieved', () => {
    const fail = () => {
      throw new Errno('EIO', 'the PHY is asleep')
    }
    const { dev } = card({}, { getLinkKsettings: fail })
    expect(parts(refused(() => ethtoolGetLinkKsettings(dev)))).toEqual([
      'EIO',
      'failed to retrieve link settings',
      undefined,
    ])
  })

  it('ETH-03 are not set when nothing differs', () => {
    const { dev, asked, sent } = card()
    expect(ethtoolSetLinkmodes(dev, { autoneg: true })).toBe(false)
    expect(ethtoolSetLinkinfo(dev, { port: 0 })).toBe(false)
    expect([asked.length, sent]).toEqual([0, []])
  })

  it('with autonegotiation on, a speed offers the supported modes of that speed', () => {
    const { dev, asked, sent } = card()
    expect(ethtoolSetLinkmodes(dev, { speed: 100 })).toBe(true)
    expect(names(asked[0]!.advertising)).toEqual(['100baseT/Half', '100baseT/Full', 'Autoneg', 'TP'])
    expect(ethtoolSetLinkmodes(dev, { speed: 10, duplex: Duplex.HALF })).toBe(true)
    expect(names(asked[1]!.advertising)).toEqual(['10baseT/Half', 'Autoneg', 'TP'])
    expect(sent).toEqual(['linkmodes-ntf', 'linkmodes-ntf'])
  })

  it('with autonegotiation off, a speed leaves the offer alone', () => {
    const { dev, asked } = card()
    ethtoolSetLinkmodes(dev, { autoneg: false, speed: 100, duplex: Duplex.FULL })
    expect(asked[0]).toMatchObject({ autoneg: false, speed: 100, advertising: ALL })
  })

  it('modes can be offered by name', () => {
    const { dev, asked } = card()
    ethtoolSetLinkmodes(dev, { advertising: { bits: [{ name: '1000baseT/Full', value: false }] } })
    expect(names(asked[0]!.advertising)).not.toContain('1000baseT/Full')
    const error = refused(() =>
      ethtoolSetLinkmodes(dev, { advertising: { bits: [{ name: 'x', value: true }] } }),
    )
    expect(parts(error)).toEqual(['EOPNOTSUPP', 'bit name not found', 'ours/bits/0/name'])
  })

  it('ETH-04 hide the driver’s sentence behind the kernel’s', () => {
    const fail = () => {
      throw new Errno('EINVAL', 'no')
    }
    const { dev, sent } = card({}, { setLinkKsettings: fail })
    const message = 'link settings update failed'
    expect(parts(refused(() => ethtoolSetLinkmodes(dev, { speed: 10 })))).toEqual([
      'EINVAL',
      message,
      undefined,
    ])
    expect(parts(refused(() => ethtoolSetLinkinfo(dev, { port: 3 })))).toEqual(['EINVAL', message, undefined])
    expect(sent).toEqual([])
  })

  it('the plug is changed with a notice of its own', () => {
    const { dev, asked, sent } = card()
    expect(ethtoolSetLinkinfo(dev, { ethTpMdixCtrl: 3, phyAddress: 2 })).toBe(true)
    expect(asked[0]).toMatchObject({ ethTpMdixCtrl: 3, phyAddress: 2, speed: 1000 })
    expect(sent).toEqual(['linkinfo-ntf'])
  })

  const bad = [
    [{ masterSlaveCfg: 1 }, ['EOPNOTSUPP', 'master/slave value is invalid', 'master-slave-cfg']],
    [
      { masterSlaveCfg: 2 },
      ['EOPNOTSUPP', 'master/slave configuration not supported by device', 'master-slave-cfg'],
    ],
    [{ lanes: 3 }, ['EINVAL', 'lanes value is invalid', 'lanes']],
    [{ lanes: 16 }, ['ERANGE', 'integer out of range', 'lanes']],
    [{ lanes: 2, autoneg: false }, ['EOPNOTSUPP', 'lanes configuration not supported by device', 'lanes']],
  ] as const
  for (const [change, expected] of bad) {
    it(`ETH-04 ${JSON.stringify(change)} is refused: ${expected[1]}`, () => {
      const { dev, asked } = card()
      expect(parts(refused(() => ethtoolSetLinkmodes(dev, change)))).toEqual(expected)
      expect(asked).toEqual([])
    })
  }

  it('lanes reach a driver that can be told', () => {
    const { dev, asked } = card({}, { capLinkLanesSupported: true })
    expect(ethtoolSetLinkmodes(dev, { lanes: 2, autoneg: false })).toBe(true)
    expect(asked[0]!.lanes).toBe(2)
  })
})
