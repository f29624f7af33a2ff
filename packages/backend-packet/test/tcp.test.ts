import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import type { BackendPort } from '@vnet/backend'
import { accounts } from '@vnet/backend'
import { createKernel } from '@vnet/kernel'
import { Netns } from '@vnet/linux'
import { describe, expect, it } from 'vitest'
import { packetBackend } from '../src/packet-backend.ts'
import type { PacketBackend } from '../src/packet-backend.ts'
import { host, skipReason, until } from './host.ts'

const BYTES = 5_000_000
const TEXT = 'not all the same, '
const SERVER = `
  const hash = require('crypto').createHash('sha256')
  require('net').createServer((socket) => {
    socket.on('data', (piece) => hash.update(piece))
    socket.on('end', () => { console.log(hash.digest('hex')); process.exit() })
  }).listen(5001, () => console.log('ready'))`
const CLIENT = `
  const socket = require('net').connect(5001, '10.9.0.1')
  socket.end(Buffer.alloc(${BYTES}, ${JSON.stringify(TEXT)}))`

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
      const received = await transfer(spaces[0], spaces[1])
      expect(received).toBe(createHash('sha256').update(Buffer.alloc(BYTES, TEXT)).digest('hex'))
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

/** Sends bytes from one namespace to a server in the other; gives the hash of what came. */
function transfer(to: Netns, from: Netns): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = to.run(() =>
      spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    const clients: ChildProcess[] = []
    let output = ''
    server.on('error', reject)
    server.stdout.on('data', (text: Buffer) => {
      output += text.toString()
      if (output === 'ready\n') {
        clients.push(from.run(() => spawn(process.execPath, ['-e', CLIENT], { stdio: 'inherit' })))
      }
    })
    server.on('exit', () => {
      for (const client of clients) client.kill()
      resolve(output.trim().split('\n').at(-1)!)
    })
  })
}
