import { createKernel, Errno } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  devChangeCarrier,
  devChangeName,
  devChangeTxQueueLen,
  devSetAlias,
  devSetMacAddress,
  devSetMtu,
  ethHwAddrRandom,
  ethMacAddr,
  formatMac,
  IffPriv,
  isMulticastEtherAddr,
  NetAddr,
  netifCarrierOff,
  netifCarrierOk,
  netifCarrierOn,
  netifDeviceDetach,
  registerNetdeviceNotifier,
} from '../src/index.ts'
import { allocDev, logTexts, makeDev, type TestDev } from './helpers.ts'

const GOOD = Uint8Array.of(2, 0, 0, 0, 0, 7)
const BAD = [Uint8Array.of(1, 0, 0, 0, 0, 7), new Uint8Array(6), new Uint8Array(6).fill(255)]

function refusal({ kernel }: TestDev, fn: () => void): string {
  try {
    kernel.rtnl.run(fn)
  } catch (error) {
    if (error instanceof Errno)
      return error.extack === undefined ? error.code : `${error.code} ${error.extack}`
    throw error
  }
  return 'ok'
}

describe('hardware address', () => {
  it('ADDR-02 changes while down, and not while up unless live change is declared', () => {
    const down = makeDev({ ndoSetMacAddress: ethMacAddr }, { down: true })
    expect(refusal(down, () => devSetMacAddress(down.dev, GOOD))).toBe('ok')
    expect(formatMac(down.dev.devAddr)).toBe('02:00:00:00:00:07')
    expect(formatMac(down.dev.permAddr)).toBe('02:00:00:00:00:01')
    expect(down.dev.addrAssignType).toBe(NetAddr.SET)
    const up = makeDev({ ndoSetMacAddress: ethMacAddr })
    expect(refusal(up, () => devSetMacAddress(up.dev, GOOD))).toBe('EBUSY')
    const live = makeDev(
      { ndoSetMacAddress: ethMacAddr },
      { setup: (dev) => void (dev.privFlags |= IffPriv.LIVE_ADDR_CHANGE) },
    )
    expect(refusal(live, () => devSetMacAddress(live.dev, GOOD))).toBe('ok')
  })

  it('ADDR-01 ADDR-02 refuses zero, multicast and broadcast addresses, and wrong lengths', () => {
    const test = makeDev({ ndoSetMacAddress: ethMacAddr }, { down: true })
    for (const addr of BAD)
      expect(refusal(test, () => devSetMacAddress(test.dev, addr))).toBe('EADDRNOTAVAIL')
    expect(refusal(test, () => devSetMacAddress(test.dev, GOOD.subarray(1)))).toBe('EINVAL')
    expect(formatMac(test.dev.devAddr)).toBe('02:00:00:00:00:01')
  })

  it('a driver without the hook, a detached device and a listener all refuse', () => {
    const without = makeDev({}, { down: true })
    expect(refusal(without, () => devSetMacAddress(without.dev, GOOD))).toBe('EOPNOTSUPP')
    const test = makeDev({ ndoSetMacAddress: ethMacAddr }, { down: true })
    registerNetdeviceNotifier(test.kernel, (event) => {
      if (event === 'NETDEV_PRE_CHANGEADDR') throw new Errno('EPERM')
    })
    expect(refusal(test, () => devSetMacAddress(test.dev, GOOD))).toBe('EPERM')
    netifDeviceDetach(test.dev)
    expect(refusal(test, () => devSetMacAddress(test.dev, GOOD))).toBe('ENODEV')
  })

  it('tells the listeners before and after', () => {
    const test = makeDev({ ndoSetMacAddress: ethMacAddr }, { down: true })
    const seen: string[] = []
    registerNetdeviceNotifier(
      test.kernel,
      (event, dev) => void seen.push(`${event} ${formatMac(dev.devAddr)}`),
    )
    seen.length = 0
    refusal(test, () => devSetMacAddress(test.dev, GOOD))
    expect(seen).toEqual(['NETDEV_PRE_CHANGEADDR 02:00:00:00:00:01', 'NETDEV_CHANGEADDR 02:00:00:00:00:07'])
  })

  it('ADDR-04 a random address is unicast, local, marked, and the same for the same seed', () => {
    const make = (seed: number) => {
      const dev = allocDev(createKernel({ seed }))
      ethHwAddrRandom(dev)
      return dev
    }
    const dev = make(7)
    expect(isMulticastEtherAddr(dev.devAddr)).toBe(false)
    expect(dev.devAddr[0]! & 2).toBe(2)
    expect(dev.addrAssignType).toBe(NetAddr.RANDOM)
    expect(formatMac(make(7).devAddr)).toBe(formatMac(dev.devAddr))
    expect(formatMac(make(8).devAddr)).not.toBe(formatMac(dev.devAddr))
  })
})

