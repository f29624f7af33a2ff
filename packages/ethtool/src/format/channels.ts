import type { EthtoolChannels } from '../channels.ts'
import { numberLine } from './text.ts'

const PAIRS = [
  ['RX:\t\t', 'maxRx', 'rxCount'],
  ['TX:\t\t', 'maxTx', 'txCount'],
  ['Other:\t\t', 'maxOther', 'otherCount'],
  ['Combined:\t', 'maxCombined', 'combinedCount'],
] as const

/** What `ethtool -l` prints. @kernel none */
export function formatChannels(ifname: string, channels: EthtoolChannels): string {
  let out = `Channel parameters for ${ifname}:\nPre-set maximums:\n`
  for (const [label, max] of PAIRS) out += numberLine(label, channels[max] || undefined)
  out += 'Current hardware settings:\n'
  for (const [label, max, now] of PAIRS)
    out += numberLine(label, channels[max] > 0 ? channels[now] : undefined)
  return out
}
