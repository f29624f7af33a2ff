import { createKernel } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import type { Backend } from '../src/contract.ts'
import { leftBehind, numbered, problems, TestPort } from './helpers.ts'

/** What a backend's test gives to the tests all backends share. */
export interface ContractCase {
  readonly name: string
  /** Makes the backend; what else it needs (a card at the other end) is plugged in here and out in `unplug`. */
  create(kernel: Kernel): { readonly backend: Backend; unplug?(): void }
  /** What it sends comes back to the same card. */
  readonly echoes?: boolean
  /** It sends frames by itself. */
  readonly sends?: boolean
}

const SECOND = 1e9

/** The tests every backend and every wrapper must pass. */
export function testBackend(given: ContractCase): void {
  const make = (): { kernel: Kernel; backend: Backend; port: TestPort; unplug: () => void } => {
    const kernel = createKernel()
    const { backend, unplug } = given.create(kernel)
    return { kernel, backend, port: new TestPort(kernel), unplug: unplug ?? (() => {}) }
  }

  describe(`the backend contract: ${given.name}`, () => {
    it('begins unplugged, with empty counters and nothing pending', () => {
      const { kernel, backend, port, unplug } = make()
      expect(backend.name).not.toBe('')
      expect(backend.counters).toMatchObject({ txFrames: 0, rxFrames: 0, dropped: 0, held: 0, made: 0 })
      unplug()
      expect(leftBehind(kernel)).toEqual([])
      kernel.runFor(SECOND)
      expect(port.frames).toEqual([])
    })

    it('takes one card at a time and leaves the first alone', () => {
      const { kernel, backend, port } = make()
      port.plug(backend)
      const second = new TestPort(kernel)
      expect(() => backend.attach(second)).toThrow(expect.objectContaining({ code: 'EBUSY' }))
      port.send(backend, numbered(1))
      kernel.runFor(SECOND)
      expect(second.frames).toEqual([])
      backend.attach(null)
      second.plug(backend)
      expect(backend.counters.txFrames).toBe(1)
    })

    it('counts what it takes from the card, frames and bytes', () => {
      const { backend, port } = make()
      port.plug(backend)
      for (const length of [60, 1514, 60]) expect(port.send(backend, numbered(1, length))).toBe(true)
      expect(backend.counters.txFrames).toBe(3)
      expect(backend.counters.txBytes).toBe(1634)
      backend.flush?.()
      expect(problems(backend)).toEqual([])
    })

    it('never calls the card from inside a call of the card', () => {
      const { kernel, backend, port } = make()
      port.plug(backend)
      let left = 20
      port.onReceive = (frame) => {
        if (left-- > 0) port.send(backend, frame)
      }
      for (let i = 0; i < 20; i++) port.send(backend, numbered(i))
      backend.flush?.()
      kernel.runFor(SECOND)
      expect(port.reentered).toBe(false)
      if (given.echoes || given.sends) expect(port.frames.length).toBeGreaterThan(0)
    })

    it('takes frames of 0 to 13 bytes and of 64 KiB without harm', () => {
      const { kernel, backend, port } = make()
      port.plug(backend)
      const lengths = [...Array(14).keys(), 65_536]
      for (const length of lengths) port.send(backend, numbered(1, length))
      kernel.runFor(SECOND)
      expect(backend.counters.txFrames).toBe(lengths.length)
      expect(problems(backend)).toEqual([])
      if (given.echoes) expect(port.frames.map((f) => f.length)).toEqual(lengths)
    })

    it('SKB-07 leaves nothing pending when the card is unplugged, and calls it no more', () => {
      const { kernel, backend, port, unplug } = make()
      port.plug(backend)
      for (let i = 0; i < 10; i++) port.send(backend, numbered(i))
      backend.attach(null)
      unplug()
      expect(leftBehind(kernel)).toEqual([])
      expect(backend.counters.held).toBe(0)
      const seen = port.frames.length
      kernel.runFor(10 * SECOND)
      expect(port.frames.length).toBe(seen)
      expect(problems(backend)).toEqual([])
    })

    it('can be unplugged twice, from inside receive, and plugged in again', () => {
      const { kernel, backend, port, unplug } = make()
      port.plug(backend)
      port.onReceive = () => backend.attach(null)
      for (let i = 0; i < 10; i++) port.send(backend, numbered(i))
      kernel.runFor(2 * SECOND)
      if (given.echoes || given.sends) expect(port.frames.length).toBe(1)
      expect(leftBehind(kernel).filter((left) => left.startsWith('hwevent'))).toEqual([])
      backend.attach(null)
      backend.attach(null)
      expect(problems(backend)).toEqual([])
      expect(backend.counters.held).toBe(0)
      port.onReceive = null
      port.plug(backend)
      port.send(backend, numbered(11))
      kernel.runFor(2 * SECOND)
      if (given.echoes || given.sends) expect(port.frames.length).toBeGreaterThan(1)
      backend.attach(null)
      unplug()
      expect(leftBehind(kernel)).toEqual([])
      expect(problems(backend)).toEqual([])
    })

    it('STAT-13 keeps its books when frames are sent with no card plugged in', () => {
      const { kernel, backend, port } = make()
      for (let i = 0; i < 5; i++) port.send(backend, numbered(i))
      kernel.runFor(SECOND)
      expect(port.frames).toEqual([])
      expect(problems(backend)).toEqual([])
    })

    if (given.echoes || given.sends) {
      it('counts what the card misses', () => {
        const { kernel, backend, port } = make()
        port.takes = () => false
        port.plug(backend)
        for (let i = 0; i < 10; i++) port.send(backend, numbered(i))
        kernel.runFor(2 * SECOND)
        expect(backend.counters.rxFrames).toBeGreaterThan(0)
        expect(backend.counters.rxMissed).toBe(backend.counters.rxFrames)
        expect(problems(backend)).toEqual([])
      })
    }

    if (given.echoes) {
      it('copies what it keeps: the card may use its buffer again', () => {
        const { kernel, backend, port } = make()
        port.plug(backend)
        const sent = [60, 61, 64, 65, 1514, 9000].map((length, i) => numbered(i, length))
        for (const frame of sent) port.send(backend, frame)
        kernel.runFor(SECOND)
        expect(port.frames).toEqual(sent)
      })
    }
  })
}
