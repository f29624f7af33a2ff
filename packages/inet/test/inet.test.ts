import { createKernel } from '@vnet/kernel'
import { devClose, freeNetdev, unregisterNetdev } from '@vnet/netdev'
import { udpFrame, arpRequest } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { fibAdd, inetAddrAdd, inetOf, PingSock } from '../src/index.ts'
import { Host, ip, MAC_A, MAC_B, makeDev, makeLo, receive } from './helpers.ts'
import { ipFrame } from './packets.ts'

describe('inetOf', () => {
  it('gives each kernel its own, and the same each time', () => {
    const [one, two] = [createKernel(), createKernel()]
    expect(inetOf(one)).toBe(inetOf(one))
    expect(inetOf(one)).not.toBe(inetOf(two))
  })

  it('takes over the devices there are, and both families', () => {
    const kernel = createKernel()
    const dev = makeDev(kernel, MAC_A)
    const inet = kernel.rtnl.run(() => inetOf(kernel))
    kernel.rtnl.run(() => inetAddrAdd(inet, { dev, family: 2, local: ip('10.0.0.1'), prefixlen: 24 }))
    expect(inet.addresses().map((ifa) => ifa.family)).toEqual([2, 10])
    expect([...dev.mc.keys()]).toContain('01:00:5e:00:00:01')
    receive(dev, arpRequest({ senderMac: MAC_B, senderIp: '10.0.0.2', targetIp: '10.0.0.1' }))
    expect(dev.priv.sent.some((frame) => frame[12] === 8 && frame[13] === 6)).toBe(true)
    kernel.rtnl.run(() => devClose(dev))
    unregisterNetdev(dev)
    freeNetdev(dev)
    expect(kernel.census.take().filter(({ kind }) => kind !== 'memory')).toEqual([])
  })

  it('refuses changes without rtnl', () => {
    const host = new Host()
    const change = (): unknown => fibAdd(host.inet, { family: 2, dst: ip('1.0.0.0'), dstLen: 8 })
    expect(change).toThrow('fibAdd needs rtnl')
  })

  it('leaves nothing in the name of a module whose packets started it', () => {
    const host = new Host()
    host.kernel.currentModule = 'driver'
    receive(
      host.dev,
      udpFrame({
        srcMac: MAC_B,
        dstMac: MAC_A,
        src: '10.0.0.2',
        dst: '10.0.0.1',
        srcPort: 1,
        dstPort: 2,
        payload: new Uint8Array(1),
      }),
    )
    receive(host.dev, ipFrame({ more: true, payload: new Uint8Array(16) }))
    host.kernel.currentModule = null
    const timers = host.kernel.census.take().filter(({ kind }) => kind === 'timer')
    expect(timers.map(({ name, module }) => [name, module])).toEqual([
      ['eth0', null],
      ['ipfrag', null],
    ])
    host.end()
  })

  it('drops what waits for a device that goes away', () => {
    const host = new Host()
    const sock = new PingSock(host.inet, 2)
    for (let i = 0; i < 5; i++)
      sock.sendmsg(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, i), { address: ip('10.0.0.2'), port: 0 })
    receive(host.dev, ipFrame({ more: true, payload: new Uint8Array(16) }))
    expect(host.kernel.census.take().filter(({ kind }) => kind === 'skb').length).toBe(6)
    sock.close()
    host.end()
  })

  it('pings 127.0.0.1 and any address of 127/8 through lo', () => {
    const kernel = createKernel()
    const inet = inetOf(kernel)
    makeLo(kernel)
    const sock = new PingSock(inet, 2)
    for (const address of ['127.0.0.1', '127.9.9.9', '0.0.0.0']) {
      sock.sendmsg(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 1), { address: ip(address), port: 0 })
      kernel.runFor(1e6)
      expect(sock.recvmsg()?.bytes[0]).toBe(0)
    }
    sock.close()
  })
})