describe('MTU', () => {
  it('MTU-02 the core checks the limits before the driver is asked, and says why', () => {
    const asked: number[] = []
    const test = makeDev({ ndoChangeMtu: (_dev, mtu) => void asked.push(mtu) })
    const table: [number, string][] = [
      [67, 'EINVAL mtu less than device minimum'],
      [0, 'EINVAL mtu less than device minimum'],
      [-1, 'EINVAL mtu less than device minimum'],
      [1501, 'EINVAL mtu greater than device maximum'],
      [70000, 'EINVAL mtu greater than device maximum'],
      [1500, 'ok'],
      [68, 'ok'],
      [1500, 'ok'],
    ]
    for (const [mtu, want] of table)
      expect([mtu, refusal(test, () => devSetMtu(test.dev, mtu))]).toEqual([mtu, want])
    expect(asked).toEqual([68, 1500])
    expect(test.dev.mtu).toBe(1500)
  })

  it('MTU-02 a maximum of 0 means none', () => {
    const test = makeDev({}, { setup: (dev) => void (dev.maxMtu = 0) })
    expect(refusal(test, () => devSetMtu(test.dev, 70000))).toBe('ok')
  })

  it('MTU-03 the driver makes room before the new MTU is announced', () => {
    const log: string[] = []
    const test = makeDev({ ndoChangeMtu: (dev, mtu) => void log.push(`driver ${dev.mtu}→${mtu}`) })
    registerNetdeviceNotifier(
      test.kernel,
      (event, dev) => void (event.includes('MTU') && log.push(`${event} ${dev.mtu}`)),
    )
    refusal(test, () => devSetMtu(test.dev, 1000))
    expect(log).toEqual(['NETDEV_PRECHANGEMTU 1500', 'driver 1500→1000', 'NETDEV_CHANGEMTU 1000'])
  })

  it('goes back when a listener refuses the new MTU', () => {
    const asked: number[] = []
    const test = makeDev({ ndoChangeMtu: (_dev, mtu) => void asked.push(mtu) })
    registerNetdeviceNotifier(test.kernel, (event, dev) => {
      if (event === 'NETDEV_CHANGEMTU' && dev.mtu === 1000) throw new Errno('ENOSPC')
    })
    expect(refusal(test, () => devSetMtu(test.dev, 1000))).toBe('ENOSPC')
    expect(test.dev.mtu).toBe(1500)
    expect(asked).toEqual([1000, 1500])
  })

  it('keeps the MTU when the driver refuses, or the device is detached', () => {
    const test = makeDev({
      ndoChangeMtu: () => {
        throw new Errno('ENOMEM')
      },
    })
    expect(refusal(test, () => devSetMtu(test.dev, 1000))).toBe('ENOMEM')
    expect(test.dev.mtu).toBe(1500)
    netifDeviceDetach(test.dev)
    expect(refusal(test, () => devSetMtu(test.dev, 1000))).toBe('ENODEV')
  })
})

describe('other changes', () => {
  it('LIFE-09 a device is renamed while down only, or up when it says so', () => {
    const up = makeDev()
    expect(refusal(up, () => devChangeName(up.dev, 'foo0'))).toBe('EBUSY')
    const live = makeDev({}, { setup: (dev) => void (dev.privFlags |= IffPriv.LIVE_RENAME_OK) })
    expect(refusal(live, () => devChangeName(live.dev, 'foo0'))).toBe('ok')
    const { kernel, dev } = makeDev({}, { down: true })
    makeDev({}, { kernel, name: 'taken' })
    expect(refusal({ kernel, dev }, () => devChangeName(dev, 'taken'))).toBe('EEXIST')
    expect(refusal({ kernel, dev }, () => devChangeName(dev, 'a/b'))).toBe('EINVAL')
    expect(refusal({ kernel, dev }, () => devChangeName(dev, 'foo%d'))).toBe('ok')
    expect(dev.name).toBe('foo0')
    expect(logTexts(kernel).at(-1)).toBe('foo0: renamed from test0')
  })

  it('LIFE-09 a rename a listener refuses is undone', () => {
    const test = makeDev({}, { down: true })
    registerNetdeviceNotifier(test.kernel, (event, dev) => {
      if (event === 'NETDEV_CHANGENAME' && dev.name === 'foo0') throw new Errno('EEXIST')
    })
    expect(refusal(test, () => devChangeName(test.dev, 'foo0'))).toBe('EEXIST')
    expect(test.dev.name).toBe('test0')
    expect(test.dev.net.devByName.get('test0')).toBe(test.dev)
    expect(test.dev.net.devByName.size).toBe(1)
  })

  it('LINK-06 only a software device lets the user set the carrier', () => {
    const hard = makeDev()
    expect(refusal(hard, () => devChangeCarrier(hard.dev, false))).toBe('EOPNOTSUPP')
    const calls: boolean[] = []
    const soft = makeDev({
      ndoChangeCarrier: (dev, on) => {
        calls.push(on)
        if (on) netifCarrierOn(dev)
        else netifCarrierOff(dev)
      },
    })
    for (const on of [true, false, false, true])
      expect(refusal(soft, () => devChangeCarrier(soft.dev, on))).toBe('ok')
    expect(calls).toEqual([false, true])
    expect(netifCarrierOk(soft.dev)).toBe(true)
  })

  it('checks alias and queue length', () => {
    const test = makeDev()
    expect(refusal(test, () => devSetAlias(test.dev, 'x'.repeat(256)))).toBe('EINVAL')
    expect(refusal(test, () => devSetAlias(test.dev, 'x'.repeat(255)))).toBe('ok')
    expect(refusal(test, () => devChangeTxQueueLen(test.dev, -1))).toBe('ERANGE')
    expect(refusal(test, () => devChangeTxQueueLen(test.dev, 0xffffffff))).toBe('ENOMEM')
    registerNetdeviceNotifier(test.kernel, (event) => {
      if (event === 'NETDEV_CHANGE_TX_QUEUE_LEN') throw new Errno('EPERM')
    })
    expect(refusal(test, () => devChangeTxQueueLen(test.dev, 5))).toBe('EPERM')
    expect(test.dev.txQueueLen).toBe(1000)
  })
})
