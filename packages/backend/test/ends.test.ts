import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { loopback } from '../src/loopback.ts'
import { nullBackend } from '../src/null.ts'
import { patchCable } from '../src/patch-cable.ts'
import { testBackend } from './contract.ts'
import { leftBehind, numbered, numberOf, problems, TestPort } from './helpers.ts'

testBackend({ name: 'null', create: () => ({ backend: nullBackend() }) })
testBackend({ name: 'loopback', create: (kernel) => ({ backend: loopback(kernel) }), echoes: true })
for (const delayNs of [0, 5e6]) {
  testBackend({
    name: `patch cable of ${delayNs} ns to a card that answers`,
    echoes: true,
    create(kernel) {
      const { a, b } = patchCable(kernel, { delayNs })
      const far = new TestPort(kernel).plug(b)
      far.onReceive = (frame) => far.send(b, frame)
      return { backend: a, unplug: () => b.attach(null) }
    },
  })
}

describe('nullBackend', () => {
  it('takes everything, gives nothing, and the link is up', () => {
    const backend = nullBackend()
    const port = new TestPort().plug(backend)
    port.send(backend, numbered(1))
    expect(backend.linkUp).toBe(true)
    expect(backend.counters).toMatchObject({ txFrames: 1, downFrames: 1, rxFrames: 0, dropped: 0 })
  })
})

describe('loopback', () => {
  it('refuses when full and calls back when there is room: nothing is lost', () => {
    const kernel = createKernel()
    const backend = loopback(kernel, { frames: 8 })
    const port = new TestPort(kernel).plug(backend)
    let next = 0
    const pump = (): void => {
      while (next < 100 && port.send(backend, numbered(next))) next++
    }
    port.onWritable = pump
    pump()
    expect(next).toBe(8)
    kernel.runFor(1e6)
    expect(port.frames.map(numberOf)).toEqual([...Array(100).keys()])
    expect(backend.counters).toMatchObject({ txFrames: 100, rxFrames: 100, dropped: 0, held: 0 })
    expect(port.writables).toBeGreaterThan(0)
  })

  it('calls a refused card back only when it is half empty', () => {
    const kernel = createKernel()
    const backend = loopback(kernel, { frames: 256 })
    const port = new TestPort(kernel).plug(backend)
    while (port.send(backend, numbered(1)));
    const seen: [number, number][] = []
    while (kernel.step()) seen.push([port.frames.length, port.writables])
    expect(seen).toEqual([
      [64, 0],
      [128, 1],
      [192, 1],
      [256, 1],
    ])
  })

  it('drops a frame larger than its store instead of refusing it for ever', () => {
    const kernel = createKernel()
    const backend = loopback(kernel, { bytes: 1024 })
    const port = new TestPort(kernel).plug(backend)
    expect(port.send(backend, numbered(1, 1025))).toBe(true)
    expect(backend.counters.dropped).toBe(1)
    expect(problems(backend)).toEqual([])
  })

  it('goes on after the card threw: a broken rule does not stop the cable', () => {
    const kernel = createKernel()
    const backend = loopback(kernel)
    const port = new TestPort(kernel).plug(backend)
    for (let i = 0; i < 3; i++) port.send(backend, numbered(i))
    port.onReceive = (frame) => {
      if (numberOf(frame) === 0) throw new Error('broken card')
    }
    expect(() => kernel.runFor(1e6)).toThrow('broken card')
    kernel.runFor(1e6)
    expect(port.frames.map(numberOf)).toEqual([0, 1, 2])
    expect(problems(backend)).toEqual([])
    backend.attach(null)
    expect(leftBehind(kernel)).toEqual([])
  })

  it('hands on a long burst in slices, with other events between', () => {
    const kernel = createKernel()
    const backend = loopback(kernel)
    const port = new TestPort(kernel).plug(backend)
    for (let i = 0; i < 200; i++) port.send(backend, numbered(i))
    const sizes: number[] = []
    while (kernel.step()) sizes.push(port.frames.length)
    expect(sizes.length).toBeGreaterThan(2)
    expect(sizes.at(-1)).toBe(200)
    expect(kernel.clock.ktimeGet()).toBe(0)
  })
})

