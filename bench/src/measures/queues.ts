import { setTimeout as sleep } from 'node:timers/promises'
import { devOpen, devQueueXmit } from '@vnet/netdev'
import {
  type Dev,
  expect,
  fill,
  frameTo,
  newKernel,
  openDevice,
  sendList,
  take,
} from '../contestants/path.ts'
import { type RemoteRig, remoteRig, sentBy } from '../contestants/remote.ts'
import { FcsBackend } from '../contestants/sink.ts'
import type { Measure } from '../measures.ts'
import { spreadOf } from '../stats.ts'

/** Packets that wait in each queue's qdisc while this thread sleeps; it holds a thousand. */
const WAITING = 256
const BURST = 32

/** A card of two queues on two workers, against one queue on one worker, and against everything in one thread. */
export async function queues(quick: boolean): Promise<Measure[]> {
  return [...(await gain(1514, 1024, quick)), ...(await gain(60, 2048, quick))]
}

/** This thread sleeps, and takes a while to wake: until then the card lives on what the ring holds. */
async function gain(length: number, ring: number, quick: boolean): Promise<Measure[]> {
  const packets = quick ? 4_000 : 120_000
  const two = await remoteRig(2, ring, 'fcs')
  const one = await remoteRig(1, ring, 'fcs')
  const here = inOneThread(length)
  for (const { dev } of [one, two]) {
    fill(dev, frameTo(2, length), (ring + WAITING) * 2)
    // As limit_min in /sys: as much as the ring has.
    for (const { dql } of dev.txq) dql.minLimit = ring * length
  }
  const second: number[] = []
  const alone: number[] = []
  for (let round = 0; round < (quick ? 2 : 10); round++) {
    const single = await timed(() => send(one, length, packets))
    const both = await timed(() => send(two, length, packets))
    const local = await timed(() => here(packets))
    // The first round warms up.
    if (round === 0) continue
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
      for (; left > 0 && qdisc.qlen < WAITING; left -= BURST)
        sendList(dev, length, BURST, index === 0 ? 1 : -1)
    }
    // Also when the interrupt came from the event loop: ksoftirqd may have some left.
    hw.poll()
    kernel.runFor(1_000)
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
