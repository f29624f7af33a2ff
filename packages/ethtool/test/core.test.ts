import { createKernel, Errno, prErr } from '@vnet/kernel'
import { allocEtherdevMqs, netifDeviceDetach, registerNetdev, unregisterNetdev } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import * as ethtool from '../src/index.ts'
import { makeDev } from './devices.ts'
import { refused } from './helpers.ts'

/** Every call that needs an entry of the table. */
const CALLS: Readonly<Record<string, (dev: NetDevice<any>) => unknown>> = {
  ethtoolGetLink: ethtool.ethtoolGetLink,
  ethtoolGetLinkKsettings: ethtool.ethtoolGetLinkKsettings,
  ethtoolSetLinkmodes: (dev) => ethtool.ethtoolSetLinkmodes(dev, { speed: 100 }),
  ethtoolSetLinkinfo: (dev) => ethtool.ethtoolSetLinkinfo(dev, { port: 0 }),
  ethtoolNwayReset: ethtool.ethtoolNwayReset,
  ethtoolGetMsglevel: ethtool.ethtoolGetMsglevel,
  ethtoolSetMsglevel: (dev) => ethtool.ethtoolSetMsglevel(dev, 7),
  ethtoolGetWol: ethtool.ethtoolGetWol,
  ethtoolSetWol: (dev) => ethtool.ethtoolSetWol(dev, { modes: { value: 0n } }),
  ethtoolGetRingparam: ethtool.ethtoolGetRingparam,
  ethtoolSetRingparam: (dev) => ethtool.ethtoolSetRingparam(dev, { rxPending: 1 }),
  ethtoolGetChannels: ethtool.ethtoolGetChannels,
  ethtoolSetChannels: (dev) => ethtool.ethtoolSetChannels(dev, { rxCount: 1 }),
  ethtoolGetCoalesce: ethtool.ethtoolGetCoalesce,
  ethtoolSetCoalesce: (dev) => ethtool.ethtoolSetCoalesce(dev, { rxCoalesceUsecs: 1 }),
  ethtoolGetPauseparam: ethtool.ethtoolGetPauseparam,
  ethtoolSetPauseparam: (dev) => ethtool.ethtoolSetPauseparam(dev, { rxPause: true }),
  ethtoolGetStats: ethtool.ethtoolGetStats,
  ethtoolGetStrings: (dev) => ethtool.ethtoolGetStrings(dev, 'stats'),
  ethtoolGetPrivFlags: ethtool.ethtoolGetPrivFlags,
  ethtoolSetPrivFlags: (dev) => ethtool.ethtoolSetPrivFlags(dev, { value: 1n }),
  ethtoolGetRxRingCount: ethtool.ethtoolGetRxRingCount,
  ethtoolGetRxfh: ethtool.ethtoolGetRxfh,
  ethtoolSetRxfh: (dev) => ethtool.ethtoolSetRxfh(dev, { hfunc: 1 }),
  ethtoolGetRegs: ethtool.ethtoolGetRegs,
  ethtoolGetEeprom: (dev) => ethtool.ethtoolGetEeprom(dev, 0, 1),
  ethtoolSelfTest: (dev) => ethtool.ethtoolSelfTest(dev, { offline: false, externalLb: false }),
  ethtoolPhysId: (dev) => ethtool.ethtoolPhysId(dev, 1),
  ethtoolReset: (dev) => ethtool.ethtoolReset(dev, 1),
}

describe('an empty table', () => {
  for (const [name, call] of Object.entries(CALLS)) {
    it(`ETH-01 ${name} is refused with EOPNOTSUPP, and so without a table`, () => {
      expect(refused(() => call(makeDev('eth0', {}).dev)).code).toBe('EOPNOTSUPP')
      expect(refused(() => call(makeDev('eth0', null).dev)).code).toBe('EOPNOTSUPP')
    })
  }

  it('ETH-01 ETH-13 still answers what the core knows by itself', () => {
    const { dev } = makeDev('eth0', null, (d) => (d.driverName = 'mydrv'))
    expect(ethtool.ethtoolGetDrvinfo(dev).driver).toBe('mydrv')
    expect(ethtool.ethtoolGetTsInfo(dev).soTimestamping).toBe(24)
    expect(ethtool.ethtoolGetPauseStats(dev)).toEqual({})
    expect(ethtool.ethtoolGetStdStats(dev).every((group) => group.stats.length === 0)).toBe(true)
  })
})

describe('the table', () => {
  it('ETH-08 is refused with a setter for coalescing and no declared parameter', () => {
    const setCoalesce = () => {}
    expect(refused(() => makeDev('eth0', { setCoalesce })).code).toBe('EINVAL')
    expect(refused(() => makeDev('eth0', { setCoalesce, supportedCoalesceParams: new Set() })).code).toBe(
      'EINVAL',
    )
    const supportedCoalesceParams = new Set(['rxCoalesceUsecs'] as const)
    expect(makeDev('eth0', { setCoalesce, supportedCoalesceParams }).dev.regState).toBe('registered')
  })

  it('may be an object whose entries use `this`', () => {
    class Table {
      level = 3
      getMsglevel() {
        return this.level
      }
      setMsglevel(_dev: unknown, level: number) {
        this.level = level
      }
    }
    const table = new Table()
    const { dev } = makeDev('eth0', table)
    ethtool.ethtoolSetMsglevel(dev, 5)
    expect([table.level, ethtool.ethtoolGetMsglevel(dev)]).toEqual([5, 5])
  })
})

