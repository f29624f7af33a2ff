import type { Kernel } from '@vnet/kernel'
import { Iff, registerNetdeviceNotifier, type NetDevice } from '@vnet/netdev'

/** Where a name comes from. @kernel NET_NAME_ENUM include/uapi/linux/netdevice.h */
const NetName = { ENUM: 1, PREDICTABLE: 2, RENAMED: 4 } as const

/** What sysfs remembers of a receive queue. @kernel struct netdev_rx_queue include/net/netdev_rx_queue.h */
export interface RxQueueState {
  rpsCpus: number
  rpsFlowCnt: number
}

/** What can be set in sysfs and nobody else keeps. */
class NetSysfsState {
  readonly #renamed = new WeakSet<NetDevice<any>>()
  readonly #rxQueues = new WeakMap<NetDevice<any>, RxQueueState[]>()

  constructor(kernel: Kernel) {
    registerNetdeviceNotifier(kernel, (event, dev) => {
      if (event === 'NETDEV_CHANGENAME') this.#renamed.add(dev)
    })
  }

  nameAssignType(dev: NetDevice<any>): number {
    if (this.#renamed.has(dev)) return NetName.RENAMED
    return (dev.flags & Iff.LOOPBACK) !== 0 ? NetName.PREDICTABLE : NetName.ENUM
  }

  rxQueue(dev: NetDevice<any>, index: number): RxQueueState {
    let queues = this.#rxQueues.get(dev)
    if (queues === undefined) this.#rxQueues.set(dev, (queues = []))
    return (queues[index] ??= { rpsCpus: 0, rpsFlowCnt: 0 })
  }
}

/** What sysfs remembers of the devices of a kernel. @kernel none */
export function netSysfsState(kernel: Kernel): NetSysfsState {
  return kernel.subsys('net-sysfs', (k) => new NetSysfsState(k))
}
