import { packetBackend } from '@vnet/backend-packet'
import { createKernel } from '@vnet/kernel'
import { ownNamespace, Sender, sleep, until, vethPair } from '../host.ts'
import { now, type RoundContestant } from '../round.ts'
import { CountingCard } from './card.ts'

/** As in the C twin. */
const RING = { blockSize: 1 << 18, blocks: 64 } as const

/** Frames that lie in a TPACKET_V3 ring, until the card was offered the last of them. */
export async function packetRx([length, count]: readonly string[]): Promise<RoundContestant> {
  const netns = ownNamespace()
  vethPair(netns)
  const frames = Number(count)
  const kernel = createKernel({ clock: 'real', strict: false })
  kernel.hold()
  const backend = packetBackend(kernel, { name: 'vb', netns, ...RING })
  const card = new CountingCard()
  backend.attach(card)
  await until(() => backend.linkUp, 'the link of the veth')
  const sender = new Sender(netns, 'va', Number(length))
  const round = async (): Promise<number> => {
    sender.send(frames)
    // A block that is not full is handed over after a millisecond.
    sleep(10)
    const last = card.expect(frames)
    const start = now()
    return (Number(await last) - start) / frames
  }
  const close = (): void => {
    backend.close()
    netns.close()
    kernel.shutdown()
  }
  return { round, close }
}
