/** Transmit with the card in a worker: this thread has the stack and the driver, the other fetches and copies. */
import { cpus } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createKernel } from '@vnet/kernel'
import { devOpen, devQueueXmit, netifCarrierOk } from '@vnet/netdev'
import { createRemoteCard, createVnet } from '@vnet/vnet'
import type { Contestant } from '../contestant.ts'
import { expect, fill, frameTo, take, type Dev } from './path.ts'
import { pin, threadIds } from './threads.ts'

const RING = 256
/** Packets that may wait in the queueing discipline before the sender looks for completions. */
const MOST_WAITING = 256

export async function remote([lengthText, burstText]: readonly string[]): Promise<Contestant> {
  const [length, burst] = [Number(lengthText), Number(burstText)]
  const kernel = createKernel({ strict: false, checks: false, sharedMemory: true })
  const before = threadIds()
  const worker = new Worker(new URL('./card-worker.mjs', import.meta.url))
  const hw = createRemoteCard(kernel, {
    channel: {
      send: (message) => worker.postMessage(message),
      receive: (fn) => void worker.on('message', fn),
    },
  })
  const dev = createVnet(kernel, { hw, txRing: RING, rxRing: RING }) as Dev
  kernel.rtnl.run(() => devOpen(dev))
  while (!netifCarrierOk(dev)) {
    hw.poll()
    kernel.runFor(1_000)
    await turn()
  }
  worker.unref()
  pin([process.pid], 0)
  pin(
    threadIds().filter((id) => !before.includes(id)),
    cpus().length - 1,
  )
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
        for (let i = 0; i < burst; i++) devQueueXmit(take(dev, length))
        do look()
        while (txq!.qdisc.qlen > MOST_WAITING)
      }
      while (txq!.dql.inflight > 0 || txq!.qdisc.qlen > 0) look()
    },
    verify: () => expect(kernel, sent, Number(dev.ops.ndoGetStats64 === undefined ? 0 : sentBy(dev))),
  }
}

function sentBy(dev: Dev): bigint {
  const stats = { txPackets: 0n } as Parameters<NonNullable<typeof dev.ops.ndoGetStats64>>[1]
  dev.ops.ndoGetStats64!(dev, stats)
  return stats.txPackets
}
