import { describe, expect, it } from 'vitest'
import {
  devClose,
  devOpen,
  devQueueXmit,
  type NetDevice,
  netdevGetTxQueue,
  netifCarrierOff,
  netifCarrierOn,
  netifDeviceAttach,
  netifDeviceDetach,
  netifQueueStopped,
  netifStartQueue,
  netifStopQueue,
  netifTxDisable,
  netifTxQueueStopped,
  netifTxStartQueue,
  netifTxStopAllQueues,
  netifTxStopQueue,
  netifTxWakeAllQueues,
  netifTxWakeQueue,
  netifWakeQueue,
  ScheduleBlocked,
} from '../src/index.ts'
import { frame, lenient, liveSkbs, makeDev, reported, rules } from './helpers.ts'
import { Ring, ringOps } from './ring-driver.ts'

function ringDev(
  size: number,
  init: { setup?: (ring: Ring) => void; ops?: Parameters<typeof ringOps>[0]; options?: object } = {},
) {
  const ring = new Ring(size)
  init.setup?.(ring)
  const made = makeDev(ringOps(init.ops), { priv: ring, options: init.options ?? {} })
  return { ...made, ring, txq: made.dev.txq[0]! }
}

function send(dev: NetDevice<any>, count: number, from = 0): void {
  for (let i = 0; i < count; i++) {
    const skb = frame(dev)
    skb.mem[skb.data] = from + i
    devQueueXmit(skb)
  }
}

