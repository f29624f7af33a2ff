import {
  allocEtherdevMqs,
  Arphrd,
  devOpen,
  ethTypeTrans,
  Iff,
  type NetDevice,
  netifCarrierOff,
  netifCarrierOn,
  NETDEV_TX_OK,
  netifRx,
  registerNetdev,
} from '@vnet/netdev'
import { formatIpv6Address } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { fibLookup } from '../../src/inet.ts'
import { PingSock, UdpSock } from '../../src/sock/index.ts'
import { RtnhFlag } from '../../src/types/constants.ts'
import { Host, ip, MS, SEC } from './helpers.ts'

/** The loopback device, as a machine makes it. */
function addLoopback(host: Host): NetDevice<any> {
  const { kernel } = host
  const lo = allocEtherdevMqs(kernel, {
    name: 'lo',
    priv: () => ({}),
    ops: {
      ndoStartXmit: (skb, dev) => {
        ethTypeTrans(skb, dev)
        netifRx(skb)
        return NETDEV_TX_OK
      },
    },
  })
  lo.type = Arphrd.LOOPBACK
  lo.flags = Iff.LOOPBACK
  lo.maxMtu = 65_536
  lo.mtu = 65_536
  registerNetdev(lo)
  return lo
}

function withLoopback(): { host: Host; lo: NetDevice<any> } {
  let lo: NetDevice<any> | null = null
  const host = new Host({ setup: (machine) => (lo = addLoopback(machine)) })
  host.kernel.rtnl.run(() => devOpen(lo!))
  host.run(5 * SEC)
  host.take()
  return { host, lo: lo! }
}

const request = Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 1, 9, 9)

describe('the loopback device', () => {
  it('has ::1 at once, two groups nobody hears of, and its local route', () => {
    const { host, lo } = withLoopback()
    expect(
      host.ipv6
        .addresses(lo)
        .map((ifp) => [formatIpv6Address(ifp.local), ifp.prefixlen, ifp.flags, ifp.scope]),
    ).toEqual([['::1', 128, 0x80, 254]])
    const idev = host.ipv6.devs.get(lo)!
    expect(idev.mcList.map((group) => formatIpv6Address(group.addr))).toEqual(['ff02::1', 'ff01::1'])
    expect(idev.mib.ip.OutRequests).toBe(0)
    expect(host.ipv6.fib.list().filter((route) => route.oif === lo)).toHaveLength(1)
  })

  it('carries what is sent to ::1 and to our other addresses', () => {
    const { host, lo } = withLoopback()
    const sock = new PingSock(host.inet, 10)
    sock.sendmsg(request, { address: ip('::1'), port: 0 })
    host.run(MS)
    expect(sock.recvmsg()?.from.address).toEqual(ip('::1'))
    const own = { address: ip('fe80::ff:fe00:1'), port: 0, scopeId: host.dev.ifindex }
    sock.sendmsg(request, own)
    host.run(MS)
    expect(sock.recvmsg()?.from).toEqual(own)
    expect(host.take()).toEqual([])
    expect(fibLookup(host.inet, ip('::1')).dev).toBe(lo)
    expect(fibLookup(host.inet, ip('::1')).mtu).toBe(65_536)
    expect(host.ipv6.devs.get(lo)!.mib.ip.InReceives).toBe(4)
  })

  it('brings errors to those who asked', () => {
    const { host } = withLoopback()
    const sock = new UdpSock(host.inet, 10, host.ipv6.udpMib)
    sock.connect({ address: ip('::1'), port: 9 })
    sock.sendmsg(Uint8Array.of(1))
    host.run(MS)
    expect(() => sock.recvmsg()).toThrow(expect.objectContaining({ code: 'ECONNREFUSED' }))
  })

  it('is the only way ::1 may come in', () => {
    const { host } = withLoopback()
    const frame = new Uint8Array(54 + 8)
    frame.set([2, 0, 0, 0, 0, 1], 0)
    frame.set([0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 59, 64], 12)
    frame.set(ip('fe80::2'), 22)
    frame.set(ip('::1'), 38)
    host.receive(frame)
    expect(host.idev.mib.ip.InHdrErrors).toBe(1)
  })
})

describe('the carrier', () => {
  it('that comes late starts everything, with the text of the kernel', () => {
    const host = new Host({ setup: ({ dev }) => netifCarrierOff(dev) })
    host.run(10 * SEC)
    expect(host.take()).toEqual([])
    expect(host.ipv6.addresses()).toEqual([])
    netifCarrierOn(host.dev)
    host.run(5 * SEC)
    expect(host.log()).toContain('IPv6: ADDRCONF(NETDEV_CHANGE): vnet0: link becomes ready')
    expect(host.ipv6.addresses().map((ifp) => ifp.flags)).toEqual([0x80])
  })

  it('that goes marks the routes, and that comes back has the groups reported again', () => {
    const host = new Host()
    host.run(5 * SEC)
    host.take()
    netifCarrierOff(host.dev)
    host.run(2 * SEC)
    const flags = (): number[] => host.ipv6.fib.list().map((route) => route.flags & RtnhFlag.LINKDOWN)
    expect(flags()).toEqual([0, RtnhFlag.LINKDOWN, RtnhFlag.LINKDOWN])
    netifCarrierOn(host.dev)
    host.run(2 * SEC)
    expect(flags()).toEqual([0, 0, 0])
    const reports = host.take().filter((line) => line.includes('multicast listener report v2'))
    expect(reports).toHaveLength(2)
  })
})
