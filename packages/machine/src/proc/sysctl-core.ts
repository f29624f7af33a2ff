import { Errno, type Kernel } from '@vnet/kernel'
import { softnet } from '@vnet/napi'
import { defaultQdisc, rxStateOf, setDefaultQdisc } from '@vnet/netdev'
import { staticDir } from '../vfs/dirs.ts'
import type { VfsDir, VfsFile } from '../vfs/node.ts'
import { intFile } from './int-file.ts'

const USEC_PER_SEC = 1_000_000

/** A number that must be at least 1: with less nothing would be received any more. @throws Errno EINVAL */
function positive(get: () => number, set: (value: number) => void): VfsFile {
  return intFile(get, (value) => {
    if (value < 1) throw new Errno('EINVAL')
    set(value)
  })
}

/** /proc/sys/net/core: what of it does something. @kernel net_core_table net/core/sysctl_net_core.c */
export function sysNetCoreDir(kernel: Kernel): VfsDir {
  const rx = rxStateOf(kernel)
  const napi = softnet(kernel)
  const { hz } = kernel.clock
  return staticDir({
    default_qdisc: {
      kind: 'file',
      mode: 0o644,
      read: () => `${defaultQdisc(kernel).id}\n`,
      write: (text) => kernel.rtnl.run(() => setDefaultQdisc(kernel, text.trim())),
    },
    dev_weight: positive(
      () => rx.backlogWeight,
      (value) => (rx.backlogWeight = value),
    ),
    netdev_budget: positive(
      () => napi.netdevBudget,
      (value) => (napi.netdevBudget = value),
    ),
    netdev_budget_usecs: positive(
      () => Math.round((napi.netdevBudgetJiffies * USEC_PER_SEC) / hz),
      (value) => (napi.netdevBudgetJiffies = Math.ceil((value * hz) / USEC_PER_SEC)),
    ),
    netdev_max_backlog: positive(
      () => rx.maxBacklog,
      (value) => (rx.maxBacklog = value),
    ),
  })
}
