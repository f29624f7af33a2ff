import { Errno } from '@vnet/kernel'
import { Iff } from './constants.ts'
import { assertRtnl, callNdo } from './control.ts'
import { type FeatureRule, netdevFixFeatures } from './feature-fix.ts'
import { NETIF_F, type NetdevFeatures } from './features.ts'
import { netdevErr, netdevWarn } from './netdev-printk.ts'
import type { NetDevice } from './netdevice.ts'
import { tellNetdeviceNotifiers } from './notifier.ts'

/** What the core itself does for every device. @kernel NETIF_F_SOFT_FEATURES include/linux/netdev_features.h */
export const NETIF_F_SOFT_FEATURES = NETIF_F.GSO | NETIF_F.GRO
/** The same, but off until asked for. @kernel NETIF_F_SOFT_FEATURES_OFF include/linux/netdev_features.h */
export const NETIF_F_SOFT_FEATURES_OFF = NETIF_F.GRO_FRAGLIST | NETIF_F.GRO_UDP_FWD
/** What no user can change. @kernel NETIF_F_NEVER_CHANGE include/linux/netdev_features.h */
export const NETIF_F_NEVER_CHANGE = NETIF_F.VLAN_CHALLENGED | NETIF_F.LLTX | NETIF_F.NETNS_LOCAL

/** Adds the core's own features to a device that is being registered. @kernel register_netdevice() net/core/dev.c @rule FEAT-01 */
export function registerFeatures(dev: NetDevice<any>): void {
  dev.hwFeatures |= NETIF_F_SOFT_FEATURES | NETIF_F_SOFT_FEATURES_OFF
  dev.features |= NETIF_F_SOFT_FEATURES
  dev.wantedFeatures = dev.features & dev.hwFeatures
  if ((dev.flags & Iff.LOOPBACK) === 0) dev.hwFeatures |= NETIF_F.NOCACHE_COPY
  if ((dev.hwFeatures & NETIF_F.TSO) !== 0n) dev.hwFeatures |= NETIF_F.TSO_MANGLEID
  if ((dev.vlanFeatures & NETIF_F.TSO) !== 0n) dev.vlanFeatures |= NETIF_F.TSO_MANGLEID
  dev.vlanFeatures |= NETIF_F.HIGHDMA
}

/** What would be on if nothing depended on anything. @kernel netdev_get_wanted_features() include/linux/netdevice.h */
export function netdevGetWantedFeatures(dev: NetDevice<any>): NetdevFeatures {
  return (dev.features & ~dev.hwFeatures) | dev.wantedFeatures
}

/**
 * Brings the features on now in line with those wanted, without a notice. rtnl is held.
 *
 * @returns true when they changed, or the driver failed to change them
 * @kernel __netdev_update_features() net/core/dev.c
 * @rule FEAT-01 FEAT-02 FEAT-04
 */
export function __netdevUpdateFeatures(dev: NetDevice<any>): boolean {
  assertRtnl(dev.kernel, 'netdevUpdateFeatures')
  const wanted = askDriver(dev, netdevGetWantedFeatures(dev))
  const features = netdevFixFeatures(wanted, (rule) => sayDropped(dev, rule))
  if (features === dev.features) return false
  if (!setFeatures(dev, features)) return true
  dev.setActiveFeatures(features)
  return true
}

function sayDropped(dev: NetDevice<any>, rule: FeatureRule): void {
  if (rule.warn === true) netdevWarn(dev, rule.why)
}

function askDriver(dev: NetDevice<any>, wanted: NetdevFeatures): NetdevFeatures {
  const { ops, kernel } = dev
  if (ops.ndoFixFeatures === undefined) return wanted
  const fix = (features: NetdevFeatures): NetdevFeatures =>
    callNdo(dev, 'ndoFixFeatures', () => ops.ndoFixFeatures!(dev, features))
  const state = (): string => [dev.features, dev.hwFeatures, dev.wantedFeatures].join()
  const before = state()
  const fixed = fix(wanted)
  if (kernel.checks && (state() !== before || fix(wanted) !== fixed)) {
    kernel.warnOn('FEAT-02', `${dev.name}: ndoFixFeatures does more than compute`)
  }
  return fixed
}

/** Has the card follow. @returns false when it did not: the driver left `dev.features` at what it has */
function setFeatures(dev: NetDevice<any>, features: NetdevFeatures): boolean {
  const { ops } = dev
  if (ops.ndoSetFeatures === undefined) return true
  dev.featuresOpen = true
  try {
    return callNdo(dev, 'ndoSetFeatures', () => ops.ndoSetFeatures!(dev, features)) !== true
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    netdevErr(
      dev,
      `set_features() failed (${error.errno}); wanted ${hex(features)}, left ${hex(dev.features)}`,
    )
    return false
  } finally {
    dev.featuresOpen = false
  }
}

function hex(features: NetdevFeatures): string {
  return `0x${features.toString(16).padStart(16, '0')}`
}

/**
 * Brings the features on now in line with those wanted; a notice follows if they may have changed. rtnl is held.
 *
 * @returns true when a notice was sent
 * @kernel netdev_update_features() net/core/dev.c
 * @rule FEAT-05
 */
export function netdevUpdateFeatures(dev: NetDevice<any>): boolean {
  if (!__netdevUpdateFeatures(dev)) return false
  tellNetdeviceNotifiers('NETDEV_FEAT_CHANGE', dev)
  return true
}

/** The same with a notice in any case: for drivers whose abilities changed. rtnl is held. @kernel netdev_change_features() net/core/dev.c @rule FEAT-05 */
export function netdevChangeFeatures(dev: NetDevice<any>): void {
  __netdevUpdateFeatures(dev)
  tellNetdeviceNotifiers('NETDEV_FEAT_CHANGE', dev)
}

/**
 * Asks for features by hand, as `ethtool -K` does: those of `mask` take their value from `values`. rtnl is held.
 *
 * @returns true when the features on now changed
 * @throws Errno EINVAL when `mask` has what this device cannot change
 * @kernel ethtool_set_features() net/ethtool/ioctl.c
 * @rule FEAT-01 FEAT-05
 */
export function netdevSetWantedFeatures(
  dev: NetDevice<any>,
  mask: NetdevFeatures,
  values: NetdevFeatures,
): boolean {
  assertRtnl(dev.kernel, 'netdevSetWantedFeatures')
  if ((mask & ~(dev.hwFeatures & ~NETIF_F_NEVER_CHANGE)) !== 0n) throw new Errno('EINVAL')
  dev.wantedFeatures = (dev.wantedFeatures & ~mask) | (values & mask)
  const before = dev.features
  netdevUpdateFeatures(dev)
  return dev.features !== before
}
