import { devGetStats, devQueueXmit, netdevAllocSkb, skbPut, type NetDevice } from '@vnet/netdev'
import type { VnetCard, VnetPriv } from '@vnet/vnet'
import { grouped } from '../ui/number.ts'
import { paint } from '../ui/style.ts'
import { until } from './clock.ts'
import type { Stage } from './stage.ts'

/** A frame for nobody in particular: broadcast, of the local experimental EtherType. */
const HEADER = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5]
const LENGTH = 60
const BAR = 32

/** Sends more than the ring holds to a card that is slow, and shows the queue stop and wake. */
export async function showBurst(
  stage: Stage,
  dev: NetDevice<VnetPriv>,
  card: VnetCard,
  frames: number,
): Promise<void> {
  const { kernel } = stage
  const before = devGetStats(dev).txPackets
  const sent = (): number => Number(devGetStats(dev).txPackets - before)
  const txq = dev.txq[0]!
  card.slow(2_000_000)
  for (let n = 0; n < frames; n++) send(dev, n)
  show(stage, dev, `${frames} frames queued`)
  for (const part of [0.25, 0.5, 0.75, 1]) {
    await until(kernel, () => sent() >= frames * part || stage.interrupted, 2e9)
    stage.check()
    show(stage, dev, `${grouped(sent())} sent`)
  }
  card.slow(0)
  const { stops, wakes } = txq
  stage.say(
    `the queue stopped ${paint(stage.screen, 'yellow', grouped(stops))} times and woke ${paint(stage.screen, 'green', grouped(wakes))} times; BUSY was never returned`,
  )
}

function send(dev: NetDevice<VnetPriv>, n: number): void {
  const skb = netdevAllocSkb(dev, LENGTH)
  if (skb === null) return
  const at = skbPut(skb, LENGTH)
  skb.mem.fill(0, at, at + LENGTH)
  skb.mem.set(HEADER, at)
  skb.mem[at + HEADER.length] = n
  devQueueXmit(skb)
}

/** One picture of ring and qdisc. */
function show(stage: Stage, dev: NetDevice<VnetPriv>, what: string): void {
  const { tx } = dev.priv.queues[0]!
  const used = Math.round((tx.used() / tx.size) * BAR)
  const bar =
    paint(stage.screen, 'yellow', '█'.repeat(used)) + paint(stage.screen, 'dim', '·'.repeat(BAR - used))
  stage.say(
    `  ring ${bar} ${String(tx.used()).padStart(2)}/${tx.size}  qdisc ${String(dev.qdisc.qlen).padStart(3)}  ${what}`,
  )
}
