import { Iff, devChangeFlags, devSetMacAddress, ethMacAddr } from '@vnet/netdev'
import { arpReply, arpRequest, formatFrame } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { arpSendGratuitous, neighLookup, type Neighbour, Nud, UdpSock } from '../../src/index.ts'
import { Host, ip, MAC_A, MAC_B, receive } from '../helpers.ts'

const MAC_C = '02:00:00:00:00:03'

function said(host: Host): string[] {
  return host.take().map((frame) => formatFrame(frame))
}

function neigh(host: Host, address = '10.0.0.2'): Neighbour | null {
  return neighLookup(host.ipv4.arp, ip(address), host.dev)
}

function ask(host: Host, senderIp: string, targetIp: string, senderMac = MAC_B): void {
  receive(host.dev, arpRequest({ senderMac, senderIp, targetIp }))
}

describe('a question', () => {
  it('for our address is answered to the asker, whom we then know', () => {
    const host = new Host()
    ask(host, '10.0.0.2', '10.0.0.1')
    const [frame] = host.take()
    expect([...frame!.slice(0, 6)]).toEqual([2, 0, 0, 0, 0, 2])
    expect(formatFrame(frame!)).toContain('Reply 10.0.0.1 is-at 02:00:00:00:00:01')
    expect(neigh(host)?.nudState).toBe(Nud.STALE)
    host.end()
  })

  it('for another address, from ourselves, or about groups is not', () => {
    const host = new Host()
    ask(host, '10.0.0.2', '10.0.0.3')
    ask(host, '10.0.0.1', '10.0.0.1')
    ask(host, '10.0.0.2', '224.0.0.1')
    ask(host, '10.0.0.2', '127.0.0.1')
    ask(host, '10.0.0.2', '10.0.0.255')
    expect(said(host)).toEqual([])
    expect(host.ipv4.arp.entries).toBe(0)
    host.end()
  })

  it('whether an address is free is answered for ours', () => {
    const host = new Host()
    ask(host, '0.0.0.0', '10.0.0.1')
    ask(host, '0.0.0.0', '10.0.0.2')
    expect(said(host)).toEqual([expect.stringContaining('Reply 10.0.0.1 is-at')])
    expect(host.ipv4.arp.entries).toBe(0)
    host.end()
  })

  it.each([
    [0, true, true],
    [1, true, false],
    [2, false, false],
    [8, false, false],
  ])('is answered by arp_ignore %i', (arpIgnore, own, others) => {
    const host = new Host({ lo: true })
    host.addr('192.168.1.1/32', { dev: host.lo! })
    host.ipv4.inDev(host.dev)!.cnf.arpIgnore = arpIgnore
    ask(host, '10.9.9.9', '10.0.0.1')
    expect(said(host).length).toBe(own ? 1 : 0)
    ask(host, '10.9.9.9', '192.168.1.1')
    expect(said(host).length).toBe(others ? 1 : 0)
    host.end()
  })

  it.each<[string, (f: Uint8Array) => Uint8Array | undefined]>([
    ['of another hardware', (f) => void (f[15] = 9)],
    ['of another protocol', (f) => void (f[16] = 9)],
    ['with a wrong length of addresses', (f) => void (f[18] = 8)],
    ['of an unknown kind', (f) => void (f[21] = 3)],
    ['cut short', (f) => f.slice(0, 41)],
  ])('%s is dropped', (_name, break_) => {
    const host = new Host()
    const frame = arpRequest({ senderMac: MAC_B, senderIp: '10.0.0.2', targetIp: '10.0.0.1' })
    receive(host.dev, break_(frame) ?? frame)
    expect(said(host)).toEqual([])
    host.end()
  })
})

