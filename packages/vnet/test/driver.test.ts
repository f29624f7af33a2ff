import { Errno } from '@vnet/kernel'
import { NET_XMIT_SUCCESS, devGetStats, devSetMtu, netifCarrierOk, netifTxQueueStopped } from '@vnet/netdev'
import { afterEach, describe, expect, it } from 'vitest'
import { destroyVnet } from '../src/index.ts'
import { MS, Rig, frame, numberOf, type RigOptions } from './setup.ts'

let rig: Rig
const start = (options?: RigOptions): Rig => (rig = new Rig(options))
afterEach(() => rig.end())

const stats = (): ReturnType<typeof devGetStats> => devGetStats(rig.dev)

describe('open and stop', () => {
  it('registers vnet0 with the address of the card and carrier off', () => {
    start({ down: true })
    expect(rig.dev.name).toBe('vnet0')
    expect(Array.from(rig.dev.devAddr)).toEqual([2, 0, 0, 0, 0, 1])
    expect(netifCarrierOk(rig.dev)).toBe(false)
  })

  it('OPEN-03 receives a frame that arrives right after open', () => {
    start()
    expect(rig.offer(frame(60, 7))).toEqual([true])
    rig.kernel.runFor(MS)
    expect(rig.received.map(numberOf)).toEqual([7])
  })

  it('OPEN-05 undoes a half open when memory runs out, and opens later', () => {
    start({ down: true, kernel: { memoryBytes: 16 * 1024 * 1024 }, queues: 4, rxRing: 4096 })
    const before = rig.kernel.census.take()
    expect(() => rig.up()).toThrow(Errno)
    expect(rig.kernel.census.take()).toEqual(before)
    rig.dev.priv.rxPending = 64
    rig.up()
    expect(rig.offer(frame(60))).toEqual([true])
    rig.down()
  })

  it('OPEN-06 keeps the counters over down and up', () => {
    start()
    rig.offer(frame(60), frame(60))
    rig.send(frame(100))
    rig.kernel.runFor(MS)
    rig.down()
    rig.up()
    expect(stats()).toMatchObject({ rxPackets: 2n, rxBytes: 120n, txPackets: 1n, txBytes: 100n })
  })

  it('STOP-01 is silent for ten minutes after stop', () => {
    start()
    rig.offer(frame(60))
    rig.send(frame(60))
    rig.down()
    const events: string[] = []
    rig.kernel.trace.on('*', (e) => events.push(`${e.name} ${e.subject}`))
    rig.kernel.runFor(600_000 * MS)
    expect(events.filter((e) => e.includes('vnet'))).toEqual([])
    expect(rig.offer(frame(60))).toEqual([false])
  })

  it('STOP-04 frees what is in both rings and counts it', () => {
    start({ txRing: 16 })
    rig.dev.txq[0]!.dql.minLimit = 10_000
    // The limit follows its minimum at the next completion.
    rig.send(frame(60))
    rig.kernel.runFor(MS)
    rig.card.hang()
    for (let i = 0; i < 10; i++) rig.send(frame(60, i))
    expect(rig.dev.priv.queues[0]!.tx.used()).toBe(10)
    rig.down()
    expect(stats()).toMatchObject({ txPackets: 1n, txDropped: 10n })
  })

  it('STOP-06 survives 1,000 times down and up under traffic', () => {
    start({ txRing: 8, rxRing: 8 })
    let rx = 0n
    for (let i = 0; i < 1000; i++) {
      rig.offer(frame(60, i))
      rig.send(frame(60, i))
      if (i % 3 === 0) rig.kernel.runFor(MS)
      rig.down()
      rig.up()
      expect(stats().rxPackets).toBeGreaterThanOrEqual(rx)
      rx = stats().rxPackets
    }
    const s = stats()
    expect(s.txPackets + s.txDropped).toBe(1000n)
  })

  it('LIFE-03 unregistering an open device stops it once', () => {
    start()
    let stops = 0
    rig.kernel.log.subscribe((r) => {
      if (r.text.endsWith('stopped')) stops++
    })
    destroyVnet(rig.dev)
    expect(stops).toBe(1)
  })
})

