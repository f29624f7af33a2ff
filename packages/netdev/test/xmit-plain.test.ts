import { describe, expect, it } from 'vitest'
import {
  consumeSkb,
  devAddPack,
  devQueueXmit,
  ETH_P_ALL,
  NETDEV_TX_BUSY,
  NETDEV_TX_OK,
  type NetDevice,
  netifTxStopQueue,
  netifTxWakeQueue,
  type SkBuff,
} from '../src/index.ts'
import { frame, liveSkbs, makeDev } from './helpers.ts'

const quiet = { strict: false, checks: false }

/** What can be seen of a device after traffic. */
function seen(dev: NetDevice<any>) {
  const [txq] = dev.txq
  const { qlen, packets, bytes, requeues, running } = txq!.qdisc
  return { qlen, packets, bytes, requeues, running, locked: txq!.xmitLocked, busy: txq!.busy }
}

/** A driver with room for two packets; the rest it refuses until `drain`. */
function small(checks: boolean) {
  const held: SkBuff[] = []
  const order: number[] = []
  const made = makeDev(
    {
      ndoStartXmit(skb, dev) {
        if (held.length === 2) {
          netifTxStopQueue(dev.txq[0]!)
          return NETDEV_TX_BUSY
        }
        order.push(skb.mark)
        held.push(skb)
        return NETDEV_TX_OK
      },
    },
    { options: { strict: false, checks } },
  )
  const drain = (): void => {
    for (const skb of held.splice(0)) consumeSkb(skb)
    netifTxWakeQueue(made.dev.txq[0]!)
    made.kernel.runFor(1e6)
  }
  const send = (mark: number): void => {
    const skb = frame(made.dev)
    skb.mark = mark
    devQueueXmit(skb)
  }
  return { ...made, order, drain, send }
}

describe('a plain packet nobody looks at', () => {
  it('TXQ-12 goes the same way as one that is watched, also when the driver refuses it', () => {
    const results = [true, false].map((checks) => {
      const { kernel, dev, order, drain, send } = small(checks)
      for (let i = 0; i < 7; i++) send(i)
      const between = seen(dev)
      for (let i = 0; i < 4; i++) drain()
      return { order, between, after: seen(dev), left: liveSkbs(kernel) }
    })
    expect(results[1]).toEqual(results[0])
    expect(results[1]!.order).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(results[1]!.left).toBe(0)
    expect(results[1]!.between.requeues).toBeGreaterThan(0)
  })

  it('leaves the queue usable when the driver throws', () => {
    let fail = true
    const { dev } = makeDev(
      {
        ndoStartXmit(skb) {
          consumeSkb(skb)
          if (fail) throw new Error('broken driver')
          return NETDEV_TX_OK
        },
      },
      { options: quiet },
    )
    expect(() => devQueueXmit(frame(dev))).toThrow('broken driver')
    fail = false
    expect(dev.kernel.cpu.bhDepth).toBe(0)
    expect(devQueueXmit(frame(dev))).toBe(0)
    expect(seen(dev)).toMatchObject({ qlen: 0, running: false, locked: false, packets: 2 })
  })

  it('is shown to a tap and to a listener as soon as there is one', () => {
    const { kernel, dev } = makeDev({}, { options: quiet })
    let tapped = 0
    let traced = 0
    devQueueXmit(frame(dev))
    const end = kernel.trace.on('net:net_dev_xmit', () => traced++)
    expect(kernel.watched).toBe(true)
    devQueueXmit(frame(dev))
    end()
    expect(kernel.watched).toBe(false)
    devQueueXmit(frame(dev))
    devAddPack(kernel, { type: ETH_P_ALL, func: (skb) => (tapped++, consumeSkb(skb), 0) })
    devQueueXmit(frame(dev))
    expect([traced, tapped]).toEqual([1, 1])
    expect(seen(dev).packets).toBe(4)
  })

  it('a driver that sends through its own queue does not enter itself', () => {
    let depth = 0
    let deepest = 0
    let again = 3
    const { dev } = makeDev(
      {
        ndoStartXmit(skb, self) {
          deepest = Math.max(deepest, ++depth)
          consumeSkb(skb)
          if (again-- > 0) devQueueXmit(frame(self))
          depth--
          return NETDEV_TX_OK
        },
      },
      { options: quiet },
    )
    devQueueXmit(frame(dev))
    dev.kernel.runFor(1e6)
    expect(deepest).toBe(1)
    expect(seen(dev)).toMatchObject({ qlen: 0, running: false, locked: false })
  })
})
