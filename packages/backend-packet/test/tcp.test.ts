import type { BackendPort } from '@vnet/backend'
import { accounts } from '@vnet/backend'
import { createKernel } from '@vnet/kernel'
import { Netns } from '@vnet/linux'
import { describe, expect, it } from 'vitest'
import { packetBackend } from '../src/packet-backend.ts'
import type { PacketBackend } from '../src/packet-backend.ts'
import { hashOf, host, skipReason, transfer, until } from './host.ts'

const BYTES = 5_000_000

/** A card as long as an Ethernet's, that hands on what it gets. */
function handOn(to: PacketBackend): BackendPort & { longest: number } {
  const port = {
    longest: 0,
    receive(mem: Uint8Array, offset: number, length: number): boolean {
      port.longest = Math.max(port.longest, length)
      return to.transmit(mem, offset, length)
    },
    linkChange: () => undefined,
    writable: () => undefined,
  }
  return port
}

describe.skipIf(skipReason())('two hosts that leave all they can to their cards', () => {
  it('send a TCP stream through us unharmed, in frames no longer than a card takes', async () => {
    const kernel = createKernel({ clock: 'real' })
    const spaces = [Netns.create(), Netns.create()] as const
    const ends = spaces.map((netns, i) => {
      host(netns, 'ip link add va type veth peer name vb')
      host(netns, `ip addr add 10.9.0.${i + 1}/24 dev va`)
      host(netns, 'ip link set va up')
      host(netns, 'ip link set vb up')
      return packetBackend(kernel, { name: 'vb', netns })
    }) as [PacketBackend, PacketBackend]
    const ports = [handOn(ends[1]), handOn(ends[0])] as const
    ends.forEach((end, i) => end.attach(ports[i]!))
    try {
      await until(() => ends[0].linkUp && ends[1].linkUp, 'both links')
      expect(await transfer(spaces[0], spaces[1], BYTES)).toBe(hashOf(BYTES))
      expect(ends[1].stats.rxSegmented).toBeGreaterThan(0)
      expect(Math.max(ports[0].longest, ports[1].longest)).toBe(1514)
      for (const end of ends) expect(accounts(end).problems).toEqual([])
    } finally {
      for (const end of ends) end.close()
      for (const netns of spaces) netns.close()
      kernel.shutdown()
    }
  })
})
