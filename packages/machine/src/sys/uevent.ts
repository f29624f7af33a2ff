import { Errno, prErr, type Kernel } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { attribute } from '../vfs/dirs.ts'
import type { VfsFile } from '../vfs/node.ts'
import { devicePath } from './device-path.ts'

/** What may be written into `uevent`. @kernel kobject_actions[] lib/kobject_uevent.c */
const ACTIONS: readonly string[] = ['add', 'remove', 'change', 'move', 'online', 'offline', 'bind', 'unbind']

/**
 * A `uevent` file. Writing an action would have udev told of it; nobody listens here.
 *
 * @kernel uevent_store() drivers/base/core.c
 */
export function ueventFile(kernel: Kernel, path: string, read: () => string): VfsFile {
  return attribute(read, (text) => {
    const action = text.split(/[\s]/)[0]!
    if (ACTIONS.includes(action)) return
    prErr(kernel, `synth uevent: ${path}: unknown uevent action string`)
    throw new Errno('EINVAL')
  })
}

/** What udev is told of a network device. @kernel netdev_uevent() net/core/net-sysfs.c */
export function netDeviceUevent(dev: NetDevice<any>): VfsFile {
  return ueventFile(
    dev.kernel,
    `/devices/${devicePath(dev)}`,
    () => `INTERFACE=${dev.name}\nIFINDEX=${dev.ifindex}\n`,
  )
}
