import type { NetDevice } from '@vnet/netdev'

/** The bus that devices with a parent stand on. */
const PCI_ROOT = 'pci0000:00'

/** The directory below /sys/devices that holds a device's own: `virtual` or its parent's. */
export function parentPath(dev: NetDevice<any>): string {
  return dev.parentDev === null ? 'virtual' : `${PCI_ROOT}/${dev.parentDev}`
}

/** Where a network device is below /sys/devices. @kernel kobject_get_path() lib/kobject.c */
export function devicePath(dev: NetDevice<any>): string {
  return `${parentPath(dev)}/net/${dev.name}`
}
