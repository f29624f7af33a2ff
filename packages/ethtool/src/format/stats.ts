import type { EthtoolStat } from '../stats.ts'
import type { RmonBucket, StdStats } from '../std-stats.ts'
import { formatJson } from './json.ts'
import type { JsonFields, JsonValue } from './json.ts'

/** What `ethtool -S` prints. @kernel none */
export function formatStats(stats: readonly EthtoolStat[], kind = 'NIC'): string {
  let out = `${kind} statistics:\n`
  for (const { name, value } of stats) out += `     ${name}: ${value}\n`
  return out
}

/** What `ethtool -S … --groups` prints; a group without counters is left out. @kernel none */
export function formatStdStats(ifname: string, groups: readonly StdStats[]): string {
  let out = `Standard stats for ${ifname}:\n`
  for (const { group, stats, rxHist, txHist } of groups) {
    for (const [name, value] of stats) out += `${group}-${name}: ${value}\n`
    for (const bucket of rxHist) out += `rx-${group}-etherStatsPkts${range(bucket)}: ${bucket.value}\n`
    for (const bucket of txHist) out += `tx-${group}-etherStatsPkts${range(bucket)}: ${bucket.value}\n`
  }
  return out
}

function range({ low, high }: RmonBucket): string {
  if (low > 0 && high > 0) return `${low}to${high}Octets`
  return high > 0 ? `${high}Octets` : `${low}toMaxOctets`
}

/** The same as JSON. @kernel none */
export function formatStdStatsJson(ifname: string, groups: readonly StdStats[]): string {
  const fields: [string, JsonValue][] = [['ifname', ifname]]
  for (const { group, stats, rxHist, txHist } of groups) {
    const inner: [string, JsonValue][] = stats.map(([name, value]) => [name, value])
    if (rxHist.length > 0) inner.push(['rx-pktsNtoM', { array: rxHist.map(bucketFields) }])
    if (txHist.length > 0) inner.push(['tx-pktsNtoM', { array: txHist.map(bucketFields) }])
    if (inner.length > 0) fields.push([group, inner])
  }
  return formatJson([fields])
}

function bucketFields({ low, high, value }: RmonBucket): JsonFields {
  return [
    ['low', low],
    ['high', high],
    ['val', value],
  ]
}
