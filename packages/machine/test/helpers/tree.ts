import { createKernel, type Kernel, type KernelOptions } from '@vnet/kernel'
import { devChangeFlags, devGetByName, devGetFlags, Iff, type NetDevice } from '@vnet/netdev'
import { createVnetModule } from '@vnet/vnet'
import { loopbackInit } from '../../src/lo/loopback.ts'
import { sysTree } from '../../src/sys/tree.ts'
import { Vfs } from '../../src/vfs/vfs.ts'
import { staticDir } from '../../src/vfs/dirs.ts'

/** A kernel with `lo` and `vnet0`, and its /sys; no protocol stack. */
export function sysOfVnet(
  args: readonly string[] = [],
  options: KernelOptions = {},
): { kernel: Kernel; dev: NetDevice<any>; vfs: Vfs } {
  const kernel = createKernel({ regionBytes: 1 << 20, ...options })
  loopbackInit(kernel)
  kernel.modules.insmod(createVnetModule(), args)
  const dev = devGetByName(kernel, 'vnet0')!
  return { kernel, dev, vfs: new Vfs(staticDir({ sys: sysTree(kernel) })) }
}

/** Brings a device up or down. */
export function setUp(dev: NetDevice<any>, up: boolean): void {
  const flags = devGetFlags(dev)
  dev.kernel.rtnl.run(() => devChangeFlags(dev, up ? flags | Iff.UP : flags & ~Iff.UP))
}

/** What a shell's `cat` makes of a file: its text without the last newline, and the code it ends with. */
export function cat(vfs: Vfs, path: string): string {
  try {
    return `${vfs.read(path).replace(/\n$/, '')} (rc=0)`
  } catch (error) {
    return `cat: read error: ${(error as Error).message} (rc=1)`
  }
}
