import type { Kernel } from '@vnet/kernel'
import { Errno } from '@vnet/kernel'
import { netOf } from './net.ts'
import type { NetDevice } from './netdevice.ts'

/** The device of a name, or undefined. @kernel __dev_get_by_name() net/core/dev.c */
export function devGetByName(kernel: Kernel, name: string): NetDevice<any> | undefined {
  return netOf(kernel).devByName.get(name)
}

/** The device of an interface index, or undefined. @kernel __dev_get_by_index() net/core/dev.c */
export function devGetByIndex(kernel: Kernel, ifindex: number): NetDevice<any> | undefined {
  return netOf(kernel).devByIndex.get(ifindex)
}

/** Every registered device, in the order `ip link` shows. A new array each time. @kernel for_each_netdev() include/linux/netdevice.h */
export function forEachNetdev(kernel: Kernel): NetDevice<any>[] {
  return [...netOf(kernel).devByIndex.values()].sort((a, b) => a.ifindex - b.ifindex)
}

/** A free interface index. @throws Errno EBUSY when `wanted` is taken @kernel dev_index_reserve() net/core/dev.c @rule LIFE-10 */
export function devNewIndex(dev: NetDevice<any>, wanted = 0): number {
  const { net } = dev
  if (wanted > 0) {
    if (net.devByIndex.has(wanted)) throw new Errno('EBUSY')
    return wanted
  }
  while (net.devByIndex.has(net.ifindexNext)) net.ifindexNext++
  return net.ifindexNext++
}
