import { netifCarrierOff, netifCarrierOn, devOpen } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import {
  ethtoolGetEeprom,
  ethtoolGetLink,
  ethtoolGetPermAddr,
  ethtoolGetRegs,
  ethtoolGetTsInfo,
  ethtoolNwayReset,
  ethtoolOpGetLink,
  ethtoolOpGetTsInfo,
  ethtoolPhysId,
  ethtoolReset,
  ethtoolSelfTest,
} from '../src/index.ts'
import { makeDev } from './devices.ts'
import { refused } from './helpers.ts'

describe('a card', () => {
  it('LINK-05 has a link when it is up and the carrier is there', () => {
    const { kernel, dev } = makeDev('eth0', { getLink: ethtoolOpGetLink })
    expect(ethtoolGetLink(dev)).toBe(false)
    kernel.rtnl.run(() => devOpen(dev))
    expect(ethtoolGetLink(dev)).toBe(true)
    netifCarrierOff(dev)
    expect(ethtoolGetLink(dev)).toBe(false)
    netifCarrierOn(dev)
    expect(ethtoolGetLink(dev)).toBe(true)
  })

  it('ETH-13 can always be time-stamped in software on receive', () => {
    expect(ethtoolGetTsInfo(makeDev('eth0', {}).dev)).toEqual({
      soTimestamping: 24,
      phcIndex: -1,
      txTypes: 0,
      rxFilters: 0,
    })
    expect(ethtoolGetTsInfo(makeDev('eth0', { getTsInfo: ethtoolOpGetTsInfo }).dev).soTimestamping).toBe(26)
  })

  it('ADDR-04 has the address it was made with, or none', () => {
    const { dev } = makeDev('eth0', {}, (d) => d.devAddr.set([2, 0, 0, 0, 0, 1]))
    expect(ethtoolGetPermAddr(dev)).toEqual(Uint8Array.of(2, 0, 0, 0, 0, 1))
    expect(ethtoolGetPermAddr(makeDev('eth0', {}).dev)).toBe(null)
  })

  it('shows its EEPROM, and nothing beyond it', () => {
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => i)
    const { dev } = makeDev('eth0', {
      getEepromLen: () => bytes.length,
      getEeprom: (_d, offset, length) => bytes.subarray(offset, offset + length),
    })
    expect([...ethtoolGetEeprom(dev, 14, 2)]).toEqual([14, 15])
    expect(ethtoolGetEeprom(dev, 16, 0).length).toBe(0)
    for (const [offset, length] of [
      [15, 2],
      [-1, 1],
      [17, 0],
    ] as const) {
      expect(refused(() => ethtoolGetEeprom(dev, offset, length)).code).toBe('EINVAL')
    }
  })

  it('shows its registers', () => {
    const { dev } = makeDev('eth0', {
      getRegsLen: () => 1,
      getRegs: () => ({ version: 3, data: Uint8Array.of(7) }),
    })
    expect(ethtoolGetRegs(dev)).toEqual({ version: 3, data: Uint8Array.of(7) })
  })

  it('ETH-12 tests itself, one result a name', () => {
    const ops = { getStrings: () => ['ram', 'loop'], selfTest: () => ({ failed: true, data: [0, 5] }) }
    const report = ethtoolSelfTest(makeDev('eth0', ops).dev, { offline: true, externalLb: false })
    expect(report).toMatchObject({
      failed: true,
      offline: true,
      tests: [
        { name: 'ram', value: 0 },
        { name: 'loop', value: 5 },
      ],
    })
    const short = makeDev('eth0', { ...ops, selfTest: () => ({ failed: false, data: [0] }) }, undefined, {
      strict: false,
    })
    ethtoolSelfTest(short.dev, { offline: false, externalLb: false })
    expect(short.kernel.violations.map((v) => v.rule)).toEqual(['ETH-12'])
  })

  it('blinks for as long as asked, without holding rtnl between', () => {
    const log: string[] = []
    const { kernel, dev } = makeDev('eth0', {
      setPhysId: (d, state) => {
        log.push(`${d.kernel.clock.ktimeGet() / 1e6} ${state}`)
        return 2
      },
    })
    ethtoolPhysId(dev, 1)
    expect(log).toEqual(['0 active', '0 on', '250 off', '500 on', '750 off', '1000 inactive'])
    expect(kernel.rtnl.held).toBe(false)
  })

  it('blinks by itself when it can', () => {
    const log: string[] = []
    const { kernel, dev } = makeDev('eth0', { setPhysId: (_d, state) => log.push(state) * 0 })
    ethtoolPhysId(dev, 3)
    expect([log, kernel.clock.ktimeGet()]).toEqual([['active', 'inactive'], 3e9])
  })

  it('negotiates again and resets its parts', () => {
    let again = 0
    const { dev } = makeDev('eth0', { nwayReset: () => again++, reset: (_d, flags) => flags & ~4 })
    ethtoolNwayReset(dev)
    expect([again, ethtoolReset(dev, 0xffffffff)]).toEqual([1, 0xfffffffb])
  })
})
