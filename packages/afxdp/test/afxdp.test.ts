import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createKernel, type Kernel } from '@vnet/kernel'
import { Netns } from '@vnet/linux'
import {
  devAddPack,
  devClose,
  devOpen,
  devQueueXmit,
  devRemovePack,
  devGetStats,
  kfreeSkb,
  netdevAllocSkb,
  type NetDevice,
  netifCarrierOk,
  skbPut,
} from '@vnet/netdev'
import { build } from 'esbuild'
import { afterEach, describe, expect, it } from 'vitest'
import { createAfxdp, destroyAfxdp } from '../src/index.ts'
import { why } from './able.ts'

const NAME = `vnetx${process.pid}`
const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8' })
const inside = (...words: string[]): string => ip('netns', 'exec', NAME, ...words)
const missing = why()

/** Two ends of a veth in a namespace of our own: `a` is driven by us, `b` belongs to the namespace's stack. */
function pair(): Netns {
  ip('netns', 'add', NAME)
  ip('-n', NAME, 'link', 'add', 'name', 'xa', 'type', 'veth', 'peer', 'name', 'xb')
  for (const end of ['xa', 'xb']) {
    inside('sysctl', '-qw', `net.ipv6.conf.${end}.disable_ipv6=1`)
    ip('-n', NAME, 'link', 'set', end, 'up')
  }
  ip('-n', NAME, 'addr', 'add', '10.77.0.1/24', 'dev', 'xb')
  return Netns.named(NAME)
}

const until = async (done: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
}

function send(dev: NetDevice<any>, frame: Uint8Array): void {
  const skb = netdevAllocSkb(dev, frame.length)!
  skb.mem.set(frame, skbPut(skb, frame.length))
  devQueueXmit(skb)
}

/** A frame from our address to everybody, of an experimental type. */
function broadcast(dev: NetDevice<any>, text: string): Uint8Array {
  const frame = new Uint8Array(60)
  frame.fill(0xff, 0, 6)
  frame.set(dev.devAddr, 6)
  frame.set([0x88, 0xb5], 12)
  frame.set(new TextEncoder().encode(text), 14)
  return frame
}

describe('AF_XDP', () => {
  let kernel: Kernel | null = null

  afterEach(() => {
    kernel?.shutdown()
    kernel = null
    if (missing === null) execFileSync('sh', ['-c', `ip netns del ${NAME} 2>/dev/null || true`])
  })

  it('says what is missing when it cannot be tried', ({ skip }) => {
    if (missing !== null) skip(missing)
    expect(missing).toBeNull()
  })

  it.skipIf(missing !== null).each(['generic', 'native'] as const)(
    'in %s mode frames cross both ways, the carrier follows, and nothing is left',
    async (mode) => {
      const netns = pair()
      const k = (kernel = createKernel({ clock: 'real' }))
      const dev = createAfxdp(k, { ifname: 'xa', mode, netns, rxRing: 64, txRing: 64 })
      const heard: string[] = []
      const pack = {
        type: 0x0806,
        func: (skb: Parameters<typeof kfreeSkb>[0]) => {
          heard.push([...skb.mem.subarray(skb.data + 24, skb.data + 28)].join('.'))
          kfreeSkb(skb)
          return 0
        },
      }
      devAddPack(k, pack)
      k.rtnl.run(() => devOpen(dev))
      expect(netifCarrierOk(dev)).toBe(true)
      // The namespace's stack asks for addresses nobody has: its ARP requests come to us.
      for (let i = 2; i < 10; i++) {
        execFileSync('sh', [
          '-c',
          `ip netns exec ${NAME} ping -c 1 -W 0.1 10.77.0.${i} >/dev/null 2>&1 || true`,
        ])
      }
      await until(() => new Set(heard).size >= 8)
      expect(new Set(heard).size).toBe(8)
      const before = peerPackets()
      for (let round = 0; round < 20; round++) {
        for (let i = 0; i < 50; i++) send(dev, broadcast(dev, `frame ${round}.${i}`))
        await until(() => devGetStats(dev).txPackets >= BigInt((round + 1) * 50))
      }
      expect(devGetStats(dev).txPackets).toBe(1000n)
      expect(peerPackets() - before).toBe(1000)
      ip('-n', NAME, 'link', 'set', 'xb', 'down')
      await until(() => !netifCarrierOk(dev))
      expect(netifCarrierOk(dev)).toBe(false)
      ip('-n', NAME, 'link', 'set', 'xb', 'up')
      await until(() => netifCarrierOk(dev))
      k.rtnl.run(() => devClose(dev))
      expect(ip('-n', NAME, 'link', 'show', 'xa')).not.toContain('xdp')
      k.rtnl.run(() => devOpen(dev))
      send(dev, broadcast(dev, 'again'))
      await until(() => devGetStats(dev).txPackets >= 1001n)
      expect(devGetStats(dev).txPackets).toBe(1001n)
      destroyAfxdp(dev)
      devRemovePack(k, pack)
      netns.close()
      const left = (): unknown[] => k.census.take().filter(({ kind }) => kind !== 'memory')
      await until(() => left().length === 0)
      expect(left()).toEqual([])
    },
    60_000,
  )

  it.skipIf(missing !== null)(
    'a process that is killed leaves no program behind',
    async () => {
      const netns = pair()
      // Beside koffi, which is not part of the bundle.
      const program = join(import.meta.dirname, '../../linux/node_modules/.afxdp-killed.mjs')
      await build({
        entryPoints: [join(import.meta.dirname, 'killed.ts')],
        outfile: program,
        bundle: true,
        platform: 'node',
        format: 'esm',
        conditions: ['@vnet/source'],
        external: ['koffi'],
      })
      const child = spawn(process.execPath, [program, NAME], { stdio: 'ignore' })
      const link = (): string => ip('-n', NAME, 'link', 'show', 'xa')
      await until(() => link().includes('xdp'))
      const before = link()
      child.kill('SIGKILL')
      await until(() => !link().includes('xdp'))
      const after = link()
      expect(before).toContain('xdp')
      expect(after).not.toContain('xdp')
      netns.close()
    },
    60_000,
  )

  function peerPackets(): number {
    const text = inside('cat', '/sys/class/net/xb/statistics/rx_packets')
    return Number(text)
  }
})

describe('refusals', () => {
  it.skipIf(missing !== null)('an interface that is not there, ring sizes no ring can have', () => {
    const k = createKernel()
    expect(() => createAfxdp(k, { ifname: 'nosuch0' })).toThrow('there is no interface nosuch0')
    expect(() => createAfxdp(k, { ifname: 'lo', rxRing: 100 })).toThrow('rxRing is 100')
    expect(k.census.take()).toEqual([])
  })
})
