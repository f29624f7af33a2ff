import { createKernel, type Errno } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  consumeSkb,
  defaultQdisc,
  devClose,
  devGraftRoot,
  devOpen,
  devQueueXmit,
  MqQdisc,
  type NetDevice,
  netifSetRealNumQueues,
  netifSetRealNumRxQueues,
  netifSetRealNumTxQueues,
  netifTxStopAllQueues,
  netifTxWakeAllQueues,
  noqueueQdiscOps,
  PfifoFastQdisc,
  pfifoFastQdiscOps,
  Qdisc,
  qdiscAllTxEmpty,
  qdiscLookup,
  type QdiscOps,
  qdiscStats,
  registerQdisc,
  setDefaultQdisc,
  type SkBuff,
  unregisterQdisc,
} from '../../src/index.ts'
import { frame, liveSkbs, logTexts, makeDev, reported } from '../helpers.ts'

class Stack extends Qdisc {
  readonly #skbs: SkBuff[] = []
  constructor(dev: NetDevice<any>, txq: NonNullable<Qdisc['txq']>) {
    super('stack', dev, txq)
  }
  override enqueue(skb: SkBuff): number {
    this.#skbs.push(skb)
    this.qlen++
    return 0
  }
  override dequeue(): SkBuff | null {
    const skb = this.#skbs.pop() ?? null
    if (skb !== null) this.qlen--
    return skb
  }
  protected override resetQueue(): void {
    for (const skb of this.#skbs.splice(0)) this.drop(skb)
  }
}
const stackOps: QdiscOps = { id: 'stack', create: (dev, txq) => new Stack(dev, txq) }

function code(fn: () => void): string {
  try {
    fn()
  } catch (error) {
    return (error as Errno).code
  }
  return 'ok'
}

describe('several queues', () => {
  it('mq stands at the root and adds up its children', () => {
    const { dev } = makeDev({ ndoSelectQueue: (_dev, skb) => skb.mark }, { txqs: 3 })
    expect(dev.qdisc).toBeInstanceOf(MqQdisc)
    expect(dev.qdisc.id).toBe('mq')
    for (const mark of [0, 1, 1, 2, 2, 2]) {
      const skb = frame(dev)
      skb.mark = mark
      devQueueXmit(skb)
    }
    expect(dev.qdisc.children.map((child) => child.packets)).toEqual([1, 2, 3])
    expect(qdiscStats(dev.qdisc)).toMatchObject({ packets: 6, bytes: 360, drops: 0 })
  })

  it('MQ-01 the real number of queues stays between 1 and what was allocated', () => {
    const { kernel, dev } = makeDev({}, { txqs: 4, rxqs: 2 })
    const run = (fn: () => void) => code(() => kernel.rtnl.run(fn))
    for (const count of [0, 5, 1.5, -1]) expect(run(() => netifSetRealNumTxQueues(dev, count))).toBe('EINVAL')
    for (const count of [0, 3]) expect(run(() => netifSetRealNumRxQueues(dev, count))).toBe('EINVAL')
    expect(run(() => netifSetRealNumQueues(dev, 5, 1))).toBe('EINVAL')
    expect([dev.realNumTxQueues, dev.realNumRxQueues]).toEqual([4, 2])
    expect(run(() => netifSetRealNumQueues(dev, 2, 1))).toBe('ok')
    expect([dev.realNumTxQueues, dev.realNumRxQueues]).toEqual([2, 1])
  })

  it('MQ-01 shrinking drops what waits in the queues taken away, and counts it', () => {
    const { kernel, dev } = makeDev({ ndoSelectQueue: (_dev, skb) => skb.mark }, { txqs: 4 })
    netifTxStopAllQueues(dev)
    for (let i = 0; i < 16; i++) {
      const skb = frame(dev)
      skb.mark = i % 4
      devQueueXmit(skb)
    }
    kernel.rtnl.run(() => netifSetRealNumTxQueues(dev, 2))
    expect(dev.qdisc.children.map((child) => [child.qlen, child.drops])).toEqual([
      [4, 0],
      [4, 0],
      [0, 4],
      [0, 4],
    ])
    expect(qdiscAllTxEmpty(dev)).toBe(false)
    netifTxWakeAllQueues(dev)
    kernel.runFor(0)
    expect(qdiscAllTxEmpty(dev)).toBe(true)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('MQ-01 changing the count of a registered device without rtnl is reported', () => {
    const { dev } = makeDev({}, { txqs: 2 })
    expect(reported(() => netifSetRealNumTxQueues(dev, 1))).toBe('CTX-01')
  })

  it('MQ-03 all packets of a flow take one queue, and many flows take them all', () => {
    const { dev } = makeDev(
      { ndoStartXmit: (skb) => (used.push(skb.queueMapping), consumeSkb(skb), 0) },
      { txqs: 8 },
    )
    let used: number[] = []
    const all = new Set<number>()
    for (let flow = 0; flow < 200; flow++) {
      used = []
      for (let i = 0; i < 3; i++) devQueueXmit(udp(dev, flow))
      expect(new Set(used).size).toBe(1)
      all.add(used[0]!)
    }
    expect(all.size).toBe(8)
  })

  it('a driver that selects a queue that is not there gets queue 0, and a line in the log', () => {
    const { kernel, dev } = makeDev({ ndoSelectQueue: () => 7 }, { txqs: 2 })
    devQueueXmit(frame(dev))
    expect(dev.qdisc.children[0]!.packets).toBe(1)
    expect(logTexts(kernel).at(-1)).toBe('test0: selects TX queue 7, but real number of TX queues is 2')
  })
})

describe('other disciplines', () => {
  it('are known by name, and one can be the default', () => {
    const kernel = createKernel()
    expect(defaultQdisc(kernel)).toBe(pfifoFastQdiscOps)
    registerQdisc(kernel, stackOps)
    expect(code(() => registerQdisc(kernel, stackOps))).toBe('EEXIST')
    setDefaultQdisc(kernel, 'stack')
    expect(code(() => setDefaultQdisc(kernel, 'none'))).toBe('ENOENT')
    const { dev } = makeDev({}, { kernel })
    expect(dev.qdisc).toBeInstanceOf(Stack)
    unregisterQdisc(kernel, stackOps)
    expect(code(() => unregisterQdisc(kernel, stackOps))).toBe('ENOENT')
    expect(qdiscLookup(kernel, 'noqueue')).toBe(noqueueQdiscOps)
    expect(qdiscLookup(createKernel(), 'stack')).toBeUndefined()
  })

  it('one that does not let packets pass it by gets every packet', () => {
    const { kernel, dev } = makeDev({}, { kernel: withStack() })
    devQueueXmit(frame(dev))
    expect(dev.txq[0]!.qdisc.packets).toBe(0)
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('replacing the root drops what waits and sends by the new one', () => {
    const wire: number[] = []
    const { kernel, dev } = makeDev({ ndoStartXmit: (skb) => (wire.push(skb.mark), consumeSkb(skb), 0) })
    const send = (mark: number) => {
      const skb = frame(dev)
      skb.mark = mark
      devQueueXmit(skb)
    }
    netifTxStopAllQueues(dev)
    for (let i = 0; i < 5; i++) send(i)
    const old = dev.qdisc
    kernel.rtnl.run(() => devGraftRoot(dev, stackOps))
    expect([old.qlen, old.drops, dev.qdisc.id]).toEqual([0, 5, 'stack'])
    for (let i = 10; i < 14; i++) send(i)
    netifTxWakeAllQueues(dev)
    kernel.runFor(0)
    expect(wire).toEqual([13, 12, 11, 10])
    expect(liveSkbs(kernel)).toBe(0)
  })

  it('a root for each queue of a device with several, kept while the device is down', () => {
    const { kernel, dev } = makeDev({}, { txqs: 2 })
    kernel.rtnl.run(() => devClose(dev))
    kernel.rtnl.run(() => devGraftRoot(dev, stackOps))
    expect(dev.txq.map((txq) => [txq.qdisc.id, txq.qdiscSleeping.id])).toEqual([
      ['noop', 'stack'],
      ['noop', 'stack'],
    ])
    kernel.rtnl.run(() => devOpen(dev))
    expect(dev.txq.map((txq) => txq.qdisc.id)).toEqual(['stack', 'stack'])
    kernel.rtnl.run(() => devGraftRoot(dev, { id: 'mq', create: pfifoFastQdiscOps.create }))
    expect(dev.txq.every((txq) => txq.qdisc instanceof PfifoFastQdisc)).toBe(true)
    kernel.rtnl.run(() => devGraftRoot(dev, noqueueQdiscOps))
    expect(dev.qdisc.id).toBe('noqueue')
  })

  it('mq, noop and noqueue hold nothing', () => {
    const { kernel, dev } = makeDev({}, { txqs: 2 })
    for (const qdisc of [dev.qdisc, dev.noop, noqueueQdiscOps.create(dev, dev.txq[0]!)]) {
      expect(qdisc.enqueue(frame(dev))).not.toBe(0)
      expect(qdisc.dequeue()).toBeNull()
      qdisc.reset()
      expect(qdisc.drops).toBe(1)
    }
    expect(liveSkbs(kernel)).toBe(0)
  })
})

function withStack() {
  const kernel = createKernel()
  registerQdisc(kernel, stackOps)
  setDefaultQdisc(kernel, 'stack')
  return kernel
}

/** An Ethernet frame with IPv4 and UDP; the source port makes the flow. */
function udp(dev: NetDevice<any>, flow: number): SkBuff {
  const skb = frame(dev, 60)
  const { mem, data } = skb
  mem.set([0x08, 0x00, 0x45, 0, 0, 46], data + 12)
  mem[data + 23] = 17
  mem.set([10, 0, 0, 1, 10, 0, 0, 2], data + 26)
  mem.set([flow >> 8, flow & 255, 0, 53], data + 34)
  skb.protocol = 0x0800
  skb.networkHeader = data + 14
  return skb
}