describe('transmit', () => {
  it('TXQ-12 sends in order, TXQ-17 pads with zeros', () => {
    start()
    for (let i = 0; i < 50; i++) expect(rig.send(frame(20, i))).toBe(NET_XMIT_SUCCESS)
    rig.kernel.runFor(MS)
    expect(rig.wire.map(numberOf)).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect(rig.wire.every((f) => f.length === 60 && f.subarray(20).every((b) => b === 0))).toBe(true)
    expect(stats()).toMatchObject({ txPackets: 50n, txBytes: 3000n })
  })

  it('TXQ-01 stops the queue before a slow card has a full ring, and loses nothing', () => {
    start({ txRing: 16 })
    rig.card.slow(10_000)
    rig.dev.txq[0]!.dql.minLimit = 10_000
    for (let i = 0; i < 500; i++) rig.send(frame(60, i))
    rig.kernel.runFor(100 * MS)
    const q = rig.dev.txq[0]!
    expect(rig.wire.map(numberOf)).toEqual(Array.from({ length: 500 }, (_, i) => i))
    expect(q.stops).toBeGreaterThan(0)
    // STAT-14
    expect(q.stops - q.wakes).toBe(netifTxQueueStopped(q) ? 1 : 0)
  })

  it('STAT-02 counts a frame when the card took it', () => {
    start()
    rig.card.hang()
    rig.send(frame(60))
    rig.kernel.runFor(MS)
    expect(stats().txPackets).toBe(0n)
    rig.card.recover()
    rig.kernel.runFor(MS)
    expect(stats().txPackets).toBe(1n)
  })

  it('WDT-03 resets a hung card and goes on', () => {
    start({ txRing: 8 })
    rig.card.hang()
    for (let i = 0; i < 20; i++) rig.send(frame(60, i))
    rig.kernel.runFor(20_000 * MS)
    expect(rig.dev.txq[0]!.txTimeouts).toBe(1)
    expect(stats().txErrors).toBeGreaterThan(0n)
    rig.send(frame(60, 99))
    rig.kernel.runFor(MS)
    expect(rig.wire.map(numberOf).at(-1)).toBe(99)
    expect(stats().txPackets + stats().txErrors).toBe(21n)
  })

  it('WDT-03 needs no new buffers for a reset: those of the ring serve again', () => {
    start({ txRing: 8 })
    rig.card.hang()
    rig.dev.priv.queues[0]!.pool.fail = () => true
    for (let i = 0; i < 20; i++) rig.send(frame(60, i))
    rig.kernel.runFor(20_000 * MS)
    expect(rig.dev.txq[0]!.txTimeouts).toBe(1)
    rig.dev.priv.queues[0]!.pool.fail = null
    rig.offer(frame(60, 7))
    rig.kernel.runFor(MS)
    expect(rig.received.map(numberOf)).toEqual([7])
  })

  it('TXQ-14 frees and counts a frame longer than the device takes', () => {
    start()
    rig.send(frame(1519))
    rig.kernel.runFor(MS)
    expect(rig.wire).toEqual([])
    expect(stats()).toMatchObject({ txPackets: 0n, txErrors: 1n })
  })
})

