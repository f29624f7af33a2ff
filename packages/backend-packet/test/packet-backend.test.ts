import { accounts } from '@vnet/backend'
import { createKernel } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { Netns } from '@vnet/linux'
import * as nd from '@vnet/netdev'
import { createCard, createVnet, destroyVnet } from '@vnet/vnet'
import { arpRequest, padFrame } from '@vnet/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packetBackend } from '../src/packet-backend.ts'
import type { PacketBackend } from '../src/packet-backend.ts'
import type { PacketOptions } from '../src/options.ts'
import { send, StubCard } from '../../../test/lib/stub-card.ts'
import { host, run, skipReason, until } from './host.ts'

const MAC = '02:00:00:00:00:01'
const ARP = 0x0806
const whoHas = (targetIp: string): Uint8Array =>
  padFrame(arpRequest({ senderMac: MAC, senderIp: '10.9.0.2', targetIp }))

/** The host is on `va`, the card on `vb`. */
describe.skipIf(skipReason())('an interface in a namespace of its own', () => {
  let kernel: Kernel
  let netns: Netns
  let card: StubCard
  const open: PacketBackend[] = []

  const packet = (options: Partial<PacketOptions> = {}): PacketBackend => {
    const made = packetBackend(kernel, { name: 'vb', netns, ...options })
    open.push(made)
    return made
  }

  const veth = (): void => {
    host(netns, 'ip link add va type veth peer name vb')
    host(netns, 'ip addr add 10.9.0.1/24 dev va')
    host(netns, 'ip link set va up')
    host(netns, 'ip link set vb up')
  }

  beforeEach(() => {
    kernel = createKernel({ clock: 'real' })
    netns = Netns.create()
    card = new StubCard()
    veth()
  })

  afterEach(() => {
    for (const backend of open.splice(0)) backend.close()
    netns.close()
    kernel.shutdown()
  })

  it.each([
    ['with libuv', { watch: 'uv' }],
    ['with poll() in a thread', { watch: 'poll' }],
  ] as [string, Partial<PacketOptions>][])('frames cross both ways %s', async (_, options) => {
    const backend = packet(options)
    backend.attach(card)
    await until(() => backend.linkUp, 'the link')
    for (let n = 1; n <= 20; n++) {
      expect(send(backend, whoHas('10.9.0.1'))).toBe(true)
      await until(() => card.ofType(ARP).length >= n, `answer ${n}`)
    }
    expect(card.ofType(ARP)[0]![21]).toBe(2)
    expect(backend.counters).toMatchObject({ txFrames: 20, downFrames: 20 })
    expect(card.frames.filter((frame) => frame[11] === 1 && frame[6] === 2)).toEqual([])
    expect(accounts(backend).problems).toEqual([])
  })

  it('finishes the checksums the host leaves to a card', async () => {
    const backend = packet()
    backend.attach(card)
    await until(() => backend.linkUp, 'the link')
    host(netns, `ip neigh add 10.9.0.2 lladdr ${MAC} dev va`)
    run(netns, 'bash', '-c', 'echo hello > /dev/udp/10.9.0.2/9')
    const isUdp = (frame: Uint8Array): boolean => frame[12] === 8 && frame[13] === 0 && frame[23] === 17
    await until(() => card.frames.some(isUdp), 'the datagram')
    expect(backend.stats.rxChecksums).toBe(1)
    const datagram = card.frames.find(isUdp)!
    const view = new DataView(datagram.buffer)
    const length = view.getUint16(38)
    let sum = 17 + length
    for (let at = 26; at < 34 + length; at += 2) sum += view.getUint16(at)
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
    expect(sum).toBe(0xffff)
  })

  it('brings frames of many lengths unharmed', async () => {
    const other = packet({ name: 'va' })
    const backend = packet()
    other.attach(new StubCard())
    backend.attach(card)
    await until(() => backend.linkUp && other.linkUp, 'the links')
    const lengths = [14, 15, 60, 61, 64, 65, 1000, 1513, 1514]
    for (const length of lengths) {
      const frame = new Uint8Array(length).map((_, i) => (i * 7 + length) & 0xff)
      frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5])
      send(other, frame)
    }
    await until(() => card.ofType(0x88b5).length === lengths.length, 'all')
    for (const frame of card.ofType(0x88b5)) {
      expect(frame.subarray(14)).toEqual(
        new Uint8Array(frame.length).map((_, i) => (i * 7 + frame.length) & 0xff).subarray(14),
      )
    }
    expect(card.ofType(0x88b5).map((frame) => frame.length)).toEqual(lengths)
    expect(send(other, new Uint8Array(1600))).toBe(true)
    expect(other.stats.txOversize).toBe(1)
  })

  it('follows the carrier: down with the interface or its peer, up again after', async () => {
    const backend = packet()
    backend.attach(card)
    await until(() => backend.linkUp, 'the link')
    card.links.length = 0
    host(netns, 'ip link set va down')
    await until(() => card.links.length === 1, 'the peer goes')
    host(netns, 'ip link set va up')
    await until(() => card.links.length === 2, 'the peer comes back')
    host(netns, 'ip link set vb down')
    await until(() => card.links.length === 3, 'the interface goes')
    send(backend, whoHas('10.9.0.1'))
    expect(backend.stats.txDown).toBe(1)
    host(netns, 'ip link set vb up')
    await until(() => card.links.length === 4, 'the interface comes back')
    expect(card.links).toEqual([false, true, false, true])
    send(backend, whoHas('10.9.0.1'))
    await until(() => card.ofType(ARP).length > 0, 'an answer')
    expect(accounts(backend).problems).toEqual([])
  })

  it('survives its deletion, and opens it again when it is there again', async () => {
    const backend = packet()
    backend.attach(card)
    await until(() => backend.linkUp, 'the link')
    host(netns, 'ip link delete va')
    await until(() => !backend.linkUp, 'the link goes')
    expect(send(backend, whoHas('10.9.0.1'))).toBe(true)
    expect(backend.counters.dropped).toBe(1)
    veth()
    await until(() => backend.linkUp, 'the link comes back')
    send(backend, whoHas('10.9.0.1'))
    await until(() => card.ofType(ARP).length > 0, 'an answer')
    expect(backend.stats.reopened).toBeGreaterThan(0)
  })

  it('gives a card nothing from before it, and can be plugged again', async () => {
    const backend = packet()
    for (let round = 0; round < 3; round++) {
      const one = new StubCard()
      backend.attach(one)
      await until(() => backend.linkUp, 'the link')
      send(backend, whoHas('10.9.0.1'))
      await until(() => one.ofType(ARP).length > 0, 'an answer')
      expect(one.ofType(ARP)).toHaveLength(1)
      send(backend, whoHas('10.9.0.1'))
      backend.attach(null)
    }
  })

  it('refuses an interface that is not there, and says where to look', () => {
    expect(() => packet({ name: 'nosuch' })).toThrow(
      expect.objectContaining({ code: 'ENODEV', message: expect.stringContaining('ip link') }),
    )
  })

  it('vnet0 asks and is answered', async () => {
    const backend = packet()
    const vnic = createCard(kernel, { backend })
    const dev = createVnet(kernel, { hw: vnic })
    let answers = 0
    nd.devAddPack(kernel, {
      type: nd.ETH_P_ARP,
      func: (skb) => {
        answers++
        nd.consumeSkb(skb)
        return nd.NET_RX_SUCCESS
      },
    })
    kernel.rtnl.run(() => nd.devOpen(dev))
    await until(() => nd.netifCarrierOk(dev), 'a carrier')
    for (let n = 1; n <= 50; n++) {
      const request = whoHas('10.9.0.1')
      const skb = nd.netdevAllocSkb(dev, request.length)!
      skb.mem.set(request, nd.skbPut(skb, request.length))
      skb.dev = dev
      nd.devQueueXmit(skb)
      await until(() => answers >= n, `answer ${n}`)
    }
    expect(kernel.violations).toEqual([])
    destroyVnet(dev)
    vnic.destroy()
  })
})
