import { registerNetdev, allocEtherdevMqs, freeNetdev, unregisterNetdev } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { ethtoolGetDrvinfo } from '../src/index.ts'
import { makeDev } from './devices.ts'
import { refused } from './helpers.ts'

describe('who drives a device', () => {
  it('ETH-13 comes from the device when the driver says nothing', () => {
    const { dev } = makeDev('eth0', {}, (d) => {
      d.driverName = 'mydrv'
      d.driverVersion = '2.0'
      d.busInfo = 'platform:0'
      d.firmwareVersion = 'fw 1'
    })
    expect(ethtoolGetDrvinfo(dev)).toEqual({
      driver: 'mydrv',
      version: '2.0',
      fwVersion: 'fw 1',
      eromVersion: '',
      busInfo: 'platform:0',
      nStats: 0,
      testinfoLen: 0,
      eedumpLen: 0,
      regdumpLen: 0,
      nPrivFlags: 0,
    })
  })

  it('ETH-13 or from the module that made it', () => {
    const kernel = createKernel()
    let dev: NetDevice<any> | undefined
    kernel.modules.insmod({
      name: 'vnet',
      version: '0.7',
      license: 'GPL',
      init() {
        dev = allocEtherdevMqs(kernel, { name: 'vnet%d', ops: { ndoStartXmit: () => 0 }, priv: () => ({}) })
        registerNetdev(dev)
      },
      exit() {
        unregisterNetdev(dev!)
        freeNetdev(dev!)
      },
    })
    expect(ethtoolGetDrvinfo(dev!)).toMatchObject({ driver: 'vnet', version: '0.7' })
    kernel.modules.rmmod('vnet')
    expect(kernel.violations).toEqual([])
  })

  it('ETH-13 what the driver leaves empty, the core fills in', () => {
    const { dev } = makeDev(
      'eth0',
      { getDrvinfo: () => ({ driver: '', fwVersion: '7' }) },
      (d) => (d.linkKind = 'dummy'),
    )
    expect(ethtoolGetDrvinfo(dev)).toMatchObject({ driver: 'dummy', fwVersion: '7' })
  })

  it('ETH-01 is refused when nobody knows', () => {
    expect(refused(() => ethtoolGetDrvinfo(makeDev('eth0', {}).dev)).code).toBe('EOPNOTSUPP')
  })

  it('counts what the driver can show', () => {
    const { dev } = makeDev('eth0', {
      getDrvinfo: () => ({ driver: 'x' }),
      getStrings: (_d, set) =>
        ({ stats: ['a', 'b'], test: ['t'], 'priv-flags': ['f'], 'phy-stats': [] })[set],
      getEepromLen: () => 128,
      getRegsLen: () => 12,
    })
    expect(ethtoolGetDrvinfo(dev)).toMatchObject({
      nStats: 2,
      testinfoLen: 1,
      eedumpLen: 128,
      regdumpLen: 12,
      nPrivFlags: 1,
    })
  })
})
