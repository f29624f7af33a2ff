import type { Inet } from '@vnet/inet'
import type { Kernel } from '@vnet/kernel'
import { kmsgFile } from './log/kmsg.ts'
import { procTree } from './proc/tree.ts'
import { sysTree } from './sys/tree.ts'
import { staticDir } from './vfs/dirs.ts'
import type { VfsDir } from './vfs/node.ts'

/** Everything below `/`. @kernel none */
export function rootTree(kernel: Kernel, inet: Inet, name: string): VfsDir {
  return staticDir({
    dev: staticDir({ kmsg: kmsgFile(kernel) }),
    proc: procTree(kernel, inet, name),
    sys: sysTree(kernel),
  })
}
