import type { NetDevice } from '@vnet/netdev'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { neighIfdown } from '../neigh/remove.ts'
import { fibFlush, fibSyncDownDev } from './sync.ts'

/** IPv4 leaves a device: its routes and neighbours go. @kernel fib_disable_ip() net/ipv4/fib_frontend.c */
export function fibDisableIp(
  ipv4: Ipv4,
  dev: NetDevice<any>,
  event: 'down' | 'unregister',
  force: boolean,
): void {
  fibSyncDownDev(ipv4, dev, event, force)
  fibFlush(ipv4)
  neighIfdown(ipv4.arp, dev)
}
