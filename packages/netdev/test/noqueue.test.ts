import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  consumeSkb,
  devGetStats,
  devQueueXmit,
  IffPriv,
  NET_XMIT_SUCCESS,
  type NetDevice,
  NETDEV_TX_BUSY,
  netifTxStopQueue,
} from '../src/index.ts'
import { frame, liveSkbs, logTexts, makeDev, type TestOps } from './helpers.ts'

const noqueue = { setup: (dev: NetDevice<any>) => void (dev.privFlags |= IffPriv.NO_QUEUE) }

describe('devices without a queue', () => {
  it('take packets at once, and lose them when stopped', () => {
    const { kernel, dev } = makeDev({}, noqueue)
    expect(dev.qdisc.id).toBe('noqueue')
    expect(devQueueXmit(frame(dev))).toBe(NET_XMIT_SUCCESS)
    netifTxStopQueue(dev.txq[0]!)
    expect(devQueueXmit(frame(dev))).toBe(-100)
    expect(devGetStats(dev).txDropped).toBe(1n)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('a BUSY from one loses the packet and is said in the log', () => {
    const { kernel, dev } = makeDev(
      {
        ndoStartXmit(_skb, d) {
          netifTxStopQueue(d.txq[0]!)
          return NETDEV_TX_BUSY
        },
      },
      noqueue,
    )
    expect(devQueueXmit(frame(dev))).toBe(-100)
    expect(logTexts(kernel).at(-1)).toBe('test0: Virtual device test0 asks to queue packet!')
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('CTX-02 a loop of devices is cut', () => {
    const kernel = createKernel()
    const peers = new Map<NetDevice<any>, NetDevice<any>>()
    const ops: TestOps = {
      ndoStartXmit(skb, dev) {
        skb.dev = peers.get(dev)!
        devQueueXmit(skb)
        return 0
      },
    }
    const a = makeDev(ops, { kernel, ...noqueue }).dev
    const b = makeDev(ops, { kernel, ...noqueue }).dev
    peers.set(a, b).set(b, a)
    devQueueXmit(frame(a))
    expect(logTexts(kernel).at(-1)).toBe('test0: Dead loop on virtual device test0, fix it urgently!')
    expect(devGetStats(a).txDropped).toBe(1n)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('CTX-02 a chain of more than eight devices is cut', () => {
    const kernel = createKernel()
    const chain: NetDevice<any>[] = []
    const ops: TestOps = {
      ndoStartXmit(skb, dev) {
        const next = chain[chain.indexOf(dev) + 1]
        if (next === undefined) consumeSkb(skb)
        else {
          skb.dev = next
          devQueueXmit(skb)
        }
        return 0
      },
    }
    for (let i = 0; i < 12; i++) chain.push(makeDev(ops, { kernel, ...noqueue }).dev)
    devQueueXmit(frame(chain[0]!))
    expect(devGetStats(chain[8]!).txDropped).toBe(1n)
    devQueueXmit(frame(chain[4]!))
    expect(chain.reduce((sum, dev) => sum + dev.coreStats.txDropped, 0)).toBe(1)
    expect(liveSkbs(kernel)).toBe(0)
  })
})
