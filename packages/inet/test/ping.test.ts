import { describe, expect, it } from 'vitest'
import { formatFrame, icmpEchoRequest, arpReply } from '@vnet/wire'
import { PingSock, RawSock, Nud, neighLookup } from '../src/index.ts'
import { Host, ip, MAC_A, MAC_B, Pair, receive, text } from './helpers.ts'

const ECHO = Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4)

describe('a ping', () => {
  it.each([true, false])('goes to the own address (loopback device: %s)', (lo) => {
    const host = new Host({ lo })
    const sock = new PingSock(host.inet, 2)
    sock.connect({ address: ip('10.0.0.1'), port: 0 })
    expect(text(sock.getsockname().address)).toBe('10.0.0.1')
    sock.sendmsg(ECHO)
    host.kernel.runFor(1e6)
    const answer = sock.recvmsg()!
    expect(answer.bytes[0]).toBe(0)
    expect([...answer.bytes.slice(6)]).toEqual([0, 1, 1, 2, 3, 4])
    expect(text(answer.from.address)).toBe('10.0.0.1')
    expect(answer.ttl).toBe(64)
    expect(host.take()).toEqual([])
    sock.close()
    host.end()
  })

  it('is answered by another host, after one question for its address', () => {
    const pair = new Pair()
    const sock = new PingSock(pair.a.inet, 2)
    sock.sendmsg(ECHO, { address: ip('10.0.0.2'), port: 0 })
    pair.run(5e6)
    expect(text(sock.recvmsg()!.from.address)).toBe('10.0.0.2')
    expect(pair.a.take().map((f) => formatFrame(f))).toEqual([
      expect.stringContaining('Request who-has 10.0.0.2 tell 10.0.0.1'),
      expect.stringContaining('10.0.0.1 > 10.0.0.2: ICMP echo request'),
    ])
    expect(pair.b.take().map((f) => formatFrame(f))).toEqual([
      expect.stringContaining('Reply 10.0.0.2 is-at 02:00:00:00:00:02'),
      expect.stringContaining('10.0.0.2 > 10.0.0.1: ICMP echo reply'),
    ])
    expect(neighLookup(pair.a.ipv4.arp, ip('10.0.0.2'), pair.a.dev)?.nudState).toBe(Nud.REACHABLE)
    sock.close()
    pair.end()
  })

  it('of a host that is not there ends in an error from the own address', () => {
    const host = new Host({ lo: true })
    const sock = new RawSock(host.inet, 2, 1)
    sock.options.recverr = true
    sock.sendmsg(ECHO, { address: ip('10.0.0.9'), port: 0 })
    host.kernel.runFor(2.9e9)
    expect(sock.readable).toBe(false)
    host.kernel.runFor(0.3e9)
    expect(() => sock.recvmsg()).toThrow('No route to host')
    const error = sock.recverr()!
    expect(error).toMatchObject({ errno: 113, origin: 2, type: 3, code: 1 })
    expect(text(error.offender!.address)).toBe('10.0.0.1')
    expect(text(error.to.address)).toBe('10.0.0.9')
    expect(error.bytes).toEqual(ECHO)
    expect(host.take().length).toBe(3)
    // As the kernel counts it: the error goes through the loopback device.
    expect(host.ipv4.icmp.outType[3]).toBe(1)
    expect(host.ipv4.icmp.inType[3]).toBe(1)
    sock.close()
    host.end()
  })

  it('from outside is answered', () => {
    const host = new Host({ lo: true })
    const from = { srcMac: MAC_B, dstMac: MAC_A, src: '10.0.0.2', dst: '10.0.0.1' }
    receive(host.dev, icmpEchoRequest({ ...from, id: 7, seq: 1, payload: Uint8Array.of(1, 2, 3) }))
    receive(
      host.dev,
      arpReply({ senderMac: MAC_B, senderIp: '10.0.0.2', targetMac: MAC_A, targetIp: '10.0.0.1' }),
    )
    const [question, answer] = host.take().map((f) => formatFrame(f))
    expect(question).toContain('who-has 10.0.0.2 tell 10.0.0.1')
    expect(answer).toContain('10.0.0.1 > 10.0.0.2: ICMP echo reply, id 7, seq 1')
    host.end()
  })
})
