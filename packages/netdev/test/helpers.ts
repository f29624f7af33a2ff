import {
  createKernel,
  type Kernel,
  type KernelOptions,
  openSoftirq,
  raiseSoftirq,
  RuleViolation,
  Softirq,
} from '@vnet/kernel'
import {
  consumeSkb,
  devOpen,
  type NetDevice,
  type NetDeviceOps,
  allocEtherdevMqs,
  ethHwAddrSet,
  netdevAllocSkb,
  NETDEV_TX_OK,
  netifTxDisable,
  netifTxStartAllQueues,
  registerNetdev,
  type SkBuff,
  skbPut,
} from '../src/index.ts'

export type TestOps = Partial<NetDeviceOps<any>>

export interface TestDev {
  readonly kernel: Kernel
  readonly dev: NetDevice<any>
}

/** A driver that takes every packet and consumes it at once. */
export const sink: NetDeviceOps<any> = {
  ndoOpen: (dev) => netifTxStartAllQueues(dev),
  ndoStop: (dev) => netifTxDisable(dev),
  ndoStartXmit(skb) {
    consumeSkb(skb)
    return NETDEV_TX_OK
  },
}

export function allocDev(
  kernel: Kernel,
  ops: TestOps = {},
  init: { name?: string; txqs?: number; rxqs?: number; priv?: unknown } = {},
): NetDevice<any> {
  const dev = allocEtherdevMqs<unknown>(kernel, {
    name: init.name ?? 'test%d',
    ops: { ...sink, ...ops },
    priv: () => init.priv ?? {},
    txqs: init.txqs ?? 1,
    rxqs: init.rxqs ?? 1,
  })
  ethHwAddrSet(dev, Uint8Array.of(2, 0, 0, 0, 0, 1))
  return dev
}

/** A registered device, up unless `down` is asked for. */
export function makeDev(
  ops: TestOps = {},
  init: {
    kernel?: Kernel
    options?: KernelOptions
    name?: string
    txqs?: number
    rxqs?: number
    priv?: unknown
    down?: boolean
    setup?: (dev: NetDevice<any>) => void
  } = {},
): TestDev {
  const kernel = init.kernel ?? createKernel(init.options)
  const dev = allocDev(kernel, ops, init)
  init.setup?.(dev)
  registerNetdev(dev)
  if (init.down !== true) kernel.rtnl.run(() => devOpen(dev))
  return { kernel, dev }
}

export function frame(dev: NetDevice<any>, bytes = 60): SkBuff {
  const skb = netdevAllocSkb(dev, bytes)
  if (skb === null) throw new Error('no memory for a test frame')
  skbPut(skb, bytes)
  skb.mem.fill(0, skb.data, skb.tail)
  skb.dev = dev
  return skb
}

/** The rule ids reported so far. */
export function rules(kernel: Kernel): string[] {
  return kernel.violations.map((violation) => violation.rule)
}

export function logTexts(kernel: Kernel): string[] {
  return kernel.log.records.map((record) => record.text)
}

/** How many skbs of a kernel are alive. */
export function liveSkbs(kernel: Kernel): number {
  return kernel.census.take().filter((entry) => entry.kind === 'skb').length
}

/** The id of the rule `fn` is reported for, in strict mode; '' when it goes through. */
export function reported(fn: () => void): string {
  try {
    fn()
  } catch (error) {
    if (error instanceof RuleViolation) return error.rule
    throw error
  }
  return ''
}

/** Rules are checked and recorded, and nothing is thrown. */
export const lenient: KernelOptions = { strict: false, checks: true }

/** Runs `fn` in a softirq, and throws what it throws. */
export function inSoftirq(kernel: Kernel, fn: () => void): void {
  let due: (() => void) | null = fn
  openSoftirq(kernel, Softirq.TASKLET, () => {
    const run = due
    due = null
    run?.()
  })
  raiseSoftirq(kernel, Softirq.TASKLET)
  kernel.step()
}
