/**
 * State bits of a transmit queue.
 *
 * @kernel enum netdev_queue_state_t include/linux/netdevice.h
 * @rule BQL-04
 */
export const QueueState = {
  /** The driver stopped it. */
  DRV_XOFF: 1,
  /** The byte queue limit stopped it. */
  STACK_XOFF: 2,
  /** The watchdog froze it. */
  FROZEN: 4,
  ANY_XOFF: 3,
  ANY_XOFF_OR_FROZEN: 7,
} as const
