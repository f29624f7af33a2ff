import { Errno } from '@vnet/kernel'
import {
  __netdevUpdateFeatures,
  callNetdeviceNotifiers,
  featureByName,
  NETIF_F_NEVER_CHANGE,
} from '@vnet/netdev'
import type { NetDevice, NetdevFeatures } from '@vnet/netdev'
import { ethnlOps, withRtnl } from './core.ts'

/** The features of a device, as sets of netdev bits. */
export interface EthtoolFeatures {
  /** What a user may switch. */
  readonly hw: NetdevFeatures
  /** What the user wants. */
  readonly wanted: NetdevFeatures
  /** What is on. */
  readonly active: NetdevFeatures
  /** What nobody can ever switch. */
  readonly nochange: NetdevFeatures
}

/** What came of a request: the bits that differ, and how they stand now. */
export interface EthtoolFeaturesResult {
  /** Asked for, but not as asked. */
  readonly wantedMask: NetdevFeatures
  /** What was asked for of those. */
  readonly wanted: NetdevFeatures
  /** Changed, asked for or not. */
  readonly activeMask: NetdevFeatures
  /** How those stand now. */
  readonly active: NetdevFeatures
  /** All that was asked for. */
  readonly requested: NetdevFeatures
}

/** One switch of a request. */
export interface FeatureRequest {
  /** The kernel's name: `'tx-tcp-segmentation'`. */
  readonly name: string
  readonly value: boolean
}

/**
 * Reads the features of a device.
 *
 * @kernel features_prepare_data() net/ethtool/features.c
 */
export function ethtoolGetFeatures(dev: NetDevice<any>): EthtoolFeatures {
  return {
    hw: dev.hwFeatures,
    wanted: dev.wantedFeatures,
    active: dev.features,
    nochange: NETIF_F_NEVER_CHANGE,
  }
}

/**
 * Asks for features on or off; netdev and the driver decide what becomes of it.
 *
 * A wish that cannot be met is no error: the result tells what differs. One `features-ntf` is sent when anything changed.
 *
 * @throws Errno EOPNOTSUPP an unknown name; EINVAL a feature nobody can switch; ENODEV
 * @kernel ethnl_set_features() net/ethtool/features.c
 * @rule FEAT-01 FEAT-03 ETH-02 ETH-03
 */
export function ethtoolSetFeatures(
  dev: NetDevice<any>,
  request: readonly FeatureRequest[],
): EthtoolFeaturesResult {
  const { value, mask } = parse(request)
  return withRtnl(dev.kernel, () => {
    const result = ethnlOps(dev, () => switchOver(dev, mask, value))
    if (result.activeMask !== 0n) callNetdeviceNotifiers('NETDEV_FEAT_CHANGE', dev)
    return result
  })
}

function switchOver(dev: NetDevice<any>, mask: NetdevFeatures, value: NetdevFeatures): EthtoolFeaturesResult {
  if ((mask & NETIF_F_NEVER_CHANGE) !== 0n) {
    throw new Errno('EINVAL', 'attempt to change non-ethtool features')
  }
  const before = dev.features
  setWanted(dev, mask & dev.hwFeatures, value)
  const wantedMask = (value ^ dev.features) & mask
  const activeMask = before ^ dev.features
  return {
    wantedMask,
    wanted: value & wantedMask,
    activeMask,
    active: dev.features & activeMask,
    requested: mask,
  }
}

function setWanted(dev: NetDevice<any>, mask: NetdevFeatures, value: NetdevFeatures): void {
  const wanted = (dev.wantedFeatures & ~mask) | (value & mask)
  if (wanted === dev.wantedFeatures) return
  dev.wantedFeatures = wanted
  __netdevUpdateFeatures(dev)
}

function parse(request: readonly FeatureRequest[]): { value: NetdevFeatures; mask: NetdevFeatures } {
  let value = 0n
  let mask = 0n
  for (const [at, { name, value: on }] of request.entries()) {
    const feature = featureByName(name)
    if (feature === undefined) throw new Errno('EOPNOTSUPP', 'bit name not found', `wanted/bits/${at}/name`)
    mask |= feature.mask
    value = on ? value | feature.mask : value & ~feature.mask
  }
  return { value, mask }
}
