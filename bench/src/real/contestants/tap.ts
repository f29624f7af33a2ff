import { tapBackend, type TapBackend } from '@vnet/backend-tap'
import { createKernel } from '@vnet/kernel'
import { ip, ownNamespace, Sender, until } from '../host.ts'
import { now, type RoundContestant } from '../round.ts'
import { CountingCard } from './card.ts'

interface Rig {
  readonly tap: TapBackend
  readonly card: CountingCard
  readonly sender: Sender
  readonly frames: number
  close(): void
}

/** Frames queued on the TAP, until the card was offered the last of them. */
export async function tapRx(args: readonly string[]): Promise<RoundContestant> {
  const { card, sender, frames, close } = await rig(args)
  const round = async (): Promise<number> => {
    // Nothing is read meanwhile: this is one turn of the loop.
    sender.send(frames)
    const last = card.expect(frames)
    const start = now()
    return (Number(await last) - start) / frames
  }
  return { round, close }
}

/** Frames a card transmits; the host drops them. */
export async function tapTx(args: readonly string[]): Promise<RoundContestant> {
  const { tap, sender, frames, close } = await rig(args)
  const { bytes } = sender.frame
  const round = async (): Promise<number> => {
    const start = now()
    for (let i = 0; i < frames; i++) tap.transmit(bytes, 0, bytes.length)
    return (now() - start) / frames
  }
  const verify = (): void => {
    if (tap.counters.downFrames === 0 || tap.counters.dropped > 0) throw new Error('the TAP lost frames')
  }
  return { round, verify, close }
}

async function rig([length, count]: readonly string[]): Promise<Rig> {
  const netns = ownNamespace()
  const frames = Number(count)
  const kernel = createKernel({ clock: 'real', strict: false })
  kernel.hold()
  const tap = tapBackend(kernel, { name: 'ours0', netns })
  ip(netns, 'link', 'set', 'ours0', 'txqueuelen', String(frames + 1000))
  const card = new CountingCard()
  tap.attach(card)
  await until(() => tap.linkUp, 'the link of the TAP')
  const close = (): void => {
    tap.close()
    netns.close()
    kernel.shutdown()
  }
  return { tap, card, sender: new Sender(netns, 'ours0', Number(length)), frames, close }
}
