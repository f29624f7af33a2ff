import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { DescRing, descRingLayout } from '@vnet/core-ring'
import { createKernel, dmesg, type Kernel } from '@vnet/kernel'
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
import {
  type CardChannel,
  RX_PACKETS,
  type RemoteCard,
  TX_PACKETS,
  createRemoteCard,
  createVnet,
  destroyVnet,
} from '../src/index.ts'

const PROTO = 0x88b5
let bundle = ''

/** Node 20 cannot run TypeScript in a worker. The card sends back to itself what it is given. */
beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { parentPort, workerData } from 'node:worker_threads'
        import { loopback } from '@vnet/backend'
        import { hostCard } from '@vnet/vnet'
        const channel = { send: (m) => parentPort.postMessage(m), receive: (fn) => parentPort.on('message', fn) }
        const turn = () => new Promise(setImmediate)
        const stuck = { name: 'stuck', linkUp: true, attach() {}, transmit() { for (;;); } }
        const backend = (kernel) => (workerData.stuck ? stuck : loopback(kernel))
        hostCard({ channel, turn, backend, now: () => performance.now() * 1e6 }).then(() => process.exit(0))`,
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

interface RigOptions {
  queues?: number
  threads?: number
  sharedMemory?: boolean
  /** The first thread never comes back from its first frame. */
  stuck?: boolean
  /** The threads' ends are noticed. */
  watched?: boolean
  commandMs?: number
}

function rig(options: RigOptions = {}) {
  const { threads = 1, queues = threads, sharedMemory = true, watched = true } = options
  const kernel = createKernel({ sharedMemory })
  const own = Array.from({ length: threads }, (_, i) => {
    return new Worker(bundle, { eval: true, workerData: { stuck: i === 0 && options.stuck === true } })
  })
  workers.push(...own)
  const channels = own.map((worker): CardChannel => {
    const channel: CardChannel = {
      send: (message) => worker.postMessage(message),
      receive: (fn) => worker.on('message', fn),
    }
    return watched ? { ...channel, closed: (fn) => worker.on('exit', fn) } : channel
  })
  const hw = createRemoteCard(kernel, { channels, queues, commandMs: options.commandMs ?? 5_000 })
  const dev = createVnet(kernel, { hw, txRing: 64, rxRing: 64 })
  return { kernel, workers: own, hw, dev }
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

/** Frames the driver saw go or come, for each queue. */
function perQueue(dev: ReturnType<typeof rig>['dev'], slot: number): number[] {
  return dev.priv.queues.map(({ stats }) => Number(stats.get(slot)))
}

/** What outlives the device, but for the packets' memory, which stays for the next. */
function left(kernel: Kernel): string[] {
  kernel.runFor(1e9)
  return kernel.census
    .take()
    .filter(({ kind }) => kind !== 'memory')
    .map(({ kind, name }) => `${kind} ${name}`)
}

/** Sends a numbered frame, on the queue its hash leads to. */
function send(dev: ReturnType<typeof rig>['dev'], mark: number, queue = 0): void {
  const skb = netdevAllocSkb(dev, 60)!
  const at = skbPut(skb, 60)
  skb.mem.fill(0, at, at + 60)
  skb.mem.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 9, 9, PROTO >> 8, PROTO & 255, mark & 255, mark >> 8], at)
  skb.protocol = PROTO
  skb.hash = Math.floor(((queue + 0.5) / dev.priv.queues.length) * 2 ** 32) | 0
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
    const { kernel, dev, hw } = rig({ queues: 2 })
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

  it('RING-06 refuses rings that are not shared', () => {
    const { hw } = rig()
    expect(() => hw.setRings(0, new DescRing(descRingLayout(8, 4)), null)).toThrow(TypeError)
  })

  it('refuses a kernel whose memory no other thread can see', () => {
    expect(() => rig({ sharedMemory: false })).toThrow(/sharedMemory/)
  })
})

describe('a card whose queues run in several threads', () => {
  it('MQ-03 carries the frames of every queue through its own thread, in the order of the queue', async () => {
    const { kernel, hw, dev } = rig({ threads: 2 })
    const got: number[][] = [[], []]
    devAddPack(kernel, {
      type: PROTO,
      func(skb) {
        got[skb.queueMapping]!.push(skb.mem[skb.data]! | (skb.mem[skb.data + 1]! << 8))
        consumeSkb(skb)
        return 0
      },
    })
    kernel.rtnl.run(() => devOpen(dev))
    await until(kernel, hw, () => netifCarrierOk(dev))
    const all = 1500
    const arrived = (): number => got[0]!.length + got[1]!.length
    for (let i = 0; i < all; i++) {
      for (const queue of [0, 1]) send(dev, i, queue)
      if (i % 32 === 31) await until(kernel, hw, () => arrived() === 2 * (i + 1))
    }
    await until(kernel, hw, () => arrived() === 2 * all)
    const inOrder = Array.from({ length: all }, (_, i) => i)
    expect(got).toEqual([inOrder, inOrder])
    expect(perQueue(dev, TX_PACKETS)).toEqual([all, all])
    kernel.rtnl.run(() => devClose(dev))
    destroyVnet(dev)
    hw.destroy()
    expect(kernel.violations).toEqual([])
    expect(left(kernel)).toEqual([])
  })

  it('spreads queues over fewer threads in turn, and frames that come in over the queues of a thread', async () => {
    const { kernel, hw, dev } = rig({ threads: 2, queues: 4 })
    devAddPack(kernel, { type: PROTO, func: (skb) => (consumeSkb(skb), 0) })
    kernel.rtnl.run(() => devOpen(dev))
    await until(kernel, hw, () => netifCarrierOk(dev))
    for (let i = 0; i < 20; i++) for (const queue of [0, 2, 3]) send(dev, i, queue)
    const came = (): number => perQueue(dev, RX_PACKETS).reduce((a, b) => a + b)
    await until(kernel, hw, () => came() === 60)
    expect(perQueue(dev, TX_PACKETS)).toEqual([20, 0, 20, 20])
    const [a, b, c, d] = perQueue(dev, RX_PACKETS)
    expect([a! + c!, b! + d!]).toEqual([40, 20])
    destroyVnet(dev)
    hw.destroy()
  })

  it('STOP-04 stop waits for every thread, and it can be opened again', async () => {
    const { kernel, dev, hw } = rig({ threads: 2, queues: 3 })
    for (let round = 0; round < 5; round++) {
      kernel.rtnl.run(() => devOpen(dev))
      await until(kernel, hw, () => netifCarrierOk(dev))
      for (let i = 0; i < 40; i++) for (const queue of [0, 1, 2]) send(dev, i, queue)
      kernel.rtnl.run(() => devClose(dev))
    }
    destroyVnet(dev)
    hw.destroy()
    expect(kernel.violations).toEqual([])
    expect(left(kernel)).toEqual([])
  })

  it('a thread that ends takes the carrier with it, and nobody waits for it', async () => {
    const { kernel, dev, hw, workers } = rig({ threads: 2, commandMs: 1e9 })
    kernel.rtnl.run(() => devOpen(dev))
    await until(kernel, hw, () => netifCarrierOk(dev))
    await workers[1]!.terminate()
    await until(kernel, hw, () => !netifCarrierOk(dev))
    expect(dmesg(kernel)).toContain('the thread of queues 1 is gone')
    // Open and stop still command the thread that is left; the link stays down.
    kernel.rtnl.run(() => devClose(dev))
    kernel.rtnl.run(() => devOpen(dev))
    kernel.runFor(1e9)
    expect(netifCarrierOk(dev)).toBe(false)
    destroyVnet(dev)
    hw.destroy()
    expect(kernel.violations).toEqual([])
    expect(left(kernel)).toEqual([])
  })

  it('WDT-03 a thread that hangs is found by the watchdog: its reset is not answered, the carrier goes off', async () => {
    const { kernel, dev, hw, workers } = rig({ threads: 2, stuck: true, watched: false, commandMs: 300 })
    kernel.rtnl.run(() => devOpen(dev))
    await until(kernel, hw, () => netifCarrierOk(dev))
    for (let i = 0; i < 65; i++) send(dev, i, 0)
    kernel.runFor(6e9)
    expect(dmesg(kernel)).toContain('transmit timed out on queue 0')
    expect(dmesg(kernel)).toContain('the thread of queues 0 is gone')
    expect(netifCarrierOk(dev)).toBe(false)
    await workers[0]!.terminate()
    destroyVnet(dev)
    hw.destroy()
    expect(kernel.violations).toEqual([])
    expect(left(kernel)).toEqual([])
  })

  it('has a queue for each thread at least', () => {
    expect(() => rig({ threads: 2, queues: 1 })).toThrow(RangeError)
  })
})
