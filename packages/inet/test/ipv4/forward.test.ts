import { formatFrame, icmpEchoRequest, tcpFrame, udpFrame } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { fibAdd, inetAddrAdd, neighAdd, NlmNew, RtnType, Rtax } from '../../src/index.ts'
import {
  devClose,
  ethTypeTrans,
  freeNetdev,
  netdevAllocSkb,
  type NetDevice,
  netifRx,
  SKB_GSO_TCPV4,
  skbPut,
  unregisterNetdev,
} from '@vnet/netdev'
import { Host, ip, MAC_A, MAC_B, makeDev, receive, type Wire } from '../helpers.ts'

const FROM = { srcMac: MAC_B, dstMac: MAC_A, src: '10.0.0.2', dst: '10.1.0.2' }

/** A router between 10.0.0.0/24 and 10.1.0.0/24. */
function router(): { host: Host; far: NetDevice<Wire>; end: () => void } {
  const host = new Host()
  const far = makeDev(host.kernel, '02:00:00:00:00:0a')
  host.rtnl(() => inetAddrAdd(host.inet, { dev: far, family: 2, local: ip('10.1.0.1'), prefixlen: 24 }))
  const know = (dev: NetDevice<Wire>, dst: string, last: number): unknown =>
    neighAdd(host.ipv4.arp, { dst: ip(dst), dev, lladdr: Uint8Array.of(2, 0, 0, 0, 0, last) }, NlmNew.CREATE)
  know(host.dev, '10.0.0.2', 2)
  know(far, '10.1.0.2', 3)
  host.inet.ipForward = true
  const end = (): void => {
    host.rtnl(() => devClose(far))
    unregisterNetdev(far)
    freeNetdev(far)
    host.end()
  }
  return { host, far, end }
}

function echo(
  more: { ttl?: number; dst?: string; payload?: Uint8Array; dontFragment?: boolean } = {},
): Uint8Array {
  return icmpEchoRequest({ ...FROM, id: 1, seq: 1, payload: new Uint8Array(8), ...more })
}

describe('forwarding', () => {
  it('passes a packet on with one hop less and a right checksum', () => {
    const { host, far, end } = router()
    receive(host.dev, echo())
    const [frame] = far.priv.sent
    expect(formatFrame(frame!)).toContain('10.0.0.2 > 10.1.0.2: ICMP echo request')
    expect(frame![22]).toBe(63)
    expect([...frame!.slice(0, 6)]).toEqual([2, 0, 0, 0, 0, 3])
    expect(host.ipv4.ip.forwDatagrams).toBe(1)
    end()
  })

  it('is off unless asked for', () => {
    const { host, far, end } = router()
    host.inet.ipForward = false
    receive(host.dev, echo())
    expect(far.priv.sent).toEqual([])
    expect(host.take()).toEqual([])
    expect(host.ipv4.ip.inAddrErrors).toBe(1)
    end()
  })

  it('reports the end of the hops, no way, and a refusal', () => {
    const { host, far, end } = router()
    host.rtnl(() => fibAdd(host.inet, { family: 2, dst: ip('10.3.0.0'), dstLen: 16, type: RtnType.PROHIBIT }))
    receive(host.dev, echo({ ttl: 1 }))
    receive(host.dev, echo({ dst: '10.2.0.1' }))
    receive(host.dev, echo({ dst: '10.3.0.1' }))
    const said = host.take().map((f) => formatFrame(f))
    expect(said[0]).toContain('ICMP time exceeded in-transit')
    expect(said[1]).toContain('ICMP net 10.2.0.1 unreachable')
    expect(said[2]).toContain('admin prohibited')
    expect(far.priv.sent).toEqual([])
    end()
  })

  it('reports a packet too long that may not be split, and splits the others', () => {
    const { host, far, end } = router()
    far.mtu = 600
    const payload = new Uint8Array(1000)
    receive(host.dev, echo({ payload, dontFragment: true }))
    expect(host.take().map((f) => formatFrame(f))[0]).toContain('need to frag (mtu 600)')
    receive(host.dev, echo({ payload }))
    expect(far.priv.sent.map((f) => f.length)).toEqual([14 + 20 + 576, 14 + 20 + 432])
    expect(host.ipv4.ip).toMatchObject({ fragOks: 1, fragCreates: 2, fragFails: 1 })
    expect(Rtax.MTU).toBe(2)
    end()
  })

  it('reports a host that does not answer on the far link', () => {
    const { host, end } = router()
    receive(
      host.dev,
      udpFrame({ ...FROM, dst: '10.1.0.9', srcPort: 1, dstPort: 2, payload: new Uint8Array(4) }),
    )
    host.kernel.runFor(3.5e9)
    expect(host.take().map((f) => formatFrame(f))).toEqual([
      expect.stringContaining('10.0.0.1 > 10.0.0.2: ICMP host 10.1.0.9 unreachable'),
    ])
    end()
  })

  it('passes nothing on that was not sent to it, or to all', () => {
    const { host, far, end } = router()
    const frame = echo()
    frame.fill(0xff, 0, 6)
    receive(host.dev, frame)
    expect(far.priv.sent).toEqual([])
    end()
  })

  it('passes on what was merged on receive, to be cut again by the far device', () => {
    const { host, far, end } = router()
    const fields = { srcPort: 5, dstPort: 6, seq: 1, ack: 1, flags: 0x10, window: 100, dontFragment: true }
    const frame = tcpFrame({
      ...FROM,
      ...fields,
      payload: Uint8Array.from({ length: 3000 }, (_, i) => i & 255),
    })
    const skb = netdevAllocSkb(host.dev, frame.length)!
    skb.mem.set(frame, skbPut(skb, frame.length))
    skb.gsoSize = 1000
    skb.gsoSegs = 3
    skb.gsoType = SKB_GSO_TCPV4
    host.kernel.hardware(() => {
      ethTypeTrans(skb, host.dev)
      netifRx(skb)
    })
    expect(far.priv.sent.map((f) => f.length)).toEqual([1054, 1054, 1054])
    expect(far.priv.sent.map((f) => formatFrame(f)).join()).not.toContain('incorrect')
    expect(host.take()).toEqual([])
    end()
  })
})
