import { createKernel } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { compose, layers } from '../src/contract.ts'
import type { Middleware } from '../src/contract.ts'
import { faultInjector } from '../src/fault-injector.ts'
import { loopback } from '../src/loopback.ts'
import { pcapWriter } from '../src/pcap-writer.ts'
import { rateLimit } from '../src/rate-limit.ts'
import { tracer } from '../src/tracer.ts'
import { Wrapper } from '../src/wrapper.ts'
import { testBackend } from './contract.ts'
import { leftBehind, numbered, numberOf, problems, StubBackend, TestPort } from './helpers.ts'

const WRAPPERS: Readonly<Record<string, (kernel: Kernel) => Middleware>> = {
  'a plain wrapper': () => (lower) => new Wrapper('plain', lower),
  'faults that are all off': (kernel) => faultInjector(kernel, {}),
  'faults with delay': (kernel) => faultInjector(kernel, { delayNs: 2e6 }),
  'a tracer': (kernel) => tracer(kernel),
  'a pcap writer': (kernel) => pcapWriter(kernel, () => {}),
  'a pcapng writer': (kernel) => pcapWriter(kernel, () => {}, { format: 'pcapng' }),
  'a rate limit': (kernel) => rateLimit(kernel, { rate: { bitsPerSecond: 1e9 } }),
}

for (const [name, make] of Object.entries(WRAPPERS)) {
  testBackend({
    name: `${name} around a loopback`,
    create: (kernel) => ({ backend: compose(loopback(kernel), make(kernel)) }),
    echoes: true,
  })

  describe(`${name} as a wrapper`, () => {
    const around = () => {
      const kernel = createKernel()
      const stub = new StubBackend(kernel)
      const backend = make(kernel)(stub)
      return { kernel, stub, backend, port: new TestPort(kernel) }
    }

    it('SKB-07 passes plugging and unplugging down to the lowest', () => {
      const { kernel, stub, backend, port } = around()
      port.plug(backend)
      expect(stub.plugs).toEqual([true])
      backend.attach(null)
      expect(stub.plugs).toEqual([true, false])
      expect(leftBehind(kernel)).toEqual([])
    })

    it('SKB-07 drops what it still holds when unplugged, and calls the card no more', () => {
      const { kernel, stub, backend, port } = around()
      port.plug(backend)
      stub.bring(numbered(1))
      port.send(backend, numbered(2))
      backend.attach(null)
      const seen = port.frames.length
      kernel.runFor(1e9)
      expect(port.frames.length).toBe(seen)
      expect(backend.counters.held).toBe(0)
      expect(problems(backend)).toEqual([])
    })

    it('leaves a lower backend alone that belongs to somebody else', () => {
      const { kernel, stub, backend, port } = around()
      const owner = new TestPort(kernel).plug(stub)
      expect(() => port.plug(backend)).toThrow(expect.objectContaining({ code: 'EBUSY' }))
      backend.attach(null)
      stub.bring(numbered(1))
      expect(owner.frames.length).toBe(1)
      expect(leftBehind(kernel)).toEqual([])
    })

    it('passes link changes and flush, and shows what it wraps', () => {
      const { stub, backend, port } = around()
      port.plug(backend)
      expect(backend.linkUp).toBe(true)
      stub.setLink(false)
      expect(backend.linkUp).toBe(false)
      expect(port.links).toEqual([false])
      backend.flush?.()
      expect(stub.flushes).toBeGreaterThan(0)
      expect(layers(backend)).toEqual([backend, stub])
    })

    it('passes frames on unchanged, both ways', () => {
      const { kernel, stub, backend, port } = around()
      port.plug(backend)
      const frames = [60, 1514, 64].map((length, i) => numbered(i, length))
      for (const frame of frames) {
        port.send(backend, frame)
        stub.bring(frame)
        kernel.runFor(1e7)
      }
      expect(stub.sent).toEqual(frames)
      expect(port.frames).toEqual(frames)
      expect(problems(backend)).toEqual([])
    })

    it('loses nothing and keeps the order when the lower one is full for a while', () => {
      const { kernel, stub, backend, port } = around()
      port.plug(backend)
      let next = 0
      const pump = (): void => {
        while (next < 50 && port.send(backend, numbered(next))) next++
      }
      port.onWritable = pump
      stub.full = true
      pump()
      kernel.runFor(1e7)
      expect(stub.sent).toEqual([])
      for (let i = 0; i < 10; i++) {
        stub.drain()
        kernel.runFor(1e5)
        stub.full = true
        kernel.runFor(1e7)
      }
      stub.drain()
      kernel.runFor(1e9)
      expect(stub.sent.map(numberOf)).toEqual([...Array(50).keys()])
      expect(port.reentered).toBe(false)
      expect(backend.counters.dropped).toBe(0)
      expect(problems(backend)).toEqual([])
    })
  })
}

describe('a stack of all wrappers', () => {
  it('SKB-07 unplugs to the bottom and leaves nothing behind', () => {
    const kernel = createKernel()
    const stub = new StubBackend(kernel)
    const backend = compose(stub, ...Object.values(WRAPPERS).map((make) => make(kernel)))
    const port = new TestPort(kernel).plug(backend)
    for (let i = 0; i < 20; i++) {
      port.send(backend, numbered(i))
      stub.bring(numbered(i))
    }
    kernel.runFor(1e6)
    backend.attach(null)
    expect(stub.plugs).toEqual([true, false])
    expect(leftBehind(kernel)).toEqual([])
    expect(problems(backend)).toEqual([])
  })

  it('compose puts the first middleware nearest to the backend', () => {
    const kernel = createKernel()
    const name =
      (text: string): Middleware =>
      (lower) =>
        new Wrapper(text, lower)
    const backend = compose(loopback(kernel), name('near'), name('far'))
    expect(layers(backend).map((layer) => layer.name)).toEqual(['far', 'near', 'loopback'])
  })
})
