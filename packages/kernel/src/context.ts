import type { Kernel } from './kernel.ts'

/** Where the CPU is: running a program or a thread, bottom halves, or an interrupt handler. */
export type Context = 'process' | 'softirq' | 'hardirq'

/** By `CpuState.level`. A number, because hot code asks, and comparing texts costs three loads more. */
export const CONTEXTS: readonly Context[] = ['process', 'softirq', 'hardirq']
/** Levels of {@link CpuState}. */
export const IN_PROCESS = 0
export const IN_SOFTIRQ = 1
export const IN_HARDIRQ = 2

/**
 * What this kernel's one CPU may do just now. Read it; the kernel writes it.
 *
 * @kernel preempt_count() include/linux/preempt.h
 */
export class CpuState {
  /** Where it is: 0 process, 1 softirq, 2 hardirq. `kernel.ctx` is the same by name. */
  level = 0
  /** How many times softirqs were turned off and not yet on again. */
  bhDepth = 0
  /** How many times interrupts were turned off and not yet on again. */
  irqOffDepth = 0
  /** How many read-side sections are open. */
  rcuDepth = 0
  /** Above 0 while the outside world acts: what it raises is delivered when it is done. */
  hwDepth = 0
  /** Above 0 inside onAnotherCpu(). */
  otherDepth = 0
}

/** True when an interrupt could be taken now. @kernel none */
export function irqsDeliverable(kernel: Kernel): boolean {
  const cpu = kernel.cpu
  return cpu.level !== IN_HARDIRQ && cpu.irqOffDepth === 0 && cpu.hwDepth === 0
}

/** True when softirqs could run now. @kernel none */
export function softirqsRunnable(kernel: Kernel): boolean {
  const cpu = kernel.cpu
  return cpu.level === IN_PROCESS && cpu.bhDepth === 0 && cpu.irqOffDepth === 0 && cpu.hwDepth === 0
}

/** True when the running code may sleep: plain process context, nothing held or turned off. @kernel preemptible() include/linux/preempt.h */
export function maySleep(kernel: Kernel): boolean {
  return softirqsRunnable(kernel) && kernel.cpu.rcuDepth === 0 && kernel.lockdep.heldCount === 0
}

/**
 * After an exception went through an interrupt or a softirq: puts the CPU back to where it was interrupted.
 *
 * Locks the exception passed by stay locked; whoever took them is broken anyway.
 *
 * @kernel none
 */
export function unwind(kernel: Kernel, bhDepth: number, rcuDepth: number, held: number): void {
  kernel.cpu.bhDepth = bhDepth
  kernel.cpu.rcuDepth = rcuDepth
  // Neither an interrupt nor a softirq begins with interrupts off.
  kernel.cpu.irqOffDepth = 0
  kernel.lockdep.forget(held)
}

/**
 * Reports unless the caller may sleep here; `what` names the function that might.
 *
 * Every function of this kernel that could wait calls it, also when it need not wait this time.
 *
 * @kernel might_sleep() include/linux/kernel.h
 * @rule CTX-02 CTX-03 CTX-06
 */
export function mightSleep(kernel: Kernel, what: string): void {
  if (maySleep(kernel)) return
  const cpu = kernel.cpu
  if (kernel.ctx === 'hardirq') report('CTX-06', 'in an interrupt handler')
  else if (cpu.hwDepth > 0) report('CTX-06', 'from hardware, where nothing can sleep')
  else if (cpu.rcuDepth > 0) report('CTX-03', 'in a read-side section')
  else if (kernel.lockdep.heldCount > 0)
    report('CTX-02', `with lock ${kernel.lockdep.heldNames().join(', ')} held`)
  else if (kernel.ctx === 'softirq') report('CTX-02', 'in a softirq')
  else if (cpu.bhDepth > 0) report('CTX-02', 'with softirqs off')
  else report('CTX-02', 'with interrupts off')

  function report(rule: string, where: string): void {
    kernel.warnOn(rule, `${what} might sleep, called ${where}`)
  }
}

/**
 * Begins a section in which nothing may sleep, such as a look at a list that others change.
 *
 * @kernel rcu_read_lock() include/linux/rcupdate.h
 * @rule CTX-03
 */
export function rcuReadLock(kernel: Kernel): void {
  kernel.cpu.rcuDepth++
}

/**
 * Ends what rcuReadLock() began.
 *
 * @kernel rcu_read_unlock() include/linux/rcupdate.h
 * @rule CTX-03
 */
export function rcuReadUnlock(kernel: Kernel): void {
  if (kernel.cpu.rcuDepth === 0) kernel.warnOn('CTX-03', 'rcuReadUnlock without rcuReadLock')
  else kernel.cpu.rcuDepth--
}

/**
 * Turns interrupts off on this CPU and returns what localIrqRestore() needs.
 *
 * Lines asserted meanwhile are delivered when interrupts are on again.
 *
 * @kernel local_irq_save() include/linux/irqflags.h
 */
export function localIrqSave(kernel: Kernel): number {
  return kernel.cpu.irqOffDepth++
}

/**
 * Puts interrupts back as they were before localIrqSave(), and delivers what waited.
 *
 * @kernel local_irq_restore() include/linux/irqflags.h
 */
export function localIrqRestore(kernel: Kernel, flags: number): void {
  kernel.cpu.irqOffDepth = flags
  kernel.irq.deliver()
}

/** True when interrupts are off or an interrupt handler runs. @kernel irqs_disabled() include/linux/irqflags.h */
export function irqsDisabled(kernel: Kernel): boolean {
  return kernel.ctx === 'hardirq' || kernel.cpu.irqOffDepth > 0
}

/** True in a softirq, and in process context with softirqs off. @kernel in_softirq() include/linux/preempt.h */
export function inSoftirq(kernel: Kernel): boolean {
  return kernel.ctx === 'softirq' || kernel.cpu.bhDepth > 0
}

/** True in an interrupt handler. @kernel in_hardirq() include/linux/preempt.h */
export function inHardirq(kernel: Kernel): boolean {
  return kernel.ctx === 'hardirq'
}

/** True in process context with softirqs on. @kernel in_task() include/linux/preempt.h */
export function inTask(kernel: Kernel): boolean {
  return kernel.ctx === 'process'
}
