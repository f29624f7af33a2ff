/**
 * A set of device features, one bit a feature. Control path only: packets use the low 31 bits as a number.
 *
 * @kernel netdev_features_t include/linux/netdev_features.h
 */
export type NetdevFeatures = bigint

/**
 * Bit numbers of the features.
 *
 * Not the kernel's numbers, which are no interface: here every feature that is looked at for each packet has a
 * bit below 31, so that `NetDevice.pktFeatures` is a small number. A GSO type `t` of a packet needs the feature
 * bits `t << NETIF_F_GSO_SHIFT`, as in the kernel.
 *
 * @kernel enum netdev_features include/linux/netdev_features.h
 */
export const FeatureBit = {
  SG: 0,
  IP_CSUM: 1,
  HW_CSUM: 2,
  IPV6_CSUM: 3,
  HIGHDMA: 4,
  FRAGLIST: 5,
  HW_VLAN_CTAG_TX: 6,
  HW_VLAN_STAG_TX: 7,
  GSO: 8,
  VLAN_CHALLENGED: 9,
  SCTP_CRC: 10,
  GRO: 11,
  TSO: 12,
  GSO_ROBUST: 13,
  TSO_ECN: 14,
  TSO_MANGLEID: 15,
  TSO6: 16,
  FSO: 17,
  GSO_GRE: 18,
  GSO_GRE_CSUM: 19,
  GSO_IPXIP4: 20,
  GSO_IPXIP6: 21,
  GSO_UDP_TUNNEL: 22,
  GSO_UDP_TUNNEL_CSUM: 23,
  GSO_PARTIAL: 24,
  GSO_TUNNEL_REMCSUM: 25,
  GSO_SCTP: 26,
  GSO_ESP: 27,
  GSO_UDP: 28,
  GSO_UDP_L4: 29,
  GSO_FRAGLIST: 30,
  FCOE_CRC: 31,
  FCOE_MTU: 32,
  NTUPLE: 33,
  RXHASH: 34,
  RXCSUM: 35,
  NOCACHE_COPY: 36,
  LOOPBACK: 37,
  RXFCS: 38,
  RXALL: 39,
  HW_VLAN_CTAG_RX: 40,
  HW_VLAN_CTAG_FILTER: 41,
  HW_VLAN_STAG_RX: 42,
  HW_VLAN_STAG_FILTER: 43,
  HW_L2FW_DOFFLOAD: 44,
  HW_TC: 45,
  HW_ESP: 46,
  HW_ESP_TX_CSUM: 47,
  RX_UDP_TUNNEL_PORT: 48,
  HW_TLS_TX: 49,
  HW_TLS_RX: 50,
  GRO_HW: 51,
  HW_TLS_RECORD: 52,
  GRO_FRAGLIST: 53,
  HW_MACSEC: 54,
  GRO_UDP_FWD: 55,
  HW_HSR_TAG_INS: 56,
  HW_HSR_TAG_RM: 57,
  HW_HSR_FWD: 58,
  HW_HSR_DUP: 59,
  LRO: 60,
  LLTX: 61,
  NETNS_LOCAL: 62,
} as const

/** Name of a feature: a key of {@link FeatureBit}. @kernel none */
export type FeatureKey = keyof typeof FeatureBit

/** Where the GSO types stand in the feature bits. @kernel NETIF_F_GSO_SHIFT include/linux/netdev_features.h */
export const NETIF_F_GSO_SHIFT = 12

function masks(): Record<FeatureKey, NetdevFeatures> {
  const all = {} as Record<FeatureKey, NetdevFeatures>
  for (const [key, bit] of Object.entries(FeatureBit)) all[key as FeatureKey] = 1n << BigInt(bit)
  return all
}

/**
 * The features as bit sets, for `dev.features`, `dev.hwFeatures` and `ndoFixFeatures`.
 *
 * @kernel NETIF_F_SG include/linux/netdev_features.h
 */
export const NETIF_F: Readonly<Record<FeatureKey, NetdevFeatures>> = masks()

/** Every checksum feature. @kernel NETIF_F_CSUM_MASK include/linux/netdev_features.h */
export const NETIF_F_CSUM_MASK = NETIF_F.IP_CSUM | NETIF_F.HW_CSUM | NETIF_F.IPV6_CSUM
/** Every TSO feature. @kernel NETIF_F_ALL_TSO include/linux/netdev_features.h */
export const NETIF_F_ALL_TSO = NETIF_F.TSO | NETIF_F.TSO6 | NETIF_F.TSO_ECN | NETIF_F.TSO_MANGLEID

/**
 * The features a packet's way out looks at, as number masks for `NetDevice.pktFeatures` and `skbGsoSegment`.
 *
 * @kernel NETIF_F_SG include/linux/netdev_features.h
 */
export const PktFeature = {
  SG: 1 << 0,
  IP_CSUM: 1 << 1,
  HW_CSUM: 1 << 2,
  IPV6_CSUM: 1 << 3,
  HIGHDMA: 1 << 4,
  FRAGLIST: 1 << 5,
  HW_VLAN_CTAG_TX: 1 << 6,
  HW_VLAN_STAG_TX: 1 << 7,
  GSO: 1 << 8,
  SCTP_CRC: 1 << 10,
  GRO: 1 << 11,
  TSO: 1 << 12,
  TSO_ECN: 1 << 14,
  TSO_MANGLEID: 1 << 15,
  TSO6: 1 << 16,
  GSO_UDP_L4: 1 << 29,
  GSO_FRAGLIST: 1 << 30,
  CSUM_MASK: (1 << 1) | (1 << 2) | (1 << 3),
  GSO_MASK: 0x7ffff000,
} as const

/** The part of a feature set that is looked at for each packet. @kernel none */
export function pktFeatures(features: NetdevFeatures): number {
  return Number(features & 0x7fffffffn)
}

/** True when received UDP is to be merged: 'rx-udp-gro-forwarding' or 'rx-gro-list' is on. @kernel none */
export function mergesUdp(features: NetdevFeatures): boolean {
  return (features & (NETIF_F.GRO_UDP_FWD | NETIF_F.GRO_FRAGLIST)) !== 0n
}
