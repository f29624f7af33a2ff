import type { NetDevice } from '@vnet/netdev'

/** What the core itself remembers about a device. */
interface EthtoolState {
  /** Somebody set the indirection table, so channels it points at stay. */
  rxfhConfigured: boolean
  /** The names of the driver's statistics when they were first asked for. */
  statNames: readonly string[] | null
}

/** The core's own notes about a device. @kernel struct ethtool_netdev_state include/linux/ethtool.h */
export function ethtoolState(dev: NetDevice<any>): EthtoolState {
  const known = dev.ethtool as EthtoolState | null | undefined
  if (known !== null && known !== undefined) return known
  const made: EthtoolState = { rxfhConfigured: false, statNames: null }
  dev.ethtool = made
  return made
}

/** True when somebody set the indirection table. @kernel netif_is_rxfh_configured() include/linux/netdevice.h @rule MQ-06 */
export function rxfhConfigured(dev: NetDevice<any>): boolean {
  return ethtoolState(dev).rxfhConfigured
}
