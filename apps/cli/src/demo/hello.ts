import {
  ETH_P_ALL,
  NET_RX_SUCCESS,
  PACKET_OUTGOING,
  consumeSkb,
  devAddPack,
  devRemovePack,
  type PacketType,
} from '@vnet/netdev'
import { paint } from '../ui/style.ts'
import { until } from './clock.ts'
import type { Stage } from './stage.ts'

const SECOND = 1e9

/** Shows frames as they arrive: interrupt, poll, stack, each from its tracepoint. */
export async function showArrivals(stage: Stage, frames: number): Promise<void> {
  const { kernel, screen } = stage
  let seen = 0
  const stamp = (): string => `${(kernel.clock.ktimeGet() / SECOND).toFixed(3).padStart(8)} s`
  const off = [
    kernel.trace.on('irq:irq_handler_entry', (e) => {
      stage.say(
        `${stamp()}  ${paint(screen, 'yellow', 'interrupt')}  line ${String(e.fields['irq'] ?? '')} ${e.subject}: cause read, masked`,
      )
    }),
    kernel.trace.on('napi:napi_poll', (e) => {
      stage.say(
        `${' '.repeat(12)}${paint(screen, 'magenta', 'poll')}       ${e.subject}: ${String(e.fields['work'])} of budget ${String(e.fields['budget'])}`,
      )
    }),
  ]
  const tap: PacketType = {
    type: ETH_P_ALL,
    func: (skb, dev) => {
      if (skb.pktType !== PACKET_OUTGOING) {
        seen++
        const text = printable(skb.mem.subarray(skb.data, skb.data + skb.len))
        stage.say(
          `${' '.repeat(12)}${paint(screen, 'green', 'stack')}      ${dev.name}: ${skb.data + skb.len - skb.macHeader} bytes, "${text}"`,
        )
      }
      consumeSkb(skb)
      return NET_RX_SUCCESS
    },
  }
  devAddPack(kernel, tap)
  await until(kernel, () => seen >= frames || stage.interrupted, frames * SECOND)
  devRemovePack(kernel, tap)
  for (const stop of off) stop()
  stage.check()
}

/** The readable beginning of a payload. */
function printable(bytes: Uint8Array): string {
  const end = bytes.findIndex((b) => b < 0x20 || b > 0x7e)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
