import { NETIF_F, NETIF_F_ALL_TSO, type NetdevFeatures } from './features.ts'

const BOTH_IP_CSUMS = NETIF_F.IP_CSUM | NETIF_F.IPV6_CSUM

/** One dependency between features: what goes when something is missing. @kernel none */
export interface FeatureRule {
  /** True when `drop` cannot stay with the rest. */
  readonly broken: (features: NetdevFeatures) => boolean
  readonly drop: NetdevFeatures
  /** The kernel's sentence. */
  readonly why: string
  /** Said as a warning; the others are debug messages. */
  readonly warn?: boolean
}

function has(features: NetdevFeatures, mask: NetdevFeatures): boolean {
  return (features & mask) !== 0n
}

function lacks(
  needed: (f: NetdevFeatures) => boolean,
  drop: NetdevFeatures,
  why: string,
  alsoDrop = 0n,
): FeatureRule {
  return { broken: (f) => has(f, drop) && !needed(f), drop: drop | alsoDrop, why }
}

const csum4 = (f: NetdevFeatures): boolean => has(f, NETIF_F.HW_CSUM | NETIF_F.IP_CSUM)
const csum6 = (f: NetdevFeatures): boolean => has(f, NETIF_F.HW_CSUM | NETIF_F.IPV6_CSUM)
const csumBoth = (f: NetdevFeatures): boolean =>
  has(f, NETIF_F.HW_CSUM) || (f & BOTH_IP_CSUMS) === BOTH_IP_CSUMS
const sg = (f: NetdevFeatures): boolean => has(f, NETIF_F.SG)
const rxcsum = (f: NetdevFeatures): boolean => has(f, NETIF_F.RXCSUM)

/**
 * The dependencies between features, in the order in which the kernel looks at them. Each only takes away, so one
 * pass is enough as long as no rule needs something a later one drops.
 *
 * @kernel netdev_fix_features() net/core/dev.c
 * @rule FEAT-03 FEAT-04
 */
export const FEATURE_RULES: readonly FeatureRule[] = [
  {
    broken: (f) => has(f, NETIF_F.HW_CSUM) && has(f, BOTH_IP_CSUMS),
    drop: BOTH_IP_CSUMS,
    why: 'mixed HW and IP checksum settings.',
    warn: true,
  },
  lacks(sg, NETIF_F_ALL_TSO, 'Dropping TSO features since no SG feature.'),
  lacks(csum4, NETIF_F.TSO, 'Dropping TSO features since no CSUM feature.', NETIF_F.TSO_ECN),
  lacks(csum6, NETIF_F.TSO6, 'Dropping TSO6 features since no CSUM feature.'),
  lacks((f) => has(f, NETIF_F.TSO), NETIF_F.TSO_MANGLEID, 'Dropping TSO_MANGLEID since no TSO feature.'),
  {
    broken: (f) => (f & NETIF_F_ALL_TSO) === NETIF_F.TSO_ECN,
    drop: NETIF_F.TSO_ECN,
    why: 'Dropping TSO_ECN since no TSO feature.',
  },
  lacks(sg, NETIF_F.GSO, 'Dropping NETIF_F_GSO since no SG feature.'),
  lacks(csumBoth, NETIF_F.GSO_UDP_L4, 'Dropping USO feature since no CSUM feature.'),
  lacks(rxcsum, NETIF_F.GRO_HW, 'Dropping NETIF_F_GRO_HW since no RXCSUM feature.'),
  {
    broken: (f) => has(f, NETIF_F.RXFCS) && has(f, NETIF_F.LRO),
    drop: NETIF_F.LRO,
    why: 'Dropping LRO feature since RX-FCS is requested.',
  },
  {
    broken: (f) => has(f, NETIF_F.RXFCS) && has(f, NETIF_F.GRO_HW),
    drop: NETIF_F.GRO_HW,
    why: 'Dropping HW-GRO feature since RX-FCS is requested.',
  },
  {
    broken: (f) => has(f, NETIF_F.GRO_HW) && has(f, NETIF_F.LRO),
    drop: NETIF_F.LRO,
    why: 'Dropping LRO feature since HW-GRO is requested.',
  },
  lacks(csumBoth, NETIF_F.HW_TLS_TX, 'Dropping TLS TX HW offload feature since no CSUM feature.'),
  lacks(rxcsum, NETIF_F.HW_TLS_RX, 'Dropping TLS RX HW offload feature since no RXCSUM feature.'),
]

/**
 * What of a feature set can be on together. It only takes away.
 *
 * @param broken - called with each rule that took something away
 * @kernel netdev_fix_features() net/core/dev.c
 * @rule FEAT-03 FEAT-04
 */
export function netdevFixFeatures(
  features: NetdevFeatures,
  broken?: (rule: FeatureRule) => void,
): NetdevFeatures {
  let fixed = features
  for (const rule of FEATURE_RULES) {
    if (!rule.broken(fixed)) continue
    fixed &= ~rule.drop
    broken?.(rule)
  }
  return fixed
}
