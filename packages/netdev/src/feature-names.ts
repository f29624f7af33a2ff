import { FeatureBit, type FeatureKey, type NetdevFeatures } from './features.ts'

/** A feature and the name user space knows it by. @kernel netdev_features_strings[] net/ethtool/common.c */
export interface FeatureName {
  readonly key: FeatureKey
  readonly name: string
  readonly mask: NetdevFeatures
}

const NAMES: readonly (readonly [FeatureKey, string])[] = [
  ['SG', 'tx-scatter-gather'],
  ['IP_CSUM', 'tx-checksum-ipv4'],
  ['HW_CSUM', 'tx-checksum-ip-generic'],
  ['IPV6_CSUM', 'tx-checksum-ipv6'],
  ['HIGHDMA', 'highdma'],
  ['FRAGLIST', 'tx-scatter-gather-fraglist'],
  ['HW_VLAN_CTAG_TX', 'tx-vlan-hw-insert'],
  ['HW_VLAN_CTAG_RX', 'rx-vlan-hw-parse'],
  ['HW_VLAN_CTAG_FILTER', 'rx-vlan-filter'],
  ['HW_VLAN_STAG_TX', 'tx-vlan-stag-hw-insert'],
  ['HW_VLAN_STAG_RX', 'rx-vlan-stag-hw-parse'],
  ['HW_VLAN_STAG_FILTER', 'rx-vlan-stag-filter'],
  ['VLAN_CHALLENGED', 'vlan-challenged'],
  ['GSO', 'tx-generic-segmentation'],
  ['LLTX', 'tx-lockless'],
  ['NETNS_LOCAL', 'netns-local'],
  ['GRO', 'rx-gro'],
  ['GRO_HW', 'rx-gro-hw'],
  ['LRO', 'rx-lro'],
  ['TSO', 'tx-tcp-segmentation'],
  ['GSO_ROBUST', 'tx-gso-robust'],
  ['TSO_ECN', 'tx-tcp-ecn-segmentation'],
  ['TSO_MANGLEID', 'tx-tcp-mangleid-segmentation'],
  ['TSO6', 'tx-tcp6-segmentation'],
  ['FSO', 'tx-fcoe-segmentation'],
  ['GSO_GRE', 'tx-gre-segmentation'],
  ['GSO_GRE_CSUM', 'tx-gre-csum-segmentation'],
  ['GSO_IPXIP4', 'tx-ipxip4-segmentation'],
  ['GSO_IPXIP6', 'tx-ipxip6-segmentation'],
  ['GSO_UDP_TUNNEL', 'tx-udp_tnl-segmentation'],
  ['GSO_UDP_TUNNEL_CSUM', 'tx-udp_tnl-csum-segmentation'],
  ['GSO_PARTIAL', 'tx-gso-partial'],
  ['GSO_TUNNEL_REMCSUM', 'tx-tunnel-remcsum-segmentation'],
  ['GSO_SCTP', 'tx-sctp-segmentation'],
  ['GSO_ESP', 'tx-esp-segmentation'],
  ['GSO_UDP_L4', 'tx-udp-segmentation'],
  ['GSO_FRAGLIST', 'tx-gso-list'],
  ['FCOE_CRC', 'tx-checksum-fcoe-crc'],
  ['SCTP_CRC', 'tx-checksum-sctp'],
  ['FCOE_MTU', 'fcoe-mtu'],
  ['NTUPLE', 'rx-ntuple-filter'],
  ['RXHASH', 'rx-hashing'],
  ['RXCSUM', 'rx-checksum'],
  ['NOCACHE_COPY', 'tx-nocache-copy'],
  ['LOOPBACK', 'loopback'],
  ['RXFCS', 'rx-fcs'],
  ['RXALL', 'rx-all'],
  ['HW_L2FW_DOFFLOAD', 'l2-fwd-offload'],
  ['HW_TC', 'hw-tc-offload'],
  ['HW_ESP', 'esp-hw-offload'],
  ['HW_ESP_TX_CSUM', 'esp-tx-csum-hw-offload'],
  ['RX_UDP_TUNNEL_PORT', 'rx-udp_tunnel-port-offload'],
  ['HW_TLS_RECORD', 'tls-hw-record'],
  ['HW_TLS_TX', 'tls-hw-tx-offload'],
  ['HW_TLS_RX', 'tls-hw-rx-offload'],
  ['GRO_FRAGLIST', 'rx-gro-list'],
  ['HW_MACSEC', 'macsec-hw-offload'],
  ['GRO_UDP_FWD', 'rx-udp-gro-forwarding'],
  ['HW_HSR_TAG_INS', 'hsr-tag-ins-offload'],
  ['HW_HSR_TAG_RM', 'hsr-tag-rm-offload'],
  ['HW_HSR_FWD', 'hsr-fwd-offload'],
  ['HW_HSR_DUP', 'hsr-dup-offload'],
]

/**
 * Place in the kernel's string set: the order in which `ethtool -k` lists what is in none of its groups.
 *
 * The table above keeps relatives together; the numbers of Linux 6.1 decide here.
 */
const KERNEL_ORDER =
  'SG IP_CSUM HW_CSUM IPV6_CSUM HIGHDMA FRAGLIST HW_VLAN_CTAG_TX HW_VLAN_CTAG_RX HW_VLAN_CTAG_FILTER VLAN_CHALLENGED GSO LLTX NETNS_LOCAL GRO LRO ' +
  'TSO GSO_ROBUST TSO_ECN TSO_MANGLEID TSO6 FSO GSO_GRE GSO_GRE_CSUM GSO_IPXIP4 GSO_IPXIP6 GSO_UDP_TUNNEL GSO_UDP_TUNNEL_CSUM GSO_PARTIAL ' +
  'GSO_TUNNEL_REMCSUM GSO_SCTP GSO_ESP GSO_UDP_L4 GSO_FRAGLIST FCOE_CRC SCTP_CRC FCOE_MTU NTUPLE RXHASH RXCSUM NOCACHE_COPY LOOPBACK RXFCS RXALL ' +
  'HW_VLAN_STAG_TX HW_VLAN_STAG_RX HW_VLAN_STAG_FILTER HW_L2FW_DOFFLOAD HW_TC HW_ESP HW_ESP_TX_CSUM RX_UDP_TUNNEL_PORT HW_TLS_TX HW_TLS_RX ' +
  'GRO_HW HW_TLS_RECORD GRO_FRAGLIST HW_MACSEC GRO_UDP_FWD HW_HSR_TAG_INS HW_HSR_TAG_RM HW_HSR_FWD HW_HSR_DUP'

const BY_KEY = new Map(NAMES)

/**
 * Every feature with its name, in the kernel's order. That is the order of `ethtool -k`.
 *
 * @kernel netdev_features_strings[] net/ethtool/common.c
 */
export const FEATURE_NAMES: readonly FeatureName[] = KERNEL_ORDER.split(' ').map((word) => {
  const key = word as FeatureKey
  return { key, name: BY_KEY.get(key)!, mask: 1n << BigInt(FeatureBit[key]) }
})

/** The feature of a name such as 'tx-checksum-ipv4', or undefined. @kernel none */
export function featureByName(name: string): FeatureName | undefined {
  return FEATURE_NAMES.find((feature) => feature.name === name)
}

/** The names of the features in a set, in the kernel's order. @kernel none */
export function featureNames(features: NetdevFeatures): string[] {
  return FEATURE_NAMES.filter(({ mask }) => (features & mask) !== 0n).map(({ name }) => name)
}