describe('patchCable', () => {
  const pair = (options = {}) => {
    const kernel = createKernel()
    const cable = patchCable(kernel, options)
    const near = new TestPort(kernel).plug(cable.a)
    const far = new TestPort(kernel).plug(cable.b)
    return { kernel, cable, near, far }
  }

  it('delivers at the other end, in order, after exactly its delay', () => {
    const { kernel, cable, near, far } = pair({ delayNs: 5000 })
    near.send(cable.a, numbered(1))
    kernel.runFor(1000)
    near.send(cable.a, numbered(2))
    far.send(cable.b, numbered(3))
    kernel.runFor(3999)
    expect(far.frames).toEqual([])
    expect(cable.b.counters.held).toBe(2)
    kernel.runFor(10_000)
    expect(far.frames.map(numberOf)).toEqual([1, 2])
    expect(far.times).toEqual([5000, 6000])
    expect(near.times).toEqual([6000])
    expect(cable.a.counters.downFrames).toBe(cable.b.counters.upFrames)
    expect([...problems(cable.a), ...problems(cable.b)]).toEqual([])
  })

  it('LINK-07 has a link only while both ends have a card and the cable is whole', () => {
    const kernel = createKernel()
    const cable = patchCable(kernel)
    const near = new TestPort(kernel).plug(cable.a)
    expect(cable.a.linkUp).toBe(false)
    const far = new TestPort(kernel).plug(cable.b)
    expect(cable.a.linkUp && cable.b.linkUp).toBe(true)
    expect(near.links).toEqual([true])
    expect(far.links).toEqual([])
    cable.cut()
    cable.cut()
    cable.repair()
    expect(near.links).toEqual([true, false, true])
    expect(far.links).toEqual([false, true])
    cable.b.attach(null)
    expect(near.links).toEqual([true, false, true, false])
    expect(far.links).toEqual([false, true])
    expect(near.reentered || far.reentered).toBe(false)
  })

  it('drops what is on the way when it is cut, and what is sent while it is', () => {
    const { kernel, cable, near, far } = pair({ delayNs: 5000 })
    near.send(cable.a, numbered(1))
    far.send(cable.b, numbered(2))
    cable.cut()
    expect(near.send(cable.a, numbered(3))).toBe(true)
    cable.repair()
    near.send(cable.a, numbered(4))
    kernel.runFor(10_000)
    expect(far.frames.map(numberOf)).toEqual([4])
    expect(near.frames).toEqual([])
    expect(cable.a.counters.dropped + cable.b.counters.dropped).toBe(3)
    expect([...problems(cable.a), ...problems(cable.b)]).toEqual([])
  })

  it('with a queue limit refuses, and calls back when half is through', () => {
    const { kernel, cable, near, far } = pair({ delayNs: 1000, queueLimit: 4 })
    let next = 0
    const pump = (): void => {
      while (next < 20 && near.send(cable.a, numbered(next))) next++
    }
    near.onWritable = pump
    pump()
    expect(next).toBe(4)
    kernel.runFor(1e6)
    expect(far.frames.map(numberOf)).toEqual([...Array(20).keys()])
    expect(cable.b.counters.dropped).toBe(0)
    expect(near.reentered).toBe(false)
  })

  it('calls a refused card back when the frames it waits for are gone: cut, or the other end unplugged', () => {
    for (const remove of ['cut', 'unplug'] as const) {
      const { cable, near } = pair({ delayNs: 1000, queueLimit: 1 })
      near.send(cable.a, numbered(1))
      expect(near.send(cable.a, numbered(2))).toBe(false)
      if (remove === 'cut') cable.cut()
      else cable.b.attach(null)
      expect(near.writables).toBe(1)
    }
  })

  it('without a limit never refuses: what its store has no room for is dropped and counted', () => {
    const { kernel, cable, near, far } = pair({ delayNs: 1000, store: { frames: 4 } })
    for (let i = 0; i < 10; i++) expect(near.send(cable.a, numbered(i))).toBe(true)
    kernel.runFor(1e6)
    expect(far.frames.map(numberOf)).toEqual([0, 1, 2, 3])
    expect(cable.b.counters).toMatchObject({ upFrames: 10, dropped: 6, rxFrames: 4 })
    expect([...problems(cable.a), ...problems(cable.b)]).toEqual([])
  })

  it('refuses a delay or a limit that makes no sense', () => {
    const kernel = createKernel()
    for (const options of [{ delayNs: -1 }, { delayNs: NaN }, { queueLimit: 0 }]) {
      expect(() => patchCable(kernel, options)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
  })

  it('interrupts and other consequences of a cut are delivered at once', () => {
    const { kernel, cable, near } = pair()
    let depth = -1
    near.linkChange = () => {
      depth = kernel.cpu.hwDepth
    }
    cable.cut()
    expect(depth).toBe(1)
  })
})
