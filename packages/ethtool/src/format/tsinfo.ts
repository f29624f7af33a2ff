import { bitNames } from '../bitset.ts'
import { SOF_TIMESTAMPING, TS_RX_FILTERS, TS_TX_TYPES } from '../tsinfo.ts'
import type { EthtoolTsInfo } from '../tsinfo.ts'

/** What `ethtool -T` prints. @kernel none */
export function formatTsInfo(ifname: string, info: EthtoolTsInfo): string {
  return (
    `Time stamping parameters for ${ifname}:\n` +
    list('Capabilities', info.soTimestamping, SOF_TIMESTAMPING, '') +
    `PTP Hardware Clock: ${info.phcIndex < 0 ? 'none' : info.phcIndex}\n` +
    list('Hardware Transmit Timestamp Modes', info.txTypes, TS_TX_TYPES, ' none') +
    list('Hardware Receive Filter Modes', info.rxFilters, TS_RX_FILTERS, ' none')
  )
}

function list(label: string, bits: number, names: readonly string[], ifEmpty: string): string {
  if (bits === 0) return `${label}:${ifEmpty}\n`
  return `${label}:\n${bitNames(BigInt(bits >>> 0), names)
    .map((name) => `\t${name}\n`)
    .join('')}`
}
