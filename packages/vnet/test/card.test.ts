import { devGetStats } from '@vnet/netdev'
import { afterEach, describe, expect, it } from 'vitest'
import { steer } from '../src/index.ts'
import { MS, Rig, frame, numberOf, type RigOptions } from './setup.ts'

let rig: Rig
const start = (options?: RigOptions): Rig => (rig = new Rig(options))
const US = 1_000

describe('the card', () => {
  afterEach(() => rig.end())

  it('COAL-01 interrupts at the frame count or the time, whichever is first', () => {
    start()
    rig.card.setCoalesce({ rxUsecs: 100, rxFrames: 4, txUsecs: 0, txFrames: 1 })
    rig.offer(frame(60))
    rig.kernel.runFor(99 * US)
    expect(rig.received).toHaveLength(0)
    rig.kernel.runFor(2 * US)
    expect(rig.received).toHaveLength(1)
    rig.offer(frame(60), frame(60), frame(60))
    expect(rig.received).toHaveLength(1)
    rig.offer(frame(60))
    expect(rig.received).toHaveLength(5)
  })

  it('COAL-01 counts completions of the transmit side likewise', () => {
    start()
    rig.card.setCoalesce({ rxUsecs: 0, rxFrames: 1, txUsecs: 500, txFrames: 100 })
    rig.send(frame(60))
    rig.kernel.runFor(100 * US)
    expect(devGetStats(rig.dev).txPackets).toBe(0n)
    rig.kernel.runFor(500 * US)
    expect(devGetStats(rig.dev).txPackets).toBe(1n)
  })

  it('NAPI-12 raises one interrupt for a storm of frames', () => {
    start()
    rig.offer(...Array.from({ length: 100 }, (_, i) => frame(60, i)))
    rig.kernel.runFor(MS)
    expect(rig.received).toHaveLength(100)
    expect(rig.card.counters.interrupts).toBe(1)
  })

  it('TXQ-18 rings the doorbell once a burst for a backlog sent at one go', () => {
    start({ txRing: 64 })
    rig.dev.txq[0]!.dql.minLimit = 10_000
    rig.send(frame(60))
    rig.kernel.runFor(MS)
    rig.card.slow(1000)
    for (let i = 0; i < 64 + 16; i++) rig.send(frame(60, i))
    const before = rig.card.counters.doorbells
    rig.kernel.runFor(10 * MS)
    expect(rig.wire).toHaveLength(81)
    // Two bursts at most: the byte limit may cut one.
    expect(rig.card.counters.doorbells - before).toBeLessThanOrEqual(2)
  })

  it('recovers by itself from a hang with a time', () => {
    start()
    rig.card.hang({ forNs: 50 * MS })
    rig.send(frame(60, 1))
    rig.kernel.runFor(49 * MS)
    expect(rig.wire).toHaveLength(0)
    rig.kernel.runFor(2 * MS)
    expect(rig.wire.map(numberOf)).toEqual([1])
  })

  it('misses frames while it hangs', () => {
    start()
    rig.card.hang()
    expect(rig.offer(frame(60))).toEqual([false])
    expect(rig.card.counters.rxMissed).toBe(1)
  })

  it.each([
    ['virtual', 0],
    ['real', 1],
  ] as const)('on a %s clock has sent %i frames when the doorbell returns', (clock, sent) => {
    start({ kernel: { clock } })
    rig.send(frame(60, 7))
    expect(rig.wire).toHaveLength(sent)
    rig.kernel.runFor(MS)
    expect(rig.wire.map(numberOf)).toEqual([7])
  })

  it('waits for a full cable and goes on', () => {
    start()
    const { backend } = rig.card as unknown as {
      backend: { transmit: (m: Uint8Array, o: number, l: number) => boolean }
    }
    const real = backend.transmit.bind(backend)
    let full = true
    backend.transmit = (m, o, l) => (full ? false : real(m, o, l))
    for (let i = 0; i < 5; i++) rig.send(frame(60, i))
    rig.kernel.runFor(MS)
    expect(rig.wire).toHaveLength(0)
    full = false
    rig.kernel.hardware(() => rig.card.writable())
    rig.kernel.runFor(MS)
    expect(rig.wire.map(numberOf)).toEqual([0, 1, 2, 3, 4])
  })

  it('unplugged, it reads all ones and moves nothing', () => {
    start()
    rig.send(frame(60))
    rig.card.unplug()
    expect(rig.card.readCause(0)).toBe(0xffff_ffff)
    expect(rig.offer(frame(60))).toEqual([false])
    rig.kernel.runFor(MS)
    expect(rig.wire).toHaveLength(0)
  })

  it('MQ-03 keeps a flow in one queue, and spreads flows', () => {
    start({ queues: 4 })
    const flows = Array.from({ length: 64 }, (_, i) => udp(i))
    rig.offer(...flows, ...flows)
    rig.kernel.runFor(MS)
    expect(rig.received).toHaveLength(128)
    const used = new Set(flows.map((f) => steer(f, 0, f.length, 4)))
    expect(used.size).toBe(4)
  })
})

/** An IPv4 UDP frame of flow `n`, as far as the card looks. */
function udp(n: number): Uint8Array {
  const f = frame(60)
  f.set([8, 0, 0x45], 12)
  f.set([0, 0, 64, 17], 20)
  f.set([10, 0, 0, 1, 10, 0, 0, 2, 0, n, 1, n], 26)
  return f
}
