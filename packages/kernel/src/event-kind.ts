/** What an event in the heap is. */
export const EventKind = {
  TIMER: 0,
  HRTIMER: 1,
  HW: 2,
  WORK: 3,
  KTHREAD: 4,
  KSOFTIRQD: 5,
} as const
