import { FEATURE_NAMES } from '@vnet/netdev'
import type { FeatureName } from '@vnet/netdev'

/** A family of features under the name ethtool used before each had its own. */
export interface FeatureGroup {
  readonly short: string
  readonly long: string
  readonly members: readonly FeatureName[]
}

const GROUPS: readonly (readonly [string, string, RegExp])[] = [
  ['rx', 'rx-checksumming', /^rx-checksum$/],
  ['tx', 'tx-checksumming', /^tx-checksum-/],
  ['sg', 'scatter-gather', /^tx-scatter-gather/],
  ['tso', 'tcp-segmentation-offload', /^tx-tcp.*-segmentation$/],
  ['gso', 'generic-segmentation-offload', /^tx-generic-segmentation$/],
  ['gro', 'generic-receive-offload', /^rx-gro$/],
  ['lro', 'large-receive-offload', /^rx-lro$/],
  ['rxvlan', 'rx-vlan-offload', /^rx-vlan-hw-parse$/],
  ['txvlan', 'tx-vlan-offload', /^tx-vlan-hw-insert$/],
  ['ntuple', 'ntuple-filters', /^rx-ntuple-filter$/],
  ['rxhash', 'receive-hashing', /^rx-hashing$/],
]

/** The families, in the order `ethtool -k` prints them. @kernel none */
export const FEATURE_GROUPS: readonly FeatureGroup[] = GROUPS.map(([short, long, match]) => ({
  short,
  long,
  members: FEATURE_NAMES.filter((feature) => match.test(feature.name)),
}))

/**
 * The features a word on the command line means: a family by its short or long name, or one feature.
 *
 * @returns the kernel's names; the word itself when nobody knows it
 * @kernel none
 */
export function featuresOf(word: string): readonly string[] {
  const group = FEATURE_GROUPS.find((g) => g.short === word || g.long === word)
  // Fragmentation of UDP in hardware is gone from the kernel, but its family is still known to the tool.
  if (group === undefined) return word === 'ufo' || word === 'udp-fragmentation-offload' ? [] : [word]
  return group.members.map((feature) => feature.name)
}