describe('begin and complete', () => {
  function logged(fail?: 'begin' | 'get') {
    const log: string[] = []
    const note = (what: string) => () => {
      log.push(what)
      if (what === fail) throw new Errno('EIO')
      return 0
    }
    const ops = {
      begin: note('begin'),
      complete: note('complete'),
      getMsglevel: note('get'),
      getLink: () => false,
    }
    return { log, ...makeDev('eth0', ops) }
  }

  it('ETH-11 stand around each call', () => {
    const { log, dev } = logged()
    ethtool.ethtoolGetMsglevel(dev)
    expect(log).toEqual(['begin', 'get', 'complete'])
  })

  it('ETH-11 complete comes also when the driver refuses', () => {
    const { log, dev } = logged('get')
    expect(refused(() => ethtool.ethtoolGetMsglevel(dev)).code).toBe('EIO')
    expect(log).toEqual(['begin', 'get', 'complete'])
  })

  it('ETH-11 when begin refuses, nothing else is called', () => {
    const { log, dev } = logged('begin')
    expect(refused(() => ethtool.ethtoolGetMsglevel(dev)).code).toBe('EIO')
    expect(log).toEqual(['begin'])
  })

  it('ETH-11 an entry that is missing calls neither', () => {
    const { log, dev } = logged()
    refused(() => ethtool.ethtoolGetRingparam(dev))
    expect(log).toEqual([])
  })
})

describe('a driver’s entry', () => {
  it('CTX-01 runs with rtnl held, also when the caller holds it already', () => {
    const held: boolean[] = []
    const { kernel, dev } = makeDev('eth0', {
      getMsglevel: (d) => {
        held.push(d.kernel.rtnl.held)
        return 0
      },
    })
    ethtool.ethtoolGetMsglevel(dev)
    kernel.rtnl.run(() => ethtool.ethtoolGetMsglevel(dev))
    expect(held).toEqual([true, true])
    expect(kernel.rtnl.held).toBe(false)
  })

  it('LIFE-04 is not called once the device is gone or detached', () => {
    let calls = 0
    const { kernel, dev } = makeDev('eth0', { getMsglevel: () => calls++ })
    netifDeviceDetach(dev)
    expect(refused(() => ethtool.ethtoolGetMsglevel(dev)).code).toBe('ENODEV')
    const other = makeDev('eth0', { getMsglevel: () => calls++ })
    unregisterNetdev(other.dev)
    expect(refused(() => ethtool.ethtoolGetMsglevel(other.dev)).code).toBe('ENODEV')
    expect(refused(() => ethtool.ethtoolSetFeatures(other.dev, [])).code).toBe('ENODEV')
    expect(calls).toBe(0)
    expect(kernel.violations).toEqual([])
  })

  it('LIFE-11 is tagged with the driver’s module', () => {
    const kernel = createKernel()
    let tag: string | null = null
    let dev: NetDevice<any> | undefined
    kernel.modules.insmod({
      name: 'drv',
      license: 'GPL',
      init() {
        dev = allocEtherdevMqs(kernel, { name: 'eth%d', ops: { ndoStartXmit: () => 0 }, priv: () => ({}) })
        ethtool.setEthtoolOps(dev, {
          getMsglevel: () => {
            tag = kernel.currentModule
            return 0
          },
        })
        registerNetdev(dev)
      },
    })
    ethtool.ethtoolGetMsglevel(dev!)
    expect([tag, kernel.currentModule]).toEqual(['drv', null])
  })
})

describe('a refusal', () => {
  it('ETH-04 that also went to the log is reported', () => {
    const { kernel, dev } = makeDev(
      'eth0',
      {
        getMsglevel: (d) => {
          prErr(d.kernel, 'eth0: no room for that')
          throw new Errno('ENOSPC', 'no room for that')
        },
      },
      undefined,
      { strict: false },
    )
    expect(refused(() => ethtool.ethtoolGetMsglevel(dev)).code).toBe('ENOSPC')
    expect(kernel.violations.map((v) => v.rule)).toEqual(['ETH-04'])
  })

  it('ETH-04 with a sentence and something else in the log is fine', () => {
    const { kernel, dev } = makeDev('eth0', {
      getMsglevel: (d) => {
        prErr(d.kernel, 'eth0: hardware says no')
        throw new Errno('EIO', 'the card does not answer')
      },
    })
    expect(refused(() => ethtool.ethtoolGetMsglevel(dev)).extack).toBe('the card does not answer')
    expect(kernel.violations).toEqual([])
  })
})
