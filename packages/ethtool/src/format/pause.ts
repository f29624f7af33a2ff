import { hasLinkMode } from '../link-modes.ts'
import type { EthtoolPauseparam, EthtoolPauseStats } from '../pause.ts'
import { formatJson } from './json.ts'
import type { JsonFields, JsonValue } from './json.ts'
import { onOff } from './text.ts'

/** What both ends agreed on. */
export interface PauseNegotiated {
  readonly rx: boolean
  readonly tx: boolean
}

/** What `ethtool -a` shows beyond the settings themselves. */
export interface PauseExtras {
  readonly negotiated?: PauseNegotiated | undefined
  readonly stats?: Partial<EthtoolPauseStats> | undefined
}

/**
 * What two ends agree on, from the modes each offers.
 *
 * @kernel mii_resolve_flowctrl_fdx() include/linux/mii.h
 */
export function pauseNegotiated(ours: bigint, peer: bigint): PauseNegotiated {
  const both = (name: string) => hasLinkMode(ours, name) && hasLinkMode(peer, name)
  if (both('Pause')) return { rx: true, tx: true }
  if (!both('Asym_Pause')) return { rx: false, tx: false }
  const rx = hasLinkMode(ours, 'Pause')
  return { rx, tx: !rx && hasLinkMode(peer, 'Pause') }
}

const STATS = [
  ['tx_pause_frames', 'txPauseFrames'],
  ['rx_pause_frames', 'rxPauseFrames'],
] as const

/** What `ethtool -a` prints. @kernel none */
export function formatPause(ifname: string, pause: EthtoolPauseparam, extras: PauseExtras = {}): string {
  const { negotiated, stats } = extras
  let out = `Pause parameters for ${ifname}:\n`
  out += `Autonegotiate:\t${onOff(pause.autoneg)}\n`
  out += `RX:\t\t${onOff(pause.rxPause)}\nTX:\t\t${onOff(pause.txPause)}\n`
  if (negotiated !== undefined) {
    out += `RX negotiated: ${onOff(negotiated.rx)}\nTX negotiated: ${onOff(negotiated.tx)}\n`
  }
  const kept = keptStats(stats)
  if (kept.length > 0) out += 'Statistics:\n'
  for (const [name, value] of kept) out += `  ${name}: ${value}\n`
  return `${out}\n`
}

/**
 * What `ethtool --json -a` prints: ethtool 6.1 tests the pointer and not the value there, so every setting reads `true`.
 *
 * @kernel none
 */
export function formatPauseJson(ifname: string, extras: PauseExtras = {}): string {
  const fields: [string, JsonValue][] = [
    ['ifname', ifname],
    ['autonegotiate', true],
    ['rx', true],
    ['tx', true],
  ]
  if (extras.negotiated !== undefined) {
    const negotiated: JsonFields = [
      ['rx', true],
      ['tx', true],
    ]
    fields.push(['negotiated', negotiated])
  }
  if (extras.stats !== undefined) fields.push(['statistics', keptStats(extras.stats)])
  return formatJson([fields])
}

function keptStats(stats: Partial<EthtoolPauseStats> | undefined): (readonly [string, bigint])[] {
  const kept: (readonly [string, bigint])[] = []
  for (const [name, key] of STATS) {
    const value = stats?.[key]
    if (value !== undefined) kept.push([name, value])
  }
  return kept
}
