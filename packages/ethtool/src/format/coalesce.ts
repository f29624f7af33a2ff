import type { EthtoolCoalesce } from '../coalesce.ts'
import { numberLine, onOff } from './text.ts'

type Key = keyof EthtoolCoalesce

/** Blocks of lines, with an empty line after each. */
const BLOCKS: readonly (readonly (readonly [string, Key])[])[] = [
  [
    ['stats-block-usecs', 'statsBlockCoalesceUsecs'],
    ['sample-interval', 'rateSampleInterval'],
    ['pkt-rate-low', 'pktRateLow'],
    ['pkt-rate-high', 'pktRateHigh'],
  ],
  [
    ['rx-usecs', 'rxCoalesceUsecs'],
    ['rx-frames', 'rxMaxCoalescedFrames'],
    ['rx-usecs-irq', 'rxCoalesceUsecsIrq'],
    ['rx-frames-irq', 'rxMaxCoalescedFramesIrq'],
  ],
  [
    ['tx-usecs', 'txCoalesceUsecs'],
    ['tx-frames', 'txMaxCoalescedFrames'],
    ['tx-usecs-irq', 'txCoalesceUsecsIrq'],
    ['tx-frames-irq', 'txMaxCoalescedFramesIrq'],
  ],
  [
    ['rx-usecs-low', 'rxCoalesceUsecsLow'],
    ['rx-frame-low', 'rxMaxCoalescedFramesLow'],
    ['tx-usecs-low', 'txCoalesceUsecsLow'],
    ['tx-frame-low', 'txMaxCoalescedFramesLow'],
  ],
  [
    ['rx-usecs-high', 'rxCoalesceUsecsHigh'],
    ['rx-frame-high', 'rxMaxCoalescedFramesHigh'],
    ['tx-usecs-high', 'txCoalesceUsecsHigh'],
    ['tx-frame-high', 'txMaxCoalescedFramesHigh'],
  ],
]

/** What `ethtool -c` prints; what is not in `shown` is `n/a`. @kernel none */
export function formatCoalesce(ifname: string, coalesce: EthtoolCoalesce, shown: ReadonlySet<Key>): string {
  const bool = (key: Key) => onOff(shown.has(key) ? Boolean(coalesce[key]) : undefined)
  let out = `Coalesce parameters for ${ifname}:\n`
  out += `Adaptive RX: ${bool('useAdaptiveRxCoalesce')}  TX: ${bool('useAdaptiveTxCoalesce')}\n`
  for (const block of BLOCKS) {
    for (const [label, key] of block) {
      out += numberLine(`${label}: `, shown.has(key) ? Number(coalesce[key]) : undefined)
    }
    out += '\n'
  }
  return `${out}CQE mode RX: ${bool('useCqeModeRx')}  TX: ${bool('useCqeModeTx')}\n\n`
}
