import { setTimeout as sleep } from 'node:timers/promises'
import { devOpen, devQueueXmit } from '@vnet/netdev'
import { type Dev, expect, fill, frameTo, newKernel, openDevice, take } from '../contestants/path.ts'
import { type RemoteRig, remoteRig, sentBy } from '../contestants/remote.ts'
import { FcsBackend } from '../contestants/sink.ts'
import type { Measure } from '../measures.ts'
import { spreadOf } from '../stats.ts'

/** This thread sleeps, and takes a while to wake: the card must have enough until then. */
const RING = 2048
/** Packets that wait in each queue's qdisc while this thread sleeps; it holds a thousand. */
const WAITING = 900
const BURST = 32

/** A card of two queues on two workers, against one queue on one worker, and against everything in one thread. */
export async function queues(quick: boolean): Promise<Measure[]> {
  return [...(await gain(1514, quick)), ...(await gain(60, quick))]
}

async function gain(length: number, quick: boolean): Promise<Measure[]> {
  const packets = quick ? 4_000 : 120_000
  const one = await remoteRig(1, RING, 'fcs')
  const two = await remoteRig(2, RING, 'fcs')
  const here = inOneThread(length)
  for (const { dev } of [one, two]) {
    fill(dev, frameTo(2, length), (RING + WAITING) * 2)
    // As limit_min in /sys: as much as the ring has.
    for (const { dql } of dev.txq) dql.minLimit = RING * length
  }
  const second: number[] = []
  const alone: number[] = []
  for (let round = 0; round < (quick ? 2 : 10); round++) {
    const single = await timed(() => send(one, length, packets))
    const both = await timed(() => send(two, length, packets))
    const local = await timed(() => here(packets))
    // The first round warms up.
    if (round === 0) continue
    if (process.env.DBG)
      console.error(length, (single * 1e6) / packets, (both * 1e6) / packets, (local * 1e6) / packets)
    second.push(single / both)
    alone.push(local / both)
  }
  for (const { kernel, dev, workers } of [one, two]) {
    expect(kernel, packets * (quick ? 2 : 10), sentBy(dev))
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  const { median, low, high } = spreadOf(second)
  const value = {
    id: `queues-${length}`,
    label: `two queues on two workers, against one on one: ${length} B, the card computes the FCS`,
    value: median,
    unit: 'x',
    note: `quartiles ${low.toFixed(2)} to ${high.toFixed(2)}; against driver and card in one thread ${spreadOf(alone).median.toFixed(2)}`,
  }
  if (length < 1514) return [value]
  return [{ ...value, target: 'at least 1.6x one core', limit: 1.6, met: median >= 1.6 }]
}

/** Keeps every queue full and sleeps meanwhile: the processor is for the card. */
async function send({ kernel, dev, hw }: RemoteRig, length: number, packets: number): Promise<void> {
  let left = packets
  const { txq } = dev
  for (;;) {
    for (const { index, qdisc } of txq) {
      for (; left > 0 && qdisc.qlen < WAITING; left--) {
        const skb = take(dev, length)
        skb.hash = index === 0 ? 1 : -1
        devQueueXmit(skb)
      }
    }
    if (hw.poll()) kernel.runFor(1_000)
    const idle = txq.every(({ qdisc, dql }) => qdisc.qlen === 0 && dql.inflight === 0)
    if (left === 0 && idle) return
    await sleep(1)
  }
}

/** The same card beside its driver. */
function inOneThread(length: number): (packets: number) => Promise<void> {
  const kernel = newKernel()
  const { dev } = openDevice(kernel, 1, new FcsBackend())
  kernel.rtnl.run(() => devOpen(dev))
  fill(dev as Dev, frameTo(2, length), BURST)
  return async (packets) => {
    for (let sent = 0; sent < packets; sent += BURST) {
      for (let i = 0; i < BURST; i++) devQueueXmit(take(dev, length))
      kernel.runFor(10_000)
    }
  }
}

async function timed(fn: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await fn()
  return performance.now() - start
}
