import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { Jack } from '../src/jack.ts'
import { loopback } from '../src/loopback.ts'
import { nullBackend } from '../src/null.ts'
import { patchCable } from '../src/patch-cable.ts'
import { testBackend } from './contract.ts'
import { numbered, numberOf, TestPort } from './helpers.ts'

testBackend({
  name: 'jack with a loopback plug',
  create: (kernel) => ({ backend: new Jack(kernel, 'jack', loopback(kernel)) }),
  echoes: true,
})

describe('Jack', () => {
  it('LINK-07 an empty one has no link, and what is sent into it is dropped and counted', () => {
    const kernel = createKernel()
    const jack = new Jack(kernel)
    const port = new TestPort(kernel).plug(jack)
    expect(jack.linkUp).toBe(false)
    expect(port.send(jack, numbered(1))).toBe(true)
    expect(jack.counters).toMatchObject({ txFrames: 1, dropped: 1, downFrames: 0 })
  })

  it('a cable is plugged in and pulled out while the card runs, and the card hears of each once', () => {
    const kernel = createKernel()
    const jack = new Jack(kernel)
    const port = new TestPort(kernel).plug(jack)
    jack.plug(loopback(kernel))
    port.send(jack, numbered(1))
    kernel.runFor(1e6)
    expect(() => jack.plug(nullBackend())).toThrow(/EBUSY|plugged in already/)
    const pulled = jack.unplug()
    port.send(jack, numbered(2))
    jack.plug(pulled!)
    port.send(jack, numbered(3))
    kernel.runFor(1e6)
    expect(port.links).toEqual([true, false, true])
    expect(port.frames.map(numberOf)).toEqual([1, 3])
    expect(port.reentered).toBe(false)
  })

  it('a cut takes the link down, frames are lost both ways, and a repair brings it back', () => {
    const kernel = createKernel()
    const { a, b } = patchCable(kernel)
    const jack = new Jack(kernel, 'jack', a)
    const port = new TestPort(kernel).plug(jack)
    const far = new TestPort(kernel).plug(b)
    kernel.runFor(1e6)
    jack.setCut(true)
    port.send(jack, numbered(1))
    far.send(b, numbered(2))
    kernel.runFor(1e6)
    expect([port.frames.length, far.frames.length, port.links.at(-1)]).toEqual([0, 0, false])
    jack.setCut(false)
    port.send(jack, numbered(3))
    far.send(b, numbered(4))
    kernel.runFor(1e6)
    expect([port.frames.map(numberOf), far.frames.map(numberOf), port.links.at(-1)]).toEqual([[4], [3], true])
  })

  it('a card that waits for room is called back when the full cable is pulled out', () => {
    const kernel = createKernel()
    const jack = new Jack(kernel, 'jack', loopback(kernel, { frames: 2 }))
    const port = new TestPort(kernel).plug(jack)
    while (port.send(jack, numbered(1)));
    jack.unplug()
    expect(port.writables).toBe(1)
    expect(port.send(jack, numbered(2))).toBe(true)
    expect(kernel.census.take()).toEqual([])
  })
})