describe('stopping and waking', () => {
  it('a stopped queue keeps packets, and TXQ-09 a wake sends them while a start does not', () => {
    const { kernel, dev, ring, txq } = ringDev(8)
    netifTxStopQueue(txq)
    send(dev, 3)
    expect(ring.prod).toBe(0)
    netifTxStartQueue(txq)
    kernel.runFor(1e9)
    expect(ring.prod).toBe(0)
    netifTxStopQueue(txq)
    netifTxWakeQueue(txq)
    kernel.runFor(0)
    expect(ring.wire).toEqual([0, 1, 2])
  })

  it('TXQ-13 a stopped queue gets no ndoStartXmit, also in the middle of a burst', () => {
    const { dev, ring, txq } = ringDev(3)
    send(dev, 10)
    expect(ring.prod).toBe(3)
    expect(netifTxQueueStopped(txq)).toBe(true)
    expect(txq.qdisc.qlen).toBe(7)
    expect(rules(dev.kernel)).toEqual([])
  })

  it('TXQ-12 order is kept through stops, requeues and wakes', () => {
    const { kernel, dev, ring } = ringDev(4)
    for (let round = 0; round < 20; round++) {
      send(dev, 5, round * 5)
      ring.complete(dev, (round * 7) % 5)
      kernel.runFor(0)
    }
    while (ring.prod < 100) {
      ring.complete(dev, 4)
      kernel.runFor(0)
    }
    expect(ring.wire).toEqual(Array.from({ length: 100 }, (_, i) => i))
    ring.complete(dev, 4)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('STAT-14 counts stops and wakes; stops are never behind, and at most one ahead', () => {
    const { kernel, dev, ring, txq } = ringDev(4)
    const before = { stops: txq.stops, wakes: txq.wakes }
    for (let i = 0; i < 50; i++) {
      send(dev, 5)
      ring.complete(dev, 1 + (i % 4))
      kernel.runFor(0)
      expect(txq.stops - txq.wakes).toBeGreaterThanOrEqual(0)
      expect(txq.stops - txq.wakes).toBeLessThanOrEqual(1)
    }
    expect(txq.stops).toBeGreaterThan(before.stops + 5)
    expect(txq.wakes).toBeGreaterThan(before.wakes + 5)
  })

  it('TXQ-07 wakes only when startThrs descriptors are free, not at each completion', () => {
    const { dev, ring, txq } = ringDev(8, { setup: (r) => void (r.startThrs = 4) })
    send(dev, 12)
    for (let i = 0; i < 4; i++) ring.complete(dev, 1)
    expect(ring.wakes).toEqual([-1, -1, -1, 0])
    expect(txq.wakes).toBe(1)
  })

  it('TXQ-06 completed packets of nothing wake nothing', () => {
    const { dev, ring, txq } = ringDev(2)
    send(dev, 3)
    ring.complete(dev, 0)
    expect(ring.wakes).toEqual([-1])
    expect(netifTxQueueStopped(txq)).toBe(true)
  })

  it('TXQ-10 does not wake without carrier, and makes up for it when the carrier is back', () => {
    const { kernel, dev, ring, txq } = ringDev(4)
    send(dev, 4)
    netifCarrierOff(dev)
    ring.complete(dev, 4)
    expect(ring.wakes).toEqual([1])
    expect(netifTxQueueStopped(txq)).toBe(true)
    kernel.runFor(2e9)
    netifCarrierOn(dev)
    kernel.runFor(2e9)
    expect(netifTxQueueStopped(txq)).toBe(false)
    send(dev, 2)
    expect(ring.prod).toBe(6)
  })

  it('TXQ-10 does not wake while the device is going down', () => {
    let wake = 0
    const { kernel, dev, ring } = ringDev(4, {
      ops: {
        ndoStop(d) {
          netifTxDisable(d)
          d.priv.complete(d, 4)
          wake = d.priv.wakes.at(-1)!
        },
      },
    })
    send(dev, 4)
    kernel.rtnl.run(() => devClose(dev))
    expect(wake).toBe(1)
    expect(ring.avail()).toBe(4)
    expect(netifTxQueueStopped(dev.txq[0]!)).toBe(true)
  })

  it('TXQ-11 waking a full queue by hand corrupts nothing: xmit says BUSY and the packet goes later', () => {
    const { kernel, dev, ring, txq } = ringDev(4)
    send(dev, 5)
    netifTxWakeQueue(txq)
    kernel.runFor(0)
    expect(txq.busy).toBe(1)
    expect(rules(kernel)).toEqual([])
    ring.complete(dev, 4)
    kernel.runFor(0)
    expect(ring.wire).toEqual([0, 1, 2, 3, 4])
  })

  it('detaching stops the queues, attaching wakes them', () => {
    const { kernel, dev, ring } = ringDev(8)
    netifDeviceDetach(dev)
    netifDeviceDetach(dev)
    send(dev, 2)
    expect(ring.prod).toBe(0)
    netifDeviceAttach(dev)
    netifDeviceAttach(dev)
    kernel.runFor(0)
    expect(ring.prod).toBe(2)
  })

  it('the calls without a queue mean queue 0, and the others all queues', () => {
    const { dev } = makeDev({}, { txqs: 3 })
    netifStopQueue(dev)
    expect(dev.txq.map(netifTxQueueStopped)).toEqual([true, false, false])
    expect(netifQueueStopped(dev)).toBe(true)
    netifStartQueue(dev)
    netifTxStopAllQueues(dev)
    netifWakeQueue(dev)
    expect(dev.txq.map(netifTxQueueStopped)).toEqual([false, true, true])
    netifTxWakeAllQueues(dev)
    expect(dev.txq.map(netifTxQueueStopped)).toEqual([false, false, false])
    expect(netdevGetTxQueue(dev, 2).index).toBe(2)
    expect(() => netdevGetTxQueue(dev, 3)).toThrow(RangeError)
  })
})

describe('races', () => {
  /** A driver's xmit that stops and never looks again. */
  const forgetful: Parameters<typeof ringOps>[0] = {
    ndoStartXmit(skb, dev) {
      const ring = dev.priv
      if (ring.avail() === 0) throw new Error('overrun')
      ring.put(skb)
      if (ring.avail() < ring.stopThrs) {
        dev.kernel.preemptHook?.('xmit:before-stop')
        netifTxStopQueue(dev.txq[0]!)
      }
      return 0
    },
  }

  /** Lets the card finish everything at one visit of a preemption point, and says what is left waiting at the end. */
  function stallWith(ops: Parameters<typeof ringOps>[0], point: string, visit: number): number {
    const { kernel, dev, ring, txq } = ringDev(4, { ops })
    let visits = 0
    kernel.preemptHook = (at) => {
      if (at !== point || visits++ !== visit) return
      const hook = kernel.preemptHook
      kernel.preemptHook = null
      ring.complete(dev, 4)
      kernel.preemptHook = hook
    }
    send(dev, 6)
    kernel.runFor(1e9)
    kernel.preemptHook = null
    return txq.qdisc.qlen
  }

  it('TXQ-05 a completion around the stop does not stall the queue', () => {
    expect(stallWith({}, 'xmit:before-stop', 0)).toBe(0)
    expect(stallWith({}, 'xmit:after-stop', 0)).toBe(0)
  })

  it('TXQ-05 a driver without the second look stalls in that schedule', () => {
    expect(stallWith(forgetful, 'xmit:before-stop', 0)).toBeGreaterThan(0)
  })

  it('TXQ-05 the helper says it started the queue again', () => {
    const { kernel, dev, ring } = ringDev(2)
    kernel.preemptHook = (at) => {
      if (at === 'xmit:before-stop') ring.complete(dev, 2)
    }
    send(dev, 2)
    expect(ring.stops).toEqual([1, -1])
  })

  it('TXQ-05 TXQ-06 no choice of completions at the preemption points stalls the queue, duplicates or loses a frame', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { kernel, dev, ring, txq } = ringDev(3, {
        setup: (r) => void (r.bql = seed % 2 === 0),
        options: { seed },
      })
      let inside = false
      const choices: string[] = []
      kernel.preemptHook = (at) => {
        if (inside || !kernel.rng.chance(0.5)) return
        inside = true
        const n = 1 + kernel.rng.below(3)
        choices.push(`${at}:${n}`)
        ring.complete(dev, n)
        inside = false
      }
      for (let i = 0; i < 40; i++) {
        send(dev, 1, i)
        if (kernel.rng.chance(0.3)) ring.complete(dev, 1 + kernel.rng.below(3))
        kernel.runFor(0)
      }
      kernel.preemptHook = null
      for (let i = 0; i < 60 && (ring.prod < 40 || ring.clean < ring.prod); i++) {
        ring.complete(dev, 3)
        kernel.runFor(0)
      }
      expect({ seed, choices, left: txq.qdisc.qlen, wire: ring.wire }).toEqual({
        seed,
        choices,
        left: 0,
        wire: Array.from({ length: 40 }, (_, i) => i),
      })
      expect(liveSkbs(kernel)).toBe(0)
    }
  })

  /** Changes the ring under a running xmit, stopping the queues with `stop` first. */
  function resizeDuringXmit(stop: (dev: NetDevice<any>) => void): { blocked: boolean; lost: boolean } {
    const { kernel, dev, ring } = ringDev(4, {
      ops: {
        ndoStartXmit(skb, d) {
          d.priv.put(skb)
          d.kernel.preemptHook?.('xmit:before-doorbell')
          // The card reads the descriptor it was told of.
          if (d.priv.slots[(d.priv.prod - 1) % d.priv.size] === null) lost = true
          return 0
        },
      },
    })
    let blocked = false
    let lost = false
    kernel.preemptHook = (at) => {
      if (at !== 'xmit:before-doorbell') return
      try {
        stop(dev)
        ring.drain()
      } catch (error) {
        if (!(error instanceof ScheduleBlocked)) throw error
        blocked = true
      }
    }
    send(dev, 1)
    kernel.preemptHook = null
    return { blocked, lost }
  }

  it('STOP-02 netifTxDisable waits for a running xmit: the schedule in which it does not is impossible', () => {
    expect(resizeDuringXmit(netifTxDisable)).toEqual({ blocked: true, lost: false })
  })

  it('STOP-02 a driver that only stops the queues takes the ring away under a running xmit', () => {
    expect(resizeDuringXmit(netifTxStopAllQueues)).toEqual({ blocked: false, lost: true })
  })

  it('STOP-02 a blocked stop has changed nothing, and goes through once the xmit is over', () => {
    const { kernel, dev, txq, ring } = ringDev(4)
    let blocked: unknown = null
    kernel.preemptHook = (at) => {
      if (at !== 'xmit:after-stop') return
      try {
        netifTxDisable(dev)
      } catch (error) {
        blocked = error
      }
    }
    send(dev, 4)
    kernel.preemptHook = null
    expect(blocked).toMatchObject({ lock: 'the xmit lock of test0 queue 0' })
    expect(ring.prod).toBe(4)
    netifTxDisable(dev)
    expect(netifTxQueueStopped(txq)).toBe(true)
  })

  it('STOP-02 an xmit at stop:after-queues finds the queue stopped', () => {
    const { kernel, dev, ring } = ringDev(4)
    const points: string[] = []
    kernel.preemptHook = (at) => {
      points.push(at)
      send(dev, 1)
    }
    netifTxDisable(dev)
    kernel.preemptHook = null
    expect(points).toEqual(['stop:after-queues'])
    expect(ring.prod).toBe(0)
    kernel.rtnl.run(() => devClose(dev))
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('STOP-02 a driver that disables its queues inside its own xmit waits for itself: reported', () => {
    const { dev } = makeDev({
      ndoStartXmit(_skb, d) {
        netifTxDisable(d)
        return 0
      },
    })
    const skb = frame(dev)
    expect(reported(() => devQueueXmit(skb))).toBe('STOP-02')
    expect(dev.txq[0]!.xmitLocked).toBe(false)
    expect(dev.txq[0]!.qdisc.running).toBe(false)
  })

  it('STOP-06 closing at random moments under traffic loses and leaks nothing', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { kernel, dev, ring } = ringDev(4, { options: { ...lenient, seed } })
      for (let i = 0; i < 30; i++) {
        send(dev, kernel.rng.below(6))
        if (kernel.rng.chance(0.4)) ring.complete(dev, kernel.rng.below(4))
        if (kernel.rng.chance(0.2)) kernel.rtnl.run(() => devClose(dev))
        kernel.rtnl.run(() => devOpen(dev))
        kernel.runFor(0)
      }
      kernel.rtnl.run(() => devClose(dev))
      expect([seed, liveSkbs(kernel), rules(kernel)]).toEqual([seed, 0, []])
    }
  })
})
