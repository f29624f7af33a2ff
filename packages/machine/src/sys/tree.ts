import type { Kernel } from '@vnet/kernel'
import { devGetByName, forEachNetdev, type NetDevice } from '@vnet/netdev'
import { cablesFile } from '../cable/cables-file.ts'
import { link, liveDir, staticDir } from '../vfs/dirs.ts'
import type { VfsDir } from '../vfs/node.ts'
import { devicePath, parentPath } from './device-path.ts'
import { dynamicDebugControl } from './dynamic-debug.ts'
import { modulesDir } from './modules.ts'
import { netDeviceDir } from './net-device.ts'

/** /sys. @kernel sysfs_init() fs/sysfs/mount.c */
export function sysTree(kernel: Kernel): VfsDir {
  return staticDir({
    class: staticDir({ net: classNet(kernel) }),
    devices: devicesDir(kernel, []),
    kernel: staticDir({
      debug: staticDir({
        dynamic_debug: staticDir({ control: dynamicDebugControl(kernel) }),
        vnet: staticDir({ cables: cablesFile(kernel) }),
      }),
    }),
    module: modulesDir(kernel),
  })
}

/** /sys/class/net: a link for each device. @kernel net_class net/core/net-sysfs.c */
function classNet(kernel: Kernel): VfsDir {
  return liveDir(
    () => forEachNetdev(kernel).map((dev) => dev.name),
    (name) => {
      const dev = devGetByName(kernel, name)
      return dev === undefined ? undefined : link(`../../devices/${devicePath(dev)}`)
    },
  )
}

/** A directory below /sys/devices: those on the way to a device, and the devices themselves. */
function devicesDir(kernel: Kernel, way: readonly string[]): VfsDir {
  const here = way.join('/')
  const below = (dev: NetDevice<any>): boolean => here === '' || devicePath(dev).startsWith(`${here}/`)
  return liveDir(
    () => {
      const names = forEachNetdev(kernel)
        .filter(below)
        .map((dev) => devicePath(dev).split('/')[way.length]!)
      // There is always a place for virtual devices.
      return new Set(here === '' ? ['virtual', ...names] : here === 'virtual' ? ['net', ...names] : names)
    },
    (name) => {
      const path = here === '' ? name : `${here}/${name}`
      const dev = devGetByName(kernel, name)
      if (dev !== undefined && `${parentPath(dev)}/net` === here) return netDeviceDir(dev)
      const known = path === 'virtual' || path === 'virtual/net'
      const isWay = forEachNetdev(kernel).some((other) => devicePath(other).startsWith(`${path}/`))
      return known || isWay ? devicesDir(kernel, [...way, name]) : undefined
    },
  )
}
