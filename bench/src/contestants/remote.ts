/** Transmit with the card in a worker: this thread has the stack and the driver, the other fetches and copies. */
import { once } from 'node:events'
import { cpus } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type Kernel, createKernel } from '@vnet/kernel'
import { devOpen, devQueueXmit, netifCarrierOk } from '@vnet/netdev'
import { type RemoteCard, createRemoteCard, createVnet } from '@vnet/vnet'
import type { Contestant } from '../contestant.ts'
import { expect, fill, frameTo, sendList, take, type Dev } from './path.ts'
import { pin, threadIds } from './threads.ts'

const RING = 256
/** Packets that may wait in the queueing discipline before the sender looks for completions. */
const MOST_WAITING = 256

/** A device whose card runs in workers, a queue each, and is up. */
export interface RemoteRig {
  readonly kernel: Kernel
  readonly dev: Dev
  readonly hw: RemoteCard
  readonly workers: readonly Worker[]
}

/**
 * Starts it: this thread on the first processor, the workers from the last one down.
 *
 * @param cable - what is on the other side: see `card-worker.ts`
 */
export async function remoteRig(threads: number, ring: number, cable: 'sink' | 'fcs'): Promise<RemoteRig> {
  const kernel = createKernel({ strict: false, checks: false, sharedMemory: true })
  const workers: Worker[] = []
  const own: number[][] = []
  for (let i = 0; i < threads; i++) {
    const before = threadIds()
    workers.push(new Worker(new URL('./card-worker.mjs', import.meta.url), { workerData: cable }))
    await once(workers[i]!, 'online')
    own.push(threadIds().filter((id) => !before.includes(id)))
  }
  const channels = workers.map((worker) => ({
    send: (message: unknown) => worker.postMessage(message),
    receive: (fn: (message: unknown) => void) => void worker.on('message', fn),
  }))
  const hw = createRemoteCard(kernel, { channels })
  const dev = createVnet(kernel, { hw, txRing: ring, rxRing: RING }) as Dev
  kernel.rtnl.run(() => devOpen(dev))
  while (!netifCarrierOk(dev)) {
    hw.poll()
    kernel.runFor(1_000)
    await turn()
  }
  for (const worker of workers) worker.unref()
  const last = cpus().length - 1
  own.forEach((ids, i) => pin(ids, Math.max(0, last - i)))
  pin([process.pid], 0)
  return { kernel, dev, hw, workers }
}

export async function remote([lengthText, burstText, how]: readonly string[]): Promise<Contestant> {
  const [length, burst] = [Number(lengthText), Number(burstText)]
  const { kernel, dev, hw } = await remoteRig(1, RING, 'sink')
  fill(dev, frameTo(2, length), RING * 2)
  const [txq] = dev.txq
  // As /sys/class/net/…/byte_queue_limits/limit_min: the other core is far away, so more must be on its way to it.
  txq!.dql.minLimit = (RING / 2) * length
  const look = (): void => {
    if (hw.poll()) kernel.runFor(1_000)
  }
  let sent = 0
  return {
    ops: burst,
    run(times) {
      sent += times * burst
      for (let t = 0; t < times; t++) {
        if (how === 'list') sendList(dev, length, burst)
        else for (let i = 0; i < burst; i++) devQueueXmit(take(dev, length))
        do look()
        while (txq!.qdisc.qlen > MOST_WAITING)
      }
      while (txq!.dql.inflight > 0 || txq!.qdisc.qlen > 0) look()
    },
    verify: () => expect(kernel, sent, sentBy(dev)),
  }
}

/** Packets the device says it sent. */
export function sentBy(dev: Dev): number {
  const stats = { txPackets: 0n } as Parameters<NonNullable<typeof dev.ops.ndoGetStats64>>[1]
  dev.ops.ndoGetStats64!(dev, stats)
  return Number(stats.txPackets)
}
