import type { WorkStruct } from '@vnet/kernel'
import type { NetDevice } from './netdevice.ts'

/**
 * The devices whose link changed, and the work that will look at them.
 *
 * @kernel lweventlist net/core/link_watch.c
 */
export class LinkwatchState {
  readonly pending = new Set<NetDevice<any>>()
  /** Made by the first event. */
  work: WorkStruct | null = null
  /** Jiffies from which on the next event may be handled at once. */
  next = 0
}
