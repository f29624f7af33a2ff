import type { NetDevice } from '@vnet/netdev'
import { link, liveDir } from '../vfs/dirs.ts'
import type { VfsDir, VfsNode } from '../vfs/node.ts'
import { parentPath } from './device-path.ts'
import { NET_CLASS_ATTRS } from './net-attrs.ts'
import { queuesDir } from './net-queues.ts'
import { statisticsDir } from './net-statistics.ts'
import { powerDir } from './power.ts'

type Dev = NetDevice<any>

const SUBDIRS: Readonly<Record<string, (dev: Dev) => VfsNode>> = {
  power: powerDir,
  queues: queuesDir,
  statistics: statisticsDir,
  subsystem: (dev) => link(`${up(dev)}class/net`),
}

/** From the device's directory to /sys. */
function up(dev: Dev): string {
  const depth = parentPath(dev).split('/').length
  return '../'.repeat(depth + 3)
}

/** The directory of a network device in sysfs. @kernel netdev_register_kobject() net/core/net-sysfs.c */
export function netDeviceDir(dev: Dev): VfsDir {
  const makers: Readonly<Record<string, (dev: Dev) => VfsNode>> =
    dev.parentDev === null
      ? { ...NET_CLASS_ATTRS, ...SUBDIRS }
      : { ...NET_CLASS_ATTRS, ...SUBDIRS, device: () => link(`../../../${dev.parentDev}`) }
  return liveDir(
    () => Object.keys(makers),
    (name) => (Object.hasOwn(makers, name) ? makers[name]!(dev) : undefined),
  )
}
