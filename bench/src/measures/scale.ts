import { loopback, nullBackend } from '@vnet/backend'
import { createKernel, type Kernel } from '@vnet/kernel'
import { allocSkb, consumeSkb, devOpen, type NetDevice, type SkBuff } from '@vnet/netdev'
import { createCard, createVnet } from '@vnet/vnet'
import type { Measure } from '../measures.ts'

const MIB = 2 ** 20

/** Heap and typed memory, after a collection. */
function memory(): number {
  globalThis.gc!()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const quiet = (memoryBytes: number): Kernel => createKernel({ strict: false, checks: false, memoryBytes })

function addDevice(kernel: Kernel, i: number, ring: number): NetDevice<unknown> {
  const macAddress = Uint8Array.of(2, 1, 0, i >> 16, i >> 8, i)
  const hw = createCard(kernel, { name: `card${i}`, macAddress, backend: nullBackend() })
  return createVnet(kernel, { hw, txRing: ring, rxRing: ring }) as NetDevice<unknown>
}

/** Registers, opens, and lets them stand idle. */
export async function devices(quick: boolean): Promise<Measure[]> {
  const n = quick ? 500 : 10_000
  const kernel = quiet(2048 * MIB)
  const empty = memory()
  const start = performance.now()
  const devs = Array.from({ length: n }, (_, i) => addDevice(kernel, i, 8))
  const registered = performance.now()
  const down = memory()
  kernel.rtnl.run(() => devs.forEach((dev) => devOpen(dev)))
  kernel.runFor(1e9)
  const up = memory()
  const idle = idleCost(kernel, 10)
  return [
    {
      id: 'dev-time',
      label: 'to make and register one',
      value: ((registered - start) / n) * 1000,
      unit: 'us',
    },
    { id: 'dev-down', label: 'memory of one, down', value: (down - empty) / n / 1024, unit: 'KiB' },
    { id: 'dev-up', label: 'more when it is up, rings of 8', value: (up - down) / n / 1024, unit: 'KiB' },
    {
      id: 'dev-idle-events',
      label: 'events an idle device causes in a second',
      value: idle.events / n / 10,
      unit: '',
      ...zero(idle.events),
    },
    {
      id: 'dev-idle-time',
      label: 'host time for a virtual second of all of them',
      value: idle.ms / 10,
      unit: 'ms',
    },
  ]
}

function zero(events: number): Partial<Measure> {
  return { target: 'no timer ticks for an idle card', limit: 0, met: events === 0 }
}

function idleCost(kernel: Kernel, seconds: number): { events: number; ms: number } {
  const end = kernel.clock.lastSeen + seconds * 1e9
  const start = performance.now()
  let events = 0
  while (kernel.events.runOne(end)) events++
  return { events, ms: performance.now() - start }
}

/** Whole kernels, each with a device that is up. */
export async function machines(quick: boolean): Promise<Measure[]> {
  const n = quick ? 50 : 1000
  const empty = memory()
  const before = process.memoryUsage.rss()
  const start = performance.now()
  const kernels: Kernel[] = []
  for (let i = 0; i < n; i++) {
    const kernel = quiet(64 * MIB)
    const hw = createCard(kernel, { backend: loopback(kernel) })
    const dev = createVnet(kernel, { hw, txRing: 64, rxRing: 64 })
    kernel.rtnl.run(() => devOpen(dev))
    kernels.push(kernel)
  }
  const took = performance.now() - start
  const each = (memory() - empty) / kernels.length
  const touched = (process.memoryUsage.rss() - before) / kernels.length
  return [
    { id: 'kernel-time', label: 'to boot one with a device up, rings of 64', value: took / n, unit: 'ms' },
    { id: 'kernel-memory', label: 'memory of one, as asked for', value: each / 1024, unit: 'KiB' },
    { id: 'kernel-touched', label: 'memory of one, as really used', value: touched / 1024, unit: 'KiB' },
  ]
}

/** Takes that many, holds them all, gives them back. */
export async function skbs(quick: boolean): Promise<Measure[]> {
  const n = quick ? 50_000 : 1_000_000
  const kernel = quiet(1024 * MIB)
  const held: SkBuff[] = new Array(n).fill(null)
  const empty = memory()
  const first = timed(() => take(kernel, held))
  const full = memory()
  give(held)
  const again = timed(() => take(kernel, held))
  const back = timed(() => give(held))
  return [
    { id: 'skb-first', label: 'to take one, the first time', value: (first / n) * 1e6, unit: 'ns' },
    { id: 'skb-again', label: 'to take one again', value: (again / n) * 1e6, unit: 'ns' },
    { id: 'skb-free', label: 'to give one back', value: (back / n) * 1e6, unit: 'ns' },
    {
      id: 'skb-memory',
      label: 'memory of one, its buffer of 512 bytes included',
      value: (full - empty) / n,
      unit: 'B',
    },
  ]
}

function take(kernel: Kernel, held: SkBuff[]): void {
  for (let i = 0; i < held.length; i++) {
    const skb = allocSkb(kernel, 128)
    if (skb === null) throw new Error(`no memory after ${i} sk_buffs`)
    held[i] = skb
  }
}

function give(held: readonly SkBuff[]): void {
  for (let i = 0; i < held.length; i++) consumeSkb(held[i]!)
}

function timed(fn: () => void): number {
  const start = performance.now()
  fn()
  return performance.now() - start
}
