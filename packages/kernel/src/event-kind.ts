/** What an event in the heap is. Those from WORK on need process context. @kernel none */
export const EventKind = {
  TIMER: 0,
  HRTIMER: 1,
  HW: 2,
  WORK: 3,
  KTHREAD: 4,
  KSOFTIRQD: 5,
} as const
