/** Owned: whoever set this bit polls the instance. @kernel NAPIF_STATE_SCHED include/linux/netdevice.h */
export const NAPIF_STATE_SCHED = 1 << 0
/** Scheduled while owned: one more poll is due. @kernel NAPIF_STATE_MISSED include/linux/netdevice.h */
export const NAPIF_STATE_MISSED = 1 << 1
/** Being disabled: nobody may schedule it. @kernel NAPIF_STATE_DISABLE include/linux/netdevice.h */
export const NAPIF_STATE_DISABLE = 1 << 2
/** Kept from being completed: disabled, or polled with budget 0. @kernel NAPIF_STATE_NPSVC include/linux/netdevice.h */
export const NAPIF_STATE_NPSVC = 1 << 3
/** Added and not deleted. @kernel NAPIF_STATE_LISTED include/linux/netdevice.h */
export const NAPIF_STATE_LISTED = 1 << 4
/** Owned by a busy loop. @kernel NAPIF_STATE_IN_BUSY_POLL include/linux/netdevice.h */
export const NAPIF_STATE_IN_BUSY_POLL = 1 << 6
/** A busy loop would like to own it. @kernel NAPIF_STATE_PREFER_BUSY_POLL include/linux/netdevice.h */
export const NAPIF_STATE_PREFER_BUSY_POLL = 1 << 7
/** Polled by a thread of its own. @kernel NAPIF_STATE_THREADED include/linux/netdevice.h */
export const NAPIF_STATE_THREADED = 1 << 8
/** Owned by its thread. @kernel NAPIF_STATE_SCHED_THREADED include/linux/netdevice.h */
export const NAPIF_STATE_SCHED_THREADED = 1 << 9

const NAMES: readonly (readonly [number, string])[] = [
  [NAPIF_STATE_SCHED, 'SCHED'],
  [NAPIF_STATE_MISSED, 'MISSED'],
  [NAPIF_STATE_DISABLE, 'DISABLE'],
  [NAPIF_STATE_NPSVC, 'NPSVC'],
  [NAPIF_STATE_LISTED, 'LISTED'],
  [NAPIF_STATE_IN_BUSY_POLL, 'IN_BUSY_POLL'],
  [NAPIF_STATE_PREFER_BUSY_POLL, 'PREFER_BUSY_POLL'],
  [NAPIF_STATE_THREADED, 'THREADED'],
  [NAPIF_STATE_SCHED_THREADED, 'SCHED_THREADED'],
]

/**
 * Returns the names of the bits set in a state, for messages and inspectors: `'SCHED|LISTED'`.
 *
 * @kernel none
 */
export function napiStateNames(state: number): string {
  return NAMES.filter(([bit]) => (state & bit) !== 0)
    .map(([, name]) => name)
    .join('|')
}
