/**
 * What a driver gets from the rest of a kernel: a clock and timers, interrupt lines, softirqs, execution contexts,
 * rtnl, memory, the log with dynamic debug, the module loader, tracepoints, errors, and the reporter of broken rules.
 *
 * Everything hangs on one `Kernel`, made by `createKernel()`; two of them do not know of each other. Time and chance
 * come from it alone, so on its virtual clock the same seed gives the same run, byte for byte.
 *
 * @packageDocumentation
 */

export { createKernel, Kernel, msleep, udelay } from './kernel.ts'
export type { KernelOptions } from './kernel.ts'
export { Errno, ERRNO, errnoName, strerror } from './errno.ts'
export type { ErrnoName } from './errno.ts'
export { RuleViolation } from './rules.ts'

export {
  Clock,
  jiffiesToMsecs,
  msecsToJiffies,
  NSEC_PER_MSEC,
  NSEC_PER_SEC,
  NSEC_PER_USEC,
  usecsToJiffies,
} from './clock.ts'
export type { Ktime } from './clock.ts'
export { Rng } from './rng.ts'
export type { RngState } from './rng.ts'

export {
  CpuState,
  inHardirq,
  inSoftirq,
  inTask,
  irqsDisabled,
  localIrqRestore,
  localIrqSave,
  maySleep,
  mightSleep,
  rcuReadLock,
  rcuReadUnlock,
} from './context.ts'
export type { Context } from './context.ts'
export { onAnotherCpu, ScheduleBlocked } from './other-cpu.ts'
export { Rtnl } from './rtnl.ts'
export { Lockdep } from './lockdep.ts'
export type { LockLike } from './lockdep.ts'

export { EventLoop } from './events.ts'
export type { EventWatcher } from './events.ts'
export { modTimer, timerDelete, timerDeleteSync, TimerList, timerPending, timerSetup } from './timer.ts'
export {
  Hrtimer,
  hrtimerActive,
  hrtimerCancel,
  hrtimerSetup,
  hrtimerStart,
  hrtimerTryToCancel,
} from './hrtimer.ts'
export { HwEvent, hwEventCancel, hwEventPending, hwEventSetup, hwEventStart } from './hwevent.ts'
export {
  cancelWork,
  cancelWorkSync,
  flushWork,
  scheduleDelayedWork,
  scheduleWork,
  workPending,
  workSetup,
  WorkStruct,
} from './work.ts'
export { Kthread, kthreadRun, Kthreads, kthreadStop, wakeUpProcess } from './kthread.ts'

export { IRQ_STORM_ROUNDS, IrqController } from './irq.ts'
export { IRQ_HANDLED, IRQ_NONE } from './irq-line.ts'
export type { IrqHandler, IrqInfo, IrqReturn } from './irq-line.ts'
export {
  disableIrq,
  disableIrqNosync,
  enableIrq,
  freeIrq,
  requestIrq,
  synchronizeIrq,
} from './request-irq.ts'
export {
  localBhDisable,
  localBhEnable,
  MAX_SOFTIRQ_RESTART,
  MAX_SOFTIRQ_TIME,
  openSoftirq,
  raiseSoftirq,
  Softirq,
  softirqName,
  Softirqs,
} from './softirq.ts'
export type { SoftirqNr } from './softirq.ts'

export { MemoryRegion, PAGE_SIZE, PhysMemory } from './mem.ts'
export type { MemoryBlock } from './mem.ts'
export { copyBytes, FrameCopier, type WordMemory } from './copy.ts'
export { Census } from './census.ts'
export { Parallel, type ParallelChannel, type ParallelJobs, serveParallel } from './parallel.ts'
export type { CensusEntry, CensusItem } from './census.ts'

export * from './printk.ts'
export * from './ratelimit.ts'
export * from './dyndbg.ts'
export * from './module.ts'
export * from './module-param.ts'
export * from './modinfo.ts'
export * from './trace.ts'
