import { accounts } from '@vnet/backend'
import { createKernel } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { AF, bindSock, closeFd, HostMemory, libc, SOCK, sys } from '@vnet/linux'
import type { Netns } from '@vnet/linux'
import * as nd from '@vnet/netdev'
import { createCard, createVnet, destroyVnet } from '@vnet/vnet'
import type { VnetCard, VnetPriv } from '@vnet/vnet'
import { arpRequest, padFrame } from '@vnet/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tapBackend } from '../src/tap-backend.ts'
import type { TapBackend } from '../src/tap-backend.ts'
import { host, namespace, skipReason, until } from './host.ts'

const FRAMES = 500

describe.skipIf(skipReason())('vnet0 on a TAP', () => {
  let kernel: Kernel
  let netns: Netns
  let tap: TapBackend
  let card: VnetCard
  let dev: nd.NetDevice<VnetPriv>
  const replies: Uint8Array[] = []

  beforeEach(async () => {
    replies.length = 0
    kernel = createKernel({ clock: 'real' })
    netns = namespace()
    tap = tapBackend(kernel, { name: 'vt0', netns })
    card = createCard(kernel, { backend: tap })
    dev = createVnet(kernel, { hw: card })
    nd.devAddPack(kernel, { type: nd.ETH_P_ARP, func: (skb) => keep(skb) })
    kernel.rtnl.run(() => nd.devOpen(dev))
    host(netns, 'ip addr add 10.9.0.1/24 dev vt0')
    await until(() => nd.netifCarrierOk(dev), 'a carrier')
  })

  afterEach(() => {
    destroyVnet(dev)
    card.destroy()
    tap.close()
    netns.close()
    kernel.shutdown()
  })

  function keep(skb: nd.SkBuff): number {
    replies.push(skb.mem.slice(skb.macHeader, skb.data + skb.len))
    nd.consumeSkb(skb)
    return nd.NET_RX_SUCCESS
  }

  function ask(last: number): void {
    const request = padFrame(
      arpRequest({ senderMac: '02:00:00:00:00:01', senderIp: `10.9.0.${last}`, targetIp: '10.9.0.1' }),
    )
    const skb = nd.netdevAllocSkb(dev, request.length)!
    skb.mem.set(request, nd.skbPut(skb, request.length))
    skb.dev = dev
    nd.devQueueXmit(skb)
  }

  it(`asks and is answered ${FRAMES} times`, async () => {
    for (let n = 0; n < FRAMES; n++) {
      const before = replies.length
      ask(2 + (n % 250))
      await until(() => replies.length > before, `answer ${n}`)
      expect(replies.at(-1)![41]).toBe(2 + (n % 250))
    }
    expect(kernel.violations).toEqual([])
    expect(accounts(tap).problems).toEqual([])
  })

  it('sends a burst without losing a frame', async () => {
    for (let n = 0; n < 200; n++) ask(2)
    await until(() => tap.counters.downFrames === 200, 'all frames at the host')
    expect(host(netns, 'ip -s link show vt0')).toMatch(/RX:[^\n]*\n\s+\d+\s+200\s/)
  })

  it('survives a host that floods, and every frame is accounted for', async () => {
    const socket = netns.run(() => sys('socket', [AF.PACKET, SOCK.RAW | SOCK.CLOEXEC, 0]))
    const address = new DataView(new ArrayBuffer(20))
    address.setUint16(0, AF.PACKET, true)
    address.setInt32(4, tap.ifIndex, true)
    bindSock(socket, new Uint8Array(address.buffer))
    const frame = new HostMemory(60)
    frame.bytes.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 0x88, 0xb5])
    const before = tap.counters.upFrames
    // More than the host's queue holds, and nothing is read meanwhile: what does not fit the host drops.
    for (let n = 0; n < 3000; n++) libc().send(socket, frame.address, 60, 0)
    closeFd(socket)
    await until(() => tap.counters.upFrames - before >= 1000, 'what the queue held')
    expect(accounts(tap).problems).toEqual([])
    ask(9)
    await until(() => replies.length > 0, 'an answer')
    expect(kernel.violations).toEqual([])
  })

  it('loses its carrier with the interface, and gets it back', async () => {
    expect(nd.netifCarrierOk(dev)).toBe(true)
    host(netns, 'ip link set vt0 down')
    await until(() => !nd.netifCarrierOk(dev), 'no carrier')
    host(netns, 'ip link set vt0 up')
    await until(() => nd.netifCarrierOk(dev), 'a carrier')
    const before = replies.length
    ask(9)
    await until(() => replies.length > before, 'an answer')
  })
})
