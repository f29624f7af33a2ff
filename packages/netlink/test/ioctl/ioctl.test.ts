import { Errno } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { EthtoolCmd, Sioc, sockIoctl } from '../../src/index.ts'
import { C_VNET7, STAT_NAMES } from '../rig.ts'
import { program } from './program.ts'

describe('SIOCGIF… and SIOCSIF…', () => {
  it('reads index, mtu, flags, queue length, address and name', () => {
    const p = program()
    expect(p.call(Sioc.GIFINDEX)).toBe(0)
    expect(p.view.getInt32(16, true)).toBe(p.dev.ifindex)
    p.call(Sioc.GIFMTU)
    expect(p.view.getInt32(16, true)).toBe(1500)
    p.call(Sioc.GIFFLAGS)
    expect(p.view.getUint16(16, true)).toBe(0x1002)
    p.call(Sioc.GIFTXQLEN)
    expect(p.view.getInt32(16, true)).toBe(1000)
    p.call(Sioc.GIFHWADDR)
    expect([...p.page.slice(16, 24)]).toEqual([1, 0, 2, 0, 0, 0, 0, 1])
    p.name('')
    p.view.setInt32(16, p.dev.ifindex, true)
    expect(p.call(Sioc.GIFNAME)).toBe(0)
    expect(p.text(0)).toBe('vnet0')
  })

  it('changes them, as rtnetlink does', () => {
    const p = program()
    p.view.setInt32(16, 900, true)
    expect([p.call(Sioc.SIFMTU), p.dev.mtu]).toEqual([0, 900])
    p.view.setInt32(16, 40, true)
    expect([p.call(Sioc.SIFMTU), p.call(Sioc.SIFTXQLEN), p.dev.txQueueLen]).toEqual([-22, 0, 40])
    p.view.setInt32(16, -1, true)
    expect(p.call(Sioc.SIFTXQLEN)).toBe(-22)
    p.page.set([1, 0, 2, 0, 0, 0, 0, 7], 16)
    expect([p.call(Sioc.SIFHWADDR), p.dev.devAddr[5]]).toEqual([0, 7])
    p.view.setUint16(16, 0x1003, true)
    expect([p.call(Sioc.SIFFLAGS), p.dev.flags & 1]).toEqual([0, 1])
    p.page.set(new TextEncoder().encode('lan0\0'), 16)
    expect(p.call(Sioc.SIFNAME)).toBe(-16)
  })

  it('tells the group LINK of what it changed', () => {
    const p = program()
    const watcher = p.server.socket(0)
    watcher.bind(0, 1)
    p.view.setUint16(16, 0x1102, true)
    p.call(Sioc.SIFFLAGS)
    expect(watcher.recv()).not.toBeNull()
    expect(watcher.recv()).toBeNull()
  })

  it('refuses: unknown device, unknown request, no right, bad address, no IPv4', () => {
    const p = program()
    expect([p.call(Sioc.GIFADDR), p.call(0x8999), p.call(Sioc.GMIIPHY)]).toEqual([-99, -25, -95])
    p.name('nosuch')
    expect(p.call(Sioc.GIFMTU)).toBe(-19)
    expect(program(C_VNET7, false).call(Sioc.SIFMTU)).toBe(-1)
    expect(() =>
      sockIoctl(
        {
          kernel: p.kernel,
          capNetAdmin: true,
          memory: {
            copyFromUser: () => {
              throw new Errno('EFAULT')
            },
            copyToUser: () => {},
          },
        },
        Sioc.GIFMTU,
        0n,
      ),
    ).toThrow(Errno)
  })

  it('lists no addresses', () => {
    const p = program()
    p.view.setInt32(0, 999, true)
    expect([p.call(Sioc.GIFCONF), p.view.getInt32(0, true)]).toEqual([0, 0])
  })
})

