import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { captureReplay, type Backend } from '@vnet/backend'
import {
  ETH_P_ALL,
  NET_RX_SUCCESS,
  PACKET_OUTGOING,
  consumeSkb,
  devAddPack,
  devGetStats,
  devRemovePack,
  type NetDevice,
  type PacketType,
} from '@vnet/netdev'
import type { VnetCard, VnetPriv } from '@vnet/vnet'
import { Tally } from '../replay/tally.ts'
import { grouped } from '../ui/number.ts'
import { until } from './clock.ts'
import type { Stage } from './stage.ts'

/** Where the capture stands when the command runs from the repository: beside `apps/`. */
const CAPTURE = fileURLToPath(new URL('../../../fixtures/office.pcap', import.meta.url))

/** Plugs a real capture in as the cable and shows what came through. Returns the cable, for the accounts. */
export async function showCapture(
  stage: Stage,
  dev: NetDevice<VnetPriv>,
  card: VnetCard,
): Promise<Backend | null> {
  const { kernel } = stage
  if (!existsSync(CAPTURE)) {
    stage.note(`(left out: ${CAPTURE} is not there)`)
    return null
  }
  const replay = captureReplay(kernel, { capture: readFileSync(CAPTURE), timing: 'fast' })
  const tally = new Tally()
  const tap: PacketType = {
    type: ETH_P_ALL,
    func: (skb) => {
      if (skb.pktType !== PACKET_OUTGOING) tally.add(skb)
      consumeSkb(skb)
      return NET_RX_SUCCESS
    },
  }
  devAddPack(kernel, tap)
  const before = devGetStats(dev)
  card.plugCable(replay)
  await until(kernel, () => replay.done || stage.interrupted, 5e9)
  // The last frames are still on their way through interrupt and poll.
  await until(kernel, () => tally.frames >= replay.progress.frames, 1e8)
  devRemovePack(kernel, tap)
  stage.check()
  const after = devGetStats(dev)
  stage.say(
    `${grouped(after.rxPackets - before.rxPackets)} frames, ${grouped(after.rxBytes - before.rxBytes)} bytes received, ` +
      `${grouped(after.rxMissedErrors - before.rxMissedErrors)} missed`,
  )
  const rows = tally
    .rows()
    .map(({ type, name, frames }) => `${type} ${name} ${grouped(frames)}`.replace('  ', ' '))
  for (let i = 0; i < rows.length; i += 3)
    stage.say(
      `  ${rows
        .slice(i, i + 3)
        .map((r) => r.padEnd(25))
        .join('')
        .trimEnd()}`,
    )
  return replay
}
