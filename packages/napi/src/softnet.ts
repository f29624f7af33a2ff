import { type Kernel, openSoftirq, Softirq } from '@vnet/kernel'
import { netRxAction } from './net-rx.ts'
import { napiName, type NapiOwner, type NapiStruct } from './napi-struct.ts'
import { SoftnetData } from './softnet-data.ts'

/**
 * Returns the kernel's NAPI state: budgets, counters, instances.
 *
 * @kernel softnet_data net/core/dev.c
 * @rule NAPI-17
 */
export function softnet(kernel: Kernel): SoftnetData {
  return kernel.subsys('napi', createSoftnet)
}

/**
 * Finds a living instance by its id.
 *
 * @kernel napi_by_id() net/core/dev.c
 */
export function napiById(kernel: Kernel, napiId: number): NapiStruct | undefined {
  return softnet(kernel).napis.find((n) => n.napiId === napiId)
}

/**
 * Lists the instances of an owner, in the order they were added.
 *
 * @kernel napi_list of struct net_device include/linux/netdevice.h
 */
export function napiList(owner: NapiOwner): NapiStruct[] {
  return softnet(owner.kernel).napis.filter((n) => n.owner === owner)
}

function createSoftnet(kernel: Kernel): SoftnetData {
  const data = new SoftnetData(kernel)
  openSoftirq(kernel, Softirq.NET_RX, () => netRxAction(data))
  kernel.census.add('napi', () => data.napis.map((n) => ({ name: napiName(n), module: n.module })))
  return data
}
