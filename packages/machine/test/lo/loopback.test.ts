import { describe, expect, it } from 'vitest'
import { createKernel } from '@vnet/kernel'
import {
  allocSkb,
  devAddPack,
  devChangeFlags,
  devGetFlags,
  devGetStats,
  devQueueXmit,
  formatIpLink,
  Iff,
  kfreeSkb,
  linkInfos,
  skbPut,
  skbReserve,
} from '@vnet/netdev'
import { ethtoolGetDrvinfo, ethtoolGetLink } from '@vnet/ethtool'
import { loopbackExit, loopbackInit } from '../../src/lo/loopback.ts'

function up(kernel = createKernel({ regionBytes: 1 << 20 })) {
  const dev = loopbackInit(kernel)
  kernel.rtnl.run(() => devChangeFlags(dev, devGetFlags(dev) | Iff.UP))
  return { kernel, dev }
}

describe('lo', () => {
  it('looks as on Linux', () => {
    const { kernel, dev } = up()
    expect(dev.ifindex).toBe(1)
    expect(formatIpLink(linkInfos(kernel))).toBe(
      '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\n' +
        '    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n',
    )
  })

  it('has a link and no driver', () => {
    const { dev } = up()
    expect(ethtoolGetLink(dev)).toBe(true)
    expect(() => ethtoolGetDrvinfo(dev)).toThrow('Operation not supported')
  })

  it('receives what it sends, without the frame header in its counters', () => {
    const { kernel, dev } = up()
    const got: number[] = []
    devAddPack(kernel, {
      type: 0x88b5,
      func: (skb) => {
        got.push(skb.len)
        kfreeSkb(skb)
        return 0
      },
    })
    const skb = allocSkb(kernel, 128)!
    skbReserve(skb, 2)
    const at = skbPut(skb, 60)
    skb.mem.fill(0, at, at + 60)
    skb.mem[at + 12] = 0x88
    skb.mem[at + 13] = 0xb5
    skb.dev = dev
    devQueueXmit(skb)
    kernel.runFor(0)
    expect(got).toEqual([46])
    const stats = devGetStats(dev)
    expect([stats.rxPackets, stats.txPackets, stats.rxBytes, stats.txBytes]).toEqual([1n, 1n, 46n, 46n])
  })

  it('goes without leaving anything', () => {
    const { kernel, dev } = up()
    loopbackExit(dev)
    expect(kernel.census.take()).toEqual([])
  })
})
