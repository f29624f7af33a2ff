import { arpReply, formatFrame } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { neighLookup, type Neighbour, NlmNew, Nud, neighAdd, neighDelete, UdpSock } from '../../src/index.ts'
import { Host, ip, MAC_A, MAC_B, receive } from '../helpers.ts'

const S = 1e9
const PEER = '10.0.0.2'

function neighOf(host: Host): Neighbour {
  return neighLookup(host.ipv4.arp, ip(PEER), host.dev)!
}

/** A host that has sent one datagram to the peer. */
function asking(): { host: Host; sock: UdpSock } {
  const host = new Host()
  const sock = new UdpSock(host.inet, 2, host.ipv4.udp)
  sock.sendmsg(Uint8Array.of(1), { address: ip(PEER), port: 9 })
  return { host, sock }
}

function answer(host: Host): void {
  receive(host.dev, arpReply({ senderMac: MAC_B, senderIp: PEER, targetMac: MAC_A, targetIp: '10.0.0.1' }))
}

function send(sock: UdpSock): void {
  sock.sendmsg(Uint8Array.of(1), { address: ip(PEER), port: 9 })
}

describe('a neighbour that does not answer', () => {
  it('is asked three times, a second apart, and has failed a second later', () => {
    const { host, sock } = asking()
    const log: [number, number, number][] = []
    for (let t = 0; t < 40; t++) {
      log.push([t, host.dev.priv.sent.length, neighOf(host).nudState])
      host.kernel.runFor(0.1 * S)
    }
    const asked = (n: number): number => log.find(([, sent]) => sent === n)![0] / 10
    expect([asked(1), asked(2), asked(3)]).toEqual([0, 1, 2])
    expect(log.find(([, , state]) => state === Nud.FAILED)![0] / 10).toBe(3)
    expect(host.dev.priv.sent.length).toBe(3)
    expect(host.ipv4.arp.stats.resFailed).toBe(1)
    expect(neighOf(host).lladdr).toBe(null)
    sock.close()
    host.end()
  })

  it('is asked again when somebody wants it after that', () => {
    const { host, sock } = asking()
    host.kernel.runFor(5 * S)
    host.take()
    send(sock)
    expect(neighOf(host).nudState).toBe(Nud.INCOMPLETE)
    expect(host.take().map((f) => formatFrame(f))).toEqual([expect.stringContaining('who-has 10.0.0.2')])
    sock.close()
    host.end()
  })

  it('keeps packets up to the bytes allowed, the oldest give way', () => {
    const { host, sock } = asking()
    const neigh = neighOf(host)
    const each = neigh.arpQueue.first!.truesize
    neigh.parms.queueLenBytes = 4 * each
    for (let i = 0; i < 10; i++) send(sock)
    expect(neigh.arpQueue.qlen).toBe(4)
    expect(host.ipv4.arp.stats.unresDiscards).toBe(7)
    host.take()
    answer(host)
    expect(host.take().length).toBe(4)
    sock.close()
    host.end()
  })
})

describe('a neighbour that answered', () => {
  it('is reachable for 15 to 45 seconds, then stale', () => {
    const { host, sock } = asking()
    answer(host)
    expect(neighOf(host).nudState).toBe(Nud.REACHABLE)
    const base = neighOf(host).parms.reachableTime
    expect(base).toBeGreaterThanOrEqual(15_000)
    expect(base).toBeLessThan(45_000)
    host.kernel.runFor(base * 1e6 - 0.1 * S)
    expect(neighOf(host).nudState).toBe(Nud.REACHABLE)
    host.kernel.runFor(0.2 * S)
    expect(neighOf(host).nudState).toBe(Nud.STALE)
    host.kernel.runFor(600 * S)
    expect(neighOf(host).nudState).toBe(Nud.STALE)
    sock.close()
    host.end()
  })

  it('is used at once when stale, and asked itself five seconds later', () => {
    const { host, sock } = asking()
    answer(host)
    host.kernel.runFor(60 * S)
    host.take()
    send(sock)
    expect(host.take().map((f) => formatFrame(f))).toEqual([expect.stringContaining('10.0.0.2.9: UDP')])
    expect(neighOf(host).nudState).toBe(Nud.DELAY)
    host.kernel.runFor(4.9 * S)
    expect(host.take()).toEqual([])
    host.kernel.runFor(0.2 * S)
    expect(neighOf(host).nudState).toBe(Nud.PROBE)
    const [probe] = host.take()
    // To the neighbour alone.
    expect([...probe!.slice(0, 6)]).toEqual([2, 0, 0, 0, 0, 2])
    answer(host)
    expect(neighOf(host).nudState).toBe(Nud.REACHABLE)
    sock.close()
    host.end()
  })

  it('and is silent after that fails after three questions', () => {
    const { host, sock } = asking()
    answer(host)
    host.kernel.runFor(60 * S)
    send(sock)
    host.take()
    host.kernel.runFor(7.5 * S)
    expect(neighOf(host).nudState).toBe(Nud.PROBE)
    host.kernel.runFor(1 * S)
    expect(neighOf(host).nudState).toBe(Nud.FAILED)
    expect(host.take().length).toBe(3)
    sock.close()
    host.end()
  })

  it('needs no questions when a higher layer has heard of it within the delay', () => {
    const { host, sock } = asking()
    answer(host)
    host.kernel.runFor(60 * S)
    send(sock)
    host.kernel.runFor(1 * S)
    neighOf(host).confirmed = host.kernel.clock.jiffies
    host.take()
    host.kernel.runFor(5 * S)
    expect(neighOf(host).nudState).toBe(Nud.REACHABLE)
    expect(host.take()).toEqual([])
    sock.close()
    host.end()
  })
})

