import type { EthtoolRingparam } from '../rings.ts'
import { numberLine, onOff } from './text.ts'

const PAIRS = [
  ['RX:\t\t', 'rxMaxPending', 'rxPending'],
  ['RX Mini:\t', 'rxMiniMaxPending', 'rxMiniPending'],
  ['RX Jumbo:\t', 'rxJumboMaxPending', 'rxJumboPending'],
  ['TX:\t\t', 'txMaxPending', 'txPending'],
] as const

/** What `ethtool -g` prints. @kernel none */
export function formatRings(ifname: string, ring: EthtoolRingparam): string {
  let out = `Ring parameters for ${ifname}:\nPre-set maximums:\n`
  for (const [label, max] of PAIRS) out += numberLine(label, ring[max] || undefined)
  out += 'Current hardware settings:\n'
  for (const [label, max, now] of PAIRS) out += numberLine(label, ring[max] > 0 ? ring[now] : undefined)
  out += numberLine('RX Buf Len:\t\t', ring.rxBufLen || undefined)
  out += numberLine('CQE Size:\t\t', ring.cqeSize || undefined)
  out += `TX Push:\t${onOff(ring.txPush)}\n`
  return `${out}TCP data split:\t${['n/a', 'off', 'on'][ring.tcpDataSplit]}\n`
}