describe('receive', () => {
  it('RX-06 counts what found no buffer as missed', () => {
    start({ rxRing: 8 })
    const taken = rig.offer(...Array.from({ length: 20 }, (_, i) => frame(60, i)))
    rig.kernel.runFor(MS)
    expect(taken.filter(Boolean)).toHaveLength(8)
    expect(stats()).toMatchObject({ rxPackets: 8n, rxMissedErrors: 12n, rxDropped: 0n })
    expect(rig.received.map(numberOf)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('RX-07 takes 1,514 bytes, 1,518 with a VLAN tag, and no more', () => {
    start()
    const tagged = frame(1518)
    tagged.set([0x81, 0], 12)
    rig.offer(frame(1514), tagged, frame(1515), frame(1519))
    rig.kernel.runFor(MS)
    expect(stats()).toMatchObject({ rxPackets: 2n, rxErrors: 2n, rxLengthErrors: 2n })
  })

  it.each([0, 1, 5, 13])('RX-08 counts a frame of %i bytes as an error', (length) => {
    start()
    rig.offer(frame(length))
    rig.kernel.runFor(MS)
    expect(stats()).toMatchObject({ rxPackets: 0n, rxErrors: 1n })
  })

  it('a frame of 64 KiB is an error and no harm', () => {
    start()
    rig.offer(frame(65_536), frame(60, 3))
    rig.kernel.runFor(MS)
    expect(rig.received.map(numberOf)).toEqual([3])
  })

  it('RX-09 drops frames for others', () => {
    start()
    rig.offer(
      frame(60, 1, [2, 0, 0, 0, 0, 1]),
      frame(60, 2, [2, 0, 0, 0, 0, 9]),
      frame(60, 3, [1, 0, 0x5e, 0, 0, 5]),
      frame(60, 4),
    )
    rig.kernel.runFor(MS)
    expect(rig.received.map(numberOf)).toEqual([1, 4])
    expect(rig.card.counters.rxFiltered).toBe(2)
  })

  it('RX-05 recycles the page when no fresh one can be had, and recovers', () => {
    start({ rxRing: 8 })
    const { pool } = rig.dev.priv.queues[0]!
    pool.fail = () => true
    for (let i = 0; i < 30; i++) {
      rig.offer(frame(60, i))
      rig.kernel.runFor(MS)
    }
    expect(stats()).toMatchObject({ rxPackets: 0n, rxDropped: 30n })
    pool.fail = null
    rig.offer(frame(60, 77))
    rig.kernel.runFor(MS)
    expect(rig.received.map(numberOf)).toEqual([77])
  })

  it('NAPI-05 takes 200 frames in polls of 64', () => {
    start()
    const polls: number[] = []
    rig.kernel.trace.on('napi:napi_poll', (e) => polls.push(e.fields['work'] as number))
    rig.offer(...Array.from({ length: 200 }, (_, i) => frame(60, i)))
    rig.kernel.runFor(MS)
    expect(polls).toEqual([64, 64, 64, 8])
    expect(rig.received.map(numberOf)).toEqual(Array.from({ length: 200 }, (_, i) => i))
  })

  it('NAPI-13 does not lose a frame that arrives between complete and unmask', () => {
    start()
    let n = 0
    rig.kernel.preemptHook = (point) => {
      if (point === 'napi:before-unmask' && n < 5) rig.card.receive(frame(60, ++n), 0, 60)
    }
    rig.offer(frame(60, 0))
    rig.kernel.runFor(MS)
    expect(rig.received.map(numberOf)).toEqual([0, 1, 2, 3, 4, 5])
  })
})

describe('settings', () => {
  it('MTU-03 takes longer frames right after the MTU grew', () => {
    start({ maxMtu: 9000 })
    rig.offer(frame(9014))
    rig.kernel.rtnl.run(() => devSetMtu(rig.dev, 9000))
    rig.offer(frame(9014, 5))
    rig.send(frame(9014, 6))
    rig.kernel.runFor(MS)
    expect(rig.received.map((f) => f.length)).toEqual([9014])
    expect(rig.wire.map((f) => f.length)).toEqual([9014])
  })

  it('LINK-01 follows the cable', () => {
    start()
    expect(netifCarrierOk(rig.dev)).toBe(true)
    rig.cable.cut()
    rig.kernel.runFor(MS)
    expect(netifCarrierOk(rig.dev)).toBe(false)
    rig.cable.repair()
    rig.kernel.runFor(MS)
    expect(netifCarrierOk(rig.dev)).toBe(true)
    rig.send(frame(60, 1))
    rig.kernel.runFor(MS)
    expect(rig.wire).toHaveLength(1)
  })
})