describe('news', () => {
  function knowing(): Host {
    const host = new Host()
    ask(host, '10.0.0.2', '10.0.0.1')
    host.take()
    return host
  }
  const reply = (senderMac: string, dst?: string): Uint8Array =>
    arpReply({
      senderMac,
      senderIp: '10.0.0.2',
      targetMac: MAC_A,
      targetIp: '10.0.0.1',
      ...(dst === undefined ? {} : { dst }),
    })

  it('of a stranger is not kept', () => {
    const host = new Host()
    receive(host.dev, reply(MAC_B))
    ask(host, '10.0.0.2', '10.0.0.2')
    expect(host.ipv4.arp.entries).toBe(0)
    host.ipv4.inDev(host.dev)!.cnf.arpAccept = true
    ask(host, '10.0.0.2', '10.0.0.2')
    expect(neigh(host)?.nudState).toBe(Nud.STALE)
    host.end()
  })

  it('does not change a fresh entry within a second, and does after it', () => {
    const host = knowing()
    host.kernel.runFor(0.9e9)
    receive(host.dev, reply(MAC_C))
    expect([...neigh(host)!.ha]).toEqual([2, 0, 0, 0, 0, 2])
    host.kernel.runFor(0.2e9)
    receive(host.dev, reply(MAC_C))
    expect([...neigh(host)!.ha]).toEqual([2, 0, 0, 0, 0, 3])
    expect(neigh(host)!.nudState).toBe(Nud.REACHABLE)
    host.end()
  })

  it('that is gratuitous changes it at once, but proves nothing', () => {
    const host = knowing()
    ask(host, '10.0.0.2', '10.0.0.2', MAC_C)
    expect([...neigh(host)!.ha]).toEqual([2, 0, 0, 0, 0, 3])
    expect(neigh(host)!.nudState).toBe(Nud.STALE)
    host.end()
  })
})

describe('a device', () => {
  it('whose address changes forgets its neighbours', () => {
    const host = new Host()
    ask(host, '10.0.0.2', '10.0.0.1')
    expect(host.ipv4.arp.entries).toBe(1)
    ;(host.dev.ops as { ndoSetMacAddress?: typeof ethMacAddr }).ndoSetMacAddress = ethMacAddr
    host.dev.privFlags |= 1
    host.rtnl(() => devSetMacAddress(host.dev, Uint8Array.of(2, 0, 0, 0, 0, 9)))
    expect(host.ipv4.arp.entries).toBe(0)
    host.end()
  })

  it.each([
    [0, '192.168.1.1'],
    [1, '10.0.0.1'],
    [2, '10.0.0.1'],
  ])('asks by arp_announce %i in the name of %s', (arpAnnounce, name) => {
    const host = new Host({ lo: true })
    host.addr('192.168.1.1/32', { dev: host.lo! })
    host.ipv4.inDev(host.dev)!.cnf.arpAnnounce = arpAnnounce
    const sock = new UdpSock(host.inet, 2, host.ipv4.udp)
    sock.bind({ address: ip('192.168.1.1'), port: 5 })
    sock.sendmsg(new Uint8Array(1), { address: ip('10.0.0.2'), port: 9 })
    expect(said(host)).toEqual([expect.stringContaining(`who-has 10.0.0.2 tell ${name}`)])
    sock.close()
    host.end()
  })

  it('without ARP neither asks nor answers', () => {
    const host = new Host()
    host.rtnl(() => devChangeFlags(host.dev, host.dev.flags | Iff.NOARP))
    ask(host, '10.0.0.2', '10.0.0.1')
    expect(said(host)).toEqual([])
    const sock = new UdpSock(host.inet, 2, host.ipv4.udp)
    sock.sendmsg(new Uint8Array(1), { address: ip('10.0.0.2'), port: 9 })
    expect(said(host)).toEqual([expect.stringContaining('10.0.0.2.9: UDP')])
    host.rtnl(() => devChangeFlags(host.dev, host.dev.flags & ~Iff.NOARP))
    expect(host.ipv4.arp.entries).toBe(0)
    sock.close()
    host.end()
  })

  it('tells its addresses when asked to', () => {
    const host = new Host()
    arpSendGratuitous(host.ipv4, host.ipv4.inDev(host.dev)!)
    const [frame] = host.take()
    expect(formatFrame(frame!)).toContain('Request who-has 10.0.0.1')
    expect(frame!.slice(0, 6).every((byte) => byte === 0xff)).toBe(true)
    host.end()
  })
})

describe('the request of the recorded session 14 ("who-has 10.0.0.2 tell 10.0.0.1")', () => {
  it.each<[string, string[], number, number]>([
    ['nothing is ours', [], 0, 0],
    ['the asker is ours', ['10.0.0.1/24'], 0, 0],
    ['both are ours', ['10.0.0.1/24', '10.0.0.2/24'], 0, 0],
    ['the address asked for is ours', ['10.0.0.2/24'], 1, 1],
  ])('when %s', (_name, addresses, replies, learned) => {
    const host = new Host({ address: null })
    for (const address of addresses) host.addr(address)
    ask(host, '10.0.0.1', '10.0.0.2', MAC_A)
    expect(said(host).length).toBe(replies)
    expect(host.ipv4.arp.list().filter((n) => n.nudState === Nud.STALE).length).toBe(learned)
    host.end()
  })
})
