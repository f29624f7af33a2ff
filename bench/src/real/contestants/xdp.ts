import { createAfxdp, destroyAfxdp, XdpProgram, Xsk } from '@vnet/afxdp'
import { createKernel } from '@vnet/kernel'
import { ifIndex } from '@vnet/linux'
import { consumeSkb, devAddPack, devOpen, NET_RX_SUCCESS, netifCarrierOk, type SkBuff } from '@vnet/netdev'
import { ownNamespace, Sender, until, vethPair } from '../host.ts'
import { now, type RoundContestant } from '../round.ts'

/** Frames a ring holds: 4 words each in the one for receiving, 2 in the one for filling. */
const RING = 4096
const CHUNK = 2048
const PROTO = 0x88b5
const PATIENCE_MS = 1000

/** The rings alone: what lies in the receive ring is looked at, and its buffers go back by the fill ring. */
export async function xdpRings([length, count]: readonly string[]): Promise<RoundContestant> {
  const netns = ownNamespace()
  vethPair(netns)
  const frames = Number(count)
  const [xsk, program] = netns.run(() => open())
  fillAll(xsk)
  const walk = walker(xsk)
  const sender = new Sender(netns, 'va', Number(length))
  let sum = 0
  const round = async (): Promise<number> => {
    sender.send(frames)
    waitFor(xsk, frames)
    const start = now()
    for (let got = 0; got < frames;) {
      const n = xsk.rx.pending()
      sum = (sum + walk(n)) | 0
      got += n
    }
    return (now() - start) / frames
  }
  const verify = (): void => {
    if (sum === 0 || xsk.statistics.rxDropped > 0) throw new Error('the socket lost frames')
  }
  const close = (): void => {
    program.close()
    xsk.closeSocket()
    netns.close()
  }
  return { round, verify, close }
}

function open(): [Xsk, XdpProgram] {
  const ifindex = ifIndex('vb')
  const sizes = { chunks: RING, chunkSize: CHUNK, rxSize: RING, txSize: RING }
  const xsk = new Xsk({ ifindex, queue: 0, ...sizes, zeroCopy: false })
  return [xsk, new XdpProgram(ifindex, 0, xsk.fd, 'native')]
}

/** Until so many frames lie in the ring. Asleep this processor would lose its caches. */
function waitFor({ rx }: Xsk, frames: number): void {
  const { memory, indexOffset } = rx.layout
  const index = new Int32Array(memory, indexOffset, 1)
  const end = performance.now() + PATIENCE_MS
  while (((Atomics.load(index, 0) - rx.cons) | 0) < frames)
    if (performance.now() > end) throw new Error('frames were lost')
}

function fillAll({ fill }: Xsk): void {
  for (let i = 0; i < RING; i++) fill.words[fill.at(i)] = i * CHUNK
  fill.post(RING)
}

/**
 * Makes the function that looks at `n` frames and gives their buffers back. It does little, so that the processor waits
 * for the memory of several at once; eight in a turn, since V8 looks at each turn whether it shall stop.
 *
 * What it closes over V8 takes as constants, as it does literals, but not the constants of a bundled module. It knows then
 * how long the rings are, and that a masked index is inside.
 */
function walker({ rx, fill, umem }: Xsk): (n: number) => number {
  const from = rx.words
  const to = fill.words
  const bytes = new Uint8Array(umem.buffer)
  return (n) => {
    fill.reclaim(fill.completed())
    let d = rx.at(rx.cons)
    let f = fill.at(fill.prod)
    let sum = 0
    let i = 0
    for (; i + 8 <= n; i += 8, d = (d + 32) | 0, f = (f + 16) | 0) {
      const a0 = from[d & 0x3fff]!
      const a1 = from[(d + 4) & 0x3fff]!
      const a2 = from[(d + 8) & 0x3fff]!
      const a3 = from[(d + 12) & 0x3fff]!
      const a4 = from[(d + 16) & 0x3fff]!
      const a5 = from[(d + 20) & 0x3fff]!
      const a6 = from[(d + 24) & 0x3fff]!
      const a7 = from[(d + 28) & 0x3fff]!
      const b0 = bytes[a0]!
      const b1 = bytes[a1]!
      const b2 = bytes[a2]!
      const b3 = bytes[a3]!
      const b4 = bytes[a4]!
      const b5 = bytes[a5]!
      const b6 = bytes[a6]!
      const b7 = bytes[a7]!
      sum =
        (sum +
          from[(d + 2) & 0x3fff]! +
          from[(d + 6) & 0x3fff]! +
          from[(d + 10) & 0x3fff]! +
          from[(d + 14) & 0x3fff]! +
          from[(d + 18) & 0x3fff]! +
          from[(d + 22) & 0x3fff]! +
          from[(d + 26) & 0x3fff]! +
          from[(d + 30) & 0x3fff]! +
          b0 +
          b1 +
          b2 +
          b3 +
          b4 +
          b5 +
          b6 +
          b7) |
        0
      to[f & 0x1fff] = a0 & -2048
      to[(f + 2) & 0x1fff] = a1 & -2048
      to[(f + 4) & 0x1fff] = a2 & -2048
      to[(f + 6) & 0x1fff] = a3 & -2048
      to[(f + 8) & 0x1fff] = a4 & -2048
      to[(f + 10) & 0x1fff] = a5 & -2048
      to[(f + 12) & 0x1fff] = a6 & -2048
      to[(f + 14) & 0x1fff] = a7 & -2048
    }
    for (; i < n; i++, d = (d + 4) | 0, f = (f + 2) | 0) {
      const address = from[d & 0x3fff]!
      sum = (sum + from[(d + 2) & 0x3fff]! + bytes[address]!) | 0
      to[f & 0x1fff] = address & -2048
    }
    rx.complete(n)
    fill.post(n)
    return sum
  }
}

/** The whole driver: interrupt, NAPI, sk_buff, GRO, until a handler of the frames' type has the last of them. */
export async function xdpDriver([length, count]: readonly string[]): Promise<RoundContestant> {
  const netns = ownNamespace()
  vethPair(netns)
  const frames = Number(count)
  const kernel = createKernel({ clock: 'real', strict: false })
  kernel.hold()
  const dev = createAfxdp(kernel, { ifname: 'vb', netns, rxRing: RING, mode: 'native' })
  let left = 0
  let done: (time: bigint) => void = () => {}
  const func = (skb: SkBuff): number => {
    consumeSkb(skb)
    if (--left === 0) done(process.hrtime.bigint())
    return NET_RX_SUCCESS
  }
  devAddPack(kernel, { type: PROTO, func })
  kernel.rtnl.run(() => devOpen(dev))
  await until(() => netifCarrierOk(dev), 'the carrier')
  const sender = new Sender(netns, 'va', Number(length))
  const round = async (): Promise<number> => {
    sender.send(frames)
    waitFor(dev.priv.xsk!, frames)
    left = frames
    const last = new Promise<bigint>((resolve) => (done = resolve))
    const start = now()
    return (Number(await last) - start) / frames
  }
  const close = (): void => {
    destroyAfxdp(dev)
    netns.close()
    kernel.shutdown()
  }
  return { round, close }
}