describe('SIOCETHTOOL', () => {
  it('-i: who drives it', () => {
    const p = program()
    expect(p.ethtool(EthtoolCmd.GDRVINFO)).toBe(0)
    expect([p.text(260), p.text(292), p.text(356), p.view.getUint32(256 + 180, true)]).toEqual([
      'vnet',
      '0.7',
      'virtual',
      3,
    ])
  })

  it('-S: how many, the names, the values', () => {
    const p = program()
    p.ethtool(EthtoolCmd.GSSET_INFO, 0, 2, 0)
    expect([p.word(2), p.word(4)]).toEqual([2, 3])
    p.ethtool(EthtoolCmd.GSTRINGS, 1, 3)
    expect(STAT_NAMES.map((_, i) => p.text(268 + i * 32))).toEqual(STAT_NAMES)
    p.ethtool(EthtoolCmd.GSTATS, 3)
    expect([p.word(1), p.view.getBigUint64(264, true), p.view.getBigUint64(272, true)]).toEqual([3, 7n, 586n])
  })

  it('link, permanent address, features, time stamps', () => {
    const p = program()
    p.ethtool(EthtoolCmd.GLINK)
    expect(p.word(1)).toBe(0)
    p.ethtool(EthtoolCmd.GPERMADDR, 6)
    expect([...p.page.slice(264, 270)]).toEqual([2, 0, 0, 0, 0, 1])
    p.ethtool(EthtoolCmd.GFEATURES, 2)
    expect(p.word(1)).toBe(2)
    p.ethtool(EthtoolCmd.GET_TS_INFO)
    expect([p.word(1), p.word(2)]).toEqual([0x18, 0xffffffff])
  })

  it('link settings: the number of words is agreed on first', () => {
    const p = program({ getLinkKsettings: () => ({ speed: 1000, duplex: 1, supported: 0x20n }) })
    p.ethtool(EthtoolCmd.GLINKSETTINGS)
    const words = -p.view.getInt8(256 + 15)
    expect(words).toBe(3)
    p.ethtool(EthtoolCmd.GLINKSETTINGS, 0, 0, words << 24)
    expect([p.word(1), p.page[264], p.word(12)]).toEqual([1000, 1, 0x20])
  })

  it('sizes of rings: read, changed, refused', () => {
    const ring = { rx: 64 }
    const p = program({
      getRingparam: () => ({ rxMaxPending: 256, txMaxPending: 256, rxPending: ring.rx, txPending: 64 }),
      setRingparam: (_d, r) => void (ring.rx = r.rxPending),
    })
    p.ethtool(EthtoolCmd.GRINGPARAM)
    expect([1, 4, 5, 8].map(p.word)).toEqual([256, 256, 64, 64])
    expect(p.ethtool(EthtoolCmd.SRINGPARAM, 0, 0, 0, 0, 128, 0, 0, 64)).toBe(0)
    expect(ring.rx).toBe(128)
    expect(p.ethtool(EthtoolCmd.SRINGPARAM, 0, 0, 0, 0, 512, 0, 0, 64)).toBe(-22)
  })

  it('-x: sizes, then table and key', () => {
    const p = program({
      getRxRingCount: () => 2,
      getRxfh: () => ({ indir: [0, 1], key: Uint8Array.from([9, 8]), hfunc: 1 }),
    })
    p.ethtool(EthtoolCmd.GRXRINGS)
    expect(p.word(2)).toBe(2)
    p.ethtool(EthtoolCmd.GRSSH)
    expect([p.word(2), p.word(3)]).toEqual([2, 2])
    p.ethtool(EthtoolCmd.GRSSH, 0, 2, 2)
    expect([p.word(6), p.word(7), p.page[288]]).toEqual([0, 1, 9])
    expect(p.ethtool(EthtoolCmd.GRSSH, 0, 3, 0)).toBe(-22)
  })

  it('refuses what the driver has not, and who has no right', () => {
    const p = program({})
    for (const cmd of [
      EthtoolCmd.GREGS,
      EthtoolCmd.GEEPROM,
      EthtoolCmd.TEST,
      EthtoolCmd.GCOALESCE,
      EthtoolCmd.NWAY_RST,
      0x70,
    ]) {
      expect(p.ethtool(cmd)).toBe(-95)
    }
    expect(program(C_VNET7, false).ethtool(EthtoolCmd.GREGS)).toBe(-1)
    expect(program(C_VNET7, false).ethtool(EthtoolCmd.GDRVINFO)).toBe(0)
  })
})
