import { FEATURE_NAMES } from '@vnet/netdev'
import type { FeatureName, NetdevFeatures } from '@vnet/netdev'
import { FEATURE_GROUPS } from '../feature-groups.ts'
import type { EthtoolFeatures, EthtoolFeaturesResult } from '../features.ts'
import { formatJson } from './json.ts'
import type { JsonFields } from './json.ts'
import { onOff } from './text.ts'

/** One line of the listing: a feature, or a family whose members follow. */
interface Line {
  readonly label: string
  readonly indent: string
  readonly active: boolean
  /** Null for a family. */
  readonly feature: { readonly fixed: boolean; readonly wanted: boolean } | null
}

function has(set: NetdevFeatures, feature: FeatureName): boolean {
  return (set & feature.mask) !== 0n
}

/** Families first; one with a single member lends it its name. Then what belongs to none. */
function lines(features: EthtoolFeatures): Line[] {
  const one = (feature: FeatureName, label: string, indent: string): Line => ({
    label,
    indent,
    active: has(features.active, feature),
    feature: {
      fixed: !has(features.hw, feature) || has(features.nochange, feature),
      wanted: has(features.wanted, feature),
    },
  })
  const out: Line[] = []
  for (const { long, members } of FEATURE_GROUPS) {
    if (members.length === 1) {
      out.push(one(members[0]!, long, ''))
    } else {
      const active = members.some((feature) => has(features.active, feature))
      out.push({ label: long, indent: '', active, feature: null })
      for (const feature of members) out.push(one(feature, feature.name, '\t'))
    }
  }
  const grouped = new Set(FEATURE_GROUPS.flatMap((group) => group.members))
  for (const feature of FEATURE_NAMES) if (!grouped.has(feature)) out.push(one(feature, feature.name, ''))
  return out
}

/** What `ethtool -k` prints. @kernel none */
export function formatFeatures(ifname: string, features: EthtoolFeatures): string {
  let out = `Features for ${ifname}:\n`
  for (const line of lines(features))
    out += `${line.indent}${line.label}: ${onOff(line.active)}${suffix(line)}\n`
  return out
}

function suffix({ feature, active }: Line): string {
  if (feature === null) return ''
  if (feature.fixed) return ' [fixed]'
  return feature.wanted === active ? '' : ` [requested ${onOff(feature.wanted)}]`
}

/** What `ethtool --json -k` prints. @kernel none */
export function formatFeaturesJson(ifname: string, features: EthtoolFeatures): string {
  const fields = lines(features).map(({ label, active, feature }): readonly [string, JsonFields] => [
    label,
    [
      ['active', active],
      ['fixed', feature?.fixed ?? null],
      ['requested', feature?.wanted ?? null],
    ],
  ])
  return formatJson([[['ifname', ifname], ...fields]])
}

/** What `ethtool -K` prints when the outcome is not exactly what was asked for; else nothing. @kernel none */
export function formatFeaturesResult(result: EthtoolFeaturesResult): string {
  const { wantedMask, wanted, activeMask, active, requested } = result
  if (wantedMask === 0n && (activeMask & ~requested) === 0n) return ''
  let out = 'Actual changes:\n'
  for (const feature of FEATURE_NAMES) {
    if (has(wantedMask, feature)) {
      const asked = has(wanted, feature)
      out += `${feature.name}: ${onOff(!asked)} [requested ${onOff(asked)}]\n`
    } else if (has(activeMask, feature)) {
      const note = has(requested, feature) ? '' : ' [not requested]'
      out += `${feature.name}: ${onOff(has(active, feature))}${note}\n`
    }
  }
  return out
}