describe('by hand', () => {
  const make = NlmNew.CREATE | NlmNew.EXCL
  const lladdr = Uint8Array.of(2, 0, 0, 0, 0, 0x99)

  it('a permanent neighbour stays as it is, whatever the link says', () => {
    const host = new Host()
    neighAdd(host.ipv4.arp, { dst: ip(PEER), dev: host.dev, lladdr }, make)
    answer(host)
    expect(neighOf(host).nudState).toBe(Nud.PERMANENT)
    expect(neighOf(host).lladdr).toEqual(lladdr)
    host.kernel.runFor(1000 * S)
    expect(neighOf(host).nudState).toBe(Nud.PERMANENT)
    expect(host.ipv4.arp.gcEntries).toBe(0)
    host.end()
  })

  it('refuses as the kernel does', () => {
    const host = new Host()
    const { arp } = host.ipv4
    const config = { dst: ip(PEER), dev: host.dev, lladdr }
    expect(() => neighAdd(arp, config, NlmNew.REPLACE)).toThrow('No such file')
    neighAdd(arp, config, make)
    expect(() => neighAdd(arp, config, make)).toThrow('File exists')
    expect(() => neighAdd(arp, { ...config, lladdr: new Uint8Array(3) }, NlmNew.REPLACE)).toThrow(
      'Invalid link address',
    )
    neighDelete(arp, ip(PEER), host.dev)
    expect(() => neighDelete(arp, ip(PEER), host.dev)).toThrow('No such file')
    expect(() => neighAdd(arp, { dst: ip(PEER), dev: host.dev }, make)).toThrow('No link layer address given')
    host.end()
  })

  it('replaces the address, and lets waiting packets go', () => {
    const { host, sock } = asking()
    host.take()
    neighAdd(host.ipv4.arp, { dst: ip(PEER), dev: host.dev, lladdr }, NlmNew.CREATE | NlmNew.REPLACE)
    const [frame] = host.take()
    expect([...frame!.slice(0, 6)]).toEqual([...lladdr])
    sock.close()
    host.end()
  })

  it('tells what comes, changes and goes', () => {
    const host = new Host()
    const log: string[] = []
    host.inet.on('neigh', (event, n) => log.push(`${event} ${n.nudState}`))
    const sock = new UdpSock(host.inet, 2, host.ipv4.udp)
    send(sock)
    answer(host)
    neighDelete(host.ipv4.arp, ip(PEER), host.dev)
    expect(log).toEqual([`new ${Nud.REACHABLE}`, `new ${Nud.FAILED}`, `del ${Nud.FAILED}`])
    sock.close()
    host.end()
  })
})

describe('the table', () => {
  it('does not grow past its limit, and makes room of what failed', () => {
    const host = new Host({ address: '10.0.0.1/8' })
    const { arp } = host.ipv4
    arp.gcThresh1 = 8
    arp.gcThresh2 = 16
    arp.gcThresh3 = 32
    const sock = new UdpSock(host.inet, 2, host.ipv4.udp)
    sock.options.recverr = true
    for (let i = 0; i < 32; i++) sock.sendmsg(new Uint8Array(1), { address: ip(`10.1.0.${i + 1}`), port: 9 })
    expect(arp.entries).toBe(32)
    expect(() => sock.sendmsg(new Uint8Array(1), { address: ip('10.2.0.1'), port: 9 })).toThrow(
      'No buffer space',
    )
    expect(arp.stats.tableFulls).toBe(1)
    host.kernel.runFor(10 * S)
    sock.takeSoError()
    sock.sendmsg(new Uint8Array(1), { address: ip('10.2.0.1'), port: 9 })
    expect(arp.entries).toBe(17)
    expect(arp.stats.forcedGcRuns).toBe(2)
    sock.close()
    host.end()
  })

  it('forgets in time what nobody uses, once it holds enough', () => {
    const host = new Host({ address: '10.0.0.1/8' })
    const { arp } = host.ipv4
    arp.gcThresh1 = 4
    const sock = new UdpSock(host.inet, 2, host.ipv4.udp)
    for (let i = 0; i < 8; i++) sock.sendmsg(new Uint8Array(1), { address: ip(`10.1.0.${i + 1}`), port: 9 })
    host.kernel.runFor(200 * S)
    expect(arp.entries).toBe(0)
    sock.close()
    host.end()
  })
})
