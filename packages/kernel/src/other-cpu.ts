import { HeldLocks } from './lockdep.ts'
import { IN_PROCESS } from './context.ts'
import type { Kernel } from './kernel.ts'

/**
 * Thrown inside onAnotherCpu() by what would wait there for code that stands still here.
 *
 * On two CPUs it would simply wait. One thread cannot, so this schedule is impossible: whoever chose it catches
 * this and drops the choice.
 *
 * @kernel none
 */
export class ScheduleBlocked extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ScheduleBlocked'
  }
}

/**
 * Runs `fn` as if on a second CPU, while this one stands still where it is: for schedules tried at preemption points.
 *
 * There it is process context with everything on and no lock held, whatever goes on here. rtnl is one for all: held
 * here, it is held there. Softirqs that `fn` leaves pending run on this CPU.
 *
 * @kernel none
 */
export function onAnotherCpu(kernel: Kernel, fn: () => void): void {
  const { cpu, currentModule, lockdep, softirq } = kernel
  const { level, bhDepth, irqOffDepth, rcuDepth, hwDepth } = cpu
  const held = lockdep.swap(new HeldLocks())
  const pending = softirq.swapPending(0)
  enter(kernel, IN_PROCESS, 0, 0, 0, 0)
  kernel.currentModule = null
  cpu.otherDepth++
  try {
    fn()
  } finally {
    cpu.otherDepth--
    enter(kernel, level, bhDepth, irqOffDepth, rcuDepth, hwDepth)
    kernel.currentModule = currentModule
    lockdep.swap(held)
    softirq.swapPending(pending | softirq.pending)
  }
}

function enter(kernel: Kernel, level: number, bh: number, irqOff: number, rcu: number, hw: number): void {
  const { cpu } = kernel
  cpu.level = level
  cpu.bhDepth = bh
  cpu.irqOffDepth = irqOff
  cpu.rcuDepth = rcu
  cpu.hwDepth = hw
}

/** Says that the caller waits for what can never end: itself, or on another CPU, the code that stands still here. @kernel none */
export function reportEndlessWait(kernel: Kernel, rule: string, message: string): void {
  if (kernel.cpu.otherDepth > 0) throw new ScheduleBlocked(message)
  kernel.warnOn(rule, message)
}
