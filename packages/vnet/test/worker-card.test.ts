import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { createKernel, type Kernel } from '@vnet/kernel'
import {
  consumeSkb,
  devAddPack,
  devClose,
  devOpen,
  devQueueXmit,
  netdevAllocSkb,
  netifCarrierOk,
  skbPut,
} from '@vnet/netdev'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CardChannel, createRemoteCard, createVnet, destroyVnet, type RemoteCard } from '../src/index.ts'

const PROTO = 0x88b5
let bundle = ''

/** Node 20 cannot run TypeScript in a worker. The card sends back to itself what it is given. */
beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { parentPort } from 'node:worker_threads'
        import { loopback } from '@vnet/backend'
        import { hostCard } from '@vnet/vnet'
        const channel = { send: (m) => parentPort.postMessage(m), receive: (fn) => parentPort.on('message', fn) }
        const turn = () => new Promise(setImmediate)
        hostCard({ channel, turn, backend: (kernel) => loopback(kernel), now: () => performance.now() * 1e6 })
          .then(() => process.exit(0))`,
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
    },
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    conditions: ['@vnet/source'],
  })
  bundle = outputFiles[0]!.text
})

const workers: Worker[] = []
afterAll(() => Promise.all(workers.map((w) => w.terminate())))

function rig(queues = 1, sharedMemory = true) {
  const kernel = createKernel({ sharedMemory })
  const worker = new Worker(bundle, { eval: true })
  workers.push(worker)
  const channel: CardChannel = {
    send: (message) => worker.postMessage(message),
    receive: (fn) => worker.on('message', fn),
  }
  const hw = createRemoteCard(kernel, { channel, queues })
  const dev = createVnet(kernel, { hw, txRing: 64, rxRing: 64 })
  return { kernel, worker, hw, dev }
}

/** Lets both threads run until `done`, with this one's event loop free. */
async function until(kernel: Kernel, hw: RemoteCard, done: () => boolean): Promise<void> {
  for (let i = 0; i < 20_000 && !done(); i++) {
    for (let k = 0; k < 50 && !done(); k++) {
      hw.poll()
      kernel.runFor(1_000)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(done()).toBe(true)
}

/** What outlives the device, but for the packets' memory, which stays for the next. */
function left(kernel: Kernel): string[] {
  kernel.runFor(1e9)
  return kernel.census
    .take()
    .filter(({ kind }) => kind !== 'memory')
    .map(({ kind, name }) => `${kind} ${name}`)
}

function send(dev: ReturnType<typeof rig>['dev'], mark: number): void {
  const skb = netdevAllocSkb(dev, 60)!
  const at = skbPut(skb, 60)
  skb.mem.fill(0, at, at + 60)
  skb.mem.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 9, 9, PROTO >> 8, PROTO & 255, mark & 255, mark >> 8], at)
  skb.protocol = PROTO
  devQueueXmit(skb)
}

describe('a card in another thread', () => {
  it('RING-06 carries every frame to the card and back, in order and whole', async () => {
    const { kernel, hw, dev } = rig()
    const got: number[] = []
    devAddPack(kernel, {
      type: PROTO,
      func(skb) {
        got.push(skb.mem[skb.data]! | (skb.mem[skb.data + 1]! << 8))
        consumeSkb(skb)
        return 0
      },
    })
    kernel.rtnl.run(() => devOpen(dev))
    await until(kernel, hw, () => netifCarrierOk(dev))
    const all = 3000
    for (let i = 0; i < all; i++) {
      send(dev, i)
      if (i % 32 === 31) await until(kernel, hw, () => got.length > i)
    }
    await until(kernel, hw, () => got.length === all)
    expect(got).toEqual(Array.from({ length: all }, (_, i) => i))
    expect(hw.counters.rxMissed).toBe(0)
    kernel.rtnl.run(() => devClose(dev))
    destroyVnet(dev)
    hw.destroy()
    expect(kernel.violations).toEqual([])
    expect(left(kernel)).toEqual([])
  })

  it('interrupts from the event loop alone, also after the card has gone to sleep', async () => {
    const { kernel, dev, hw } = rig()
    let got = 0
    devAddPack(kernel, { type: PROTO, func: (skb) => (consumeSkb(skb), got++, 0) })
    kernel.rtnl.run(() => devOpen(dev))
    await until(kernel, hw, () => netifCarrierOk(dev))
    for (let round = 1; round <= 3; round++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      send(dev, round)
      const waiting = (): boolean => got < round
      for (let i = 0; i < 1000 && waiting(); i++) await new Promise((resolve) => setTimeout(resolve, 2))
      expect(got).toBe(round)
    }
    destroyVnet(dev)
    hw.destroy()
  })

  it('STOP-04 after stop the card touches neither rings nor frames, and it can be opened again', async () => {
    const { kernel, dev, hw } = rig(2)
    for (let round = 0; round < 5; round++) {
      kernel.rtnl.run(() => devOpen(dev))
      await until(kernel, hw, () => netifCarrierOk(dev))
      for (let i = 0; i < 40; i++) send(dev, i)
      kernel.rtnl.run(() => devClose(dev))
    }
    destroyVnet(dev)
    hw.destroy()
    expect(kernel.violations).toEqual([])
    expect(left(kernel)).toEqual([])
  })

  it('refuses a kernel whose memory no other thread can see', () => {
    expect(() => rig(1, false)).toThrow(/sharedMemory/)
  })
})
