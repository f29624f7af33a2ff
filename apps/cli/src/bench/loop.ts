/** What `vnet bench` runs: two devices on a patch cable, frames from the one to the other. */
import { patchCable, type Backend } from '@vnet/backend'
import { createKernel, type Kernel } from '@vnet/kernel'
import { consumeSkb, devAddPack, devOpen, devQueueXmit, netdevAllocSkb, skbPut } from '@vnet/netdev'
import { createCard, createVnet } from '@vnet/vnet'

/** An EtherType for experiments: no offload looks at it. */
const PROTO = 0x88b5
/** Longer than all latencies of a burst together. */
const SETTLE_NS = 10_000

export interface Loop {
  /** Sends that many bursts and lets them arrive. */
  run(bursts: number): void
  readonly sent: number
  readonly received: number
}

function addDevice(kernel: Kernel, last: number, backend: Backend) {
  const hw = createCard(kernel, {
    name: `card${last}`,
    macAddress: Uint8Array.of(2, 0, 0, 0, 0, last),
    backend,
  })
  const dev = createVnet(kernel, { hw })
  kernel.rtnl.run(() => devOpen(dev))
  return dev
}

export function makeLoop(length: number, burst: number): Loop {
  const kernel = createKernel({ strict: false, checks: false })
  const { a, b } = patchCable(kernel)
  const dev = addDevice(kernel, 1, a)
  addDevice(kernel, 2, b)
  // Until the carrier is up and the queues are on.
  kernel.runFor(1e9)
  let sent = 0
  let received = 0
  devAddPack(kernel, {
    type: PROTO,
    func(skb) {
      received++
      consumeSkb(skb)
      return 0
    },
  })
  const frame = new Uint8Array(length)
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, PROTO >> 8, PROTO & 0xff])
  const send = (): void => {
    const skb = netdevAllocSkb(dev, length)
    if (skb === null) return
    const at = skbPut(skb, length)
    skb.mem.set(frame, at)
    skb.protocol = PROTO
    sent++
    devQueueXmit(skb)
  }
  return {
    run(bursts) {
      for (let k = 0; k < bursts; k++) {
        for (let i = 0; i < burst; i++) send()
        kernel.runFor(SETTLE_NS)
      }
    },
    get sent() {
      return sent
    },
    get received() {
      return received
    },
  }
}
