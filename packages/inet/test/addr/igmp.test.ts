import { devClose, devOpen } from '@vnet/netdev'
import { buildIcmp, formatFrame, inetChecksum, putUnalignedBe16 } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { ipMcJoinGroup, ipMcLeaveGroup, UdpSock } from '../../src/index.ts'
import { Host, ip, receive } from '../helpers.ts'
import { ipFrame } from '../packets.ts'

const GROUP = ip('239.1.2.3')

function member(host: Host): UdpSock {
  const sock = new UdpSock(host.inet, 2, host.ipv4.udp)
  ipMcJoinGroup(sock, GROUP, host.dev.ifindex)
  return sock
}

/** The records of the reports among the frames: type and group. */
function reports(host: Host): string[] {
  return host.take().flatMap((frame) => {
    expect(formatFrame(frame)).toContain('10.0.0.1 > 224.0.0.22: igmp v3 report')
    expect([frame[22], frame[15], frame[34], frame[38]]).toEqual([1, 0xc0, 0x94, 0x22])
    expect(inetChecksum(frame, 38)).toBe(0)
    return [`${frame[46]!} ${frame.slice(50, 54).join('.')}`]
  })
}

function query(host: Host, group: string, code = 10): void {
  const message = new Uint8Array(12)
  message[0] = 0x11
  message[1] = code
  message.set(ip(group), 4)
  putUnalignedBe16(inetChecksum(message), message, 2)
  const dst = group === '0.0.0.0' ? '224.0.0.1' : group
  receive(host.dev, ipFrame({ protocol: 2, dst, ttl: 1, payload: message }))
}

describe('a group', () => {
  it('is joined on the device, told twice, and heard', () => {
    const host = new Host()
    const sock = member(host)
    sock.bind({ address: ip('0.0.0.0'), port: 7 })
    expect([...host.dev.mc.keys()]).toContain('01:00:5e:01:02:03')
    host.kernel.runFor(5e9)
    expect(reports(host)).toEqual(['4 239.1.2.3', '4 239.1.2.3'])
    expect(() => ipMcJoinGroup(sock, GROUP, host.dev.ifindex)).toThrow('Address already in use')
    expect(() => ipMcJoinGroup(sock, ip('10.0.0.2'))).toThrow('Invalid argument')
    expect(() => ipMcJoinGroup(sock, GROUP, 99)).toThrow('No such device')
    receive(host.dev, ipFrame({ dst: '239.1.2.3', payload: Uint8Array.of(0, 1, 0, 7, 0, 9, 0, 0, 5) }))
    expect([...sock.recvmsg()!.bytes]).toEqual([5])
    sock.close()
    expect([...host.dev.mc.keys()]).toEqual(['01:00:5e:00:00:01'])
    host.kernel.runFor(5e9)
    expect(reports(host)).toEqual(['3 239.1.2.3', '3 239.1.2.3'])
    host.end()
  })

  it('is named when a router asks, all or one', () => {
    const host = new Host()
    const sock = member(host)
    host.kernel.runFor(5e9)
    host.take()
    query(host, '0.0.0.0')
    expect(host.take()).toEqual([])
    host.kernel.runFor(1.1e9)
    expect(reports(host)).toEqual(['2 239.1.2.3'])
    query(host, '239.1.2.3')
    host.kernel.runFor(1.1e9)
    expect(reports(host)).toEqual(['2 239.1.2.3'])
    ipMcLeaveGroup(sock, GROUP)
    expect(() => ipMcLeaveGroup(sock, GROUP)).toThrow('Cannot assign requested address')
    host.kernel.runFor(5e9)
    host.take()
    query(host, '0.0.0.0')
    host.kernel.runFor(1.1e9)
    expect(host.take()).toEqual([])
    sock.close()
    host.end()
  })

  it('is joined again when the device comes back, and forgotten with it', () => {
    const host = new Host()
    const sock = member(host)
    host.kernel.runFor(5e9)
    host.take()
    host.rtnl(() => devClose(host.dev))
    expect([...host.dev.mc.keys()]).toEqual([])
    host.rtnl(() => devOpen(host.dev))
    expect([...host.dev.mc.keys()].sort()).toEqual(['01:00:5e:00:00:01', '01:00:5e:01:02:03'])
    host.kernel.runFor(5e9)
    expect(reports(host).length).toBe(2)
    host.end()
    sock.close()
  })

  it('gets a copy of what the machine sends to it', () => {
    const host = new Host()
    const sock = member(host)
    sock.bind({ address: ip('0.0.0.0'), port: 7 })
    sock.options.multicastIf = host.dev.ifindex
    host.kernel.runFor(5e9)
    host.take()
    sock.sendmsg(Uint8Array.of(3), { address: GROUP, port: 7 })
    host.kernel.runFor(1e6)
    expect([...sock.recvmsg()!.bytes]).toEqual([3])
    const [frame] = host.take()
    expect([...frame!.slice(0, 6), frame![22]]).toEqual([1, 0, 0x5e, 1, 2, 3, 1])
    sock.options.multicastLoop = false
    sock.sendmsg(Uint8Array.of(4), { address: GROUP, port: 7 })
    host.kernel.runFor(1e6)
    expect(sock.recvmsg()).toBe(null)
    expect(host.take().length).toBe(1)
    sock.close()
    host.end()
  })
})

it('a broken question is not answered', () => {
  const host = new Host()
  const sock = member(host)
  host.kernel.runFor(5e9)
  host.take()
  const message = new Uint8Array(16)
  buildIcmp(message, 0, { type: 0x12, payloadLength: 8 })
  receive(host.dev, ipFrame({ protocol: 2, dst: '224.0.0.1', payload: message }))
  message[5] = 1
  receive(host.dev, ipFrame({ protocol: 2, dst: '224.0.0.1', payload: message.slice(0, 10) }))
  host.kernel.runFor(5e9)
  expect(host.take()).toEqual([])
  sock.close()
  host.end()
})
