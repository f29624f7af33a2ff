import { createKernel, IRQ_HANDLED, type Kernel, type KernelOptions, requestIrq } from '@vnet/kernel'
import {
  __napiSchedule,
  napiCompleteDone,
  napiEnable,
  type NapiAddOptions,
  type NapiHandle,
  type NapiOwner,
  type NapiPoll,
  napiSchedulePrep,
  type NapiStruct,
  netifNapiAdd,
} from '../src/index.ts'

/** The driver's bugs a test can switch on. */
export interface Bugs {
  /** Unmask whatever napiCompleteDone said (NAPI-11). */
  readonly unmaskAlways?: boolean
  /** Unmask without looking for what came in the gap (NAPI-13). */
  readonly noSecondLook?: boolean
}

/** A device that interrupts when something arrives, with the interrupt masked while it is polled. Edge-triggered. */
export class Source implements NapiOwner {
  readonly kernel: Kernel
  readonly name: string
  readonly ifindex: number
  readonly irq: number
  napi: NapiStruct
  backlog = 0
  arrived = 0
  handled = 0
  masked = false
  interrupts = 0
  /** Interrupts taken while the instance was owned already: the mask failed. */
  strayInterrupts = 0
  /** Work of each poll. */
  polls: number[] = []
  /** Time of each poll. */
  times: number[] = []
  /** Called in each poll, before anything else. */
  onPoll: (budget: number) => void = () => {}
  readonly attached = new Set<NapiHandle>()

  constructor(kernel: Kernel, name = 'src0', options: NapiAddOptions = {}, bugs: Bugs = {}, poll?: NapiPoll) {
    this.kernel = kernel
    this.name = name
    this.ifindex = 1
    this.irq = kernel.irq.allocLine(name)
    const good: NapiPoll = (napi, budget) => this.pollOnce(napi, budget, bugs)
    this.napi = netifNapiAdd(this, poll ?? good, options)
    requestIrq(kernel, this.irq, () => this.interrupt(), {}, name, this)
  }

  napiAttach(napi: NapiHandle): void {
    this.attached.add(napi)
  }

  napiDetach(napi: NapiHandle): void {
    this.attached.delete(napi)
  }

  /** `n` items arrive from outside. */
  arrive(n: number): void {
    this.kernel.hardware(() => {
      this.backlog += n
      this.arrived += n
      if (!this.masked) this.kernel.irq.pulse(this.irq)
    })
  }

  private interrupt(): 1 {
    this.interrupts++
    if (napiSchedulePrep(this.napi)) {
      this.masked = true
      this.kernel.preemptHook?.('irq:before-schedule')
      __napiSchedule(this.napi)
    } else {
      this.strayInterrupts++
    }
    return IRQ_HANDLED
  }

  pollOnce(napi: NapiStruct, budget: number, bugs: Bugs = {}): number {
    this.onPoll(budget)
    const work = Math.min(budget, this.backlog)
    this.backlog -= work
    this.handled += work
    this.polls.push(work)
    this.times.push(this.kernel.clock.ktimeGet())
    if (work === budget) return work
    const unmask = napiCompleteDone(napi, work)
    if (unmask || bugs.unmaskAlways === true) this.unmask(bugs)
    return work
  }

  private unmask(bugs: Bugs): void {
    this.kernel.preemptHook?.('napi:before-unmask')
    this.masked = false
    if (this.backlog > 0 && bugs.noSecondLook !== true) this.kernel.irq.pulse(this.irq)
  }
}

/** A kernel, and an enabled source on it. */
export function started(
  options: KernelOptions = {},
  add: NapiAddOptions = {},
): { kernel: Kernel; source: Source } {
  const kernel = createKernel(options)
  const source = new Source(kernel, 'src0', add)
  napiEnable(source.napi)
  return { kernel, source }
}

/** A kernel that goes on after a violation, and an enabled source whose driver polls with `poll`. */
export function withPoller(poll: NapiPoll, options: KernelOptions = { strict: false, checks: true }) {
  const kernel = createKernel(options)
  const source = new Source(kernel, 'bad0', {}, {}, poll)
  napiEnable(source.napi)
  return { kernel, source, napi: source.napi }
}

export const rules = (kernel: Kernel): string[] => kernel.violations.map((v) => v.rule)

/** Lets everything that is due happen. */
export const settle = (kernel: Kernel): void => kernel.runFor(0)
