import { Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import type { NetDevice } from './netdevice.ts'

/**
 * Reports unless rtnl is held in process context: who changes a device must be alone.
 *
 * @kernel ASSERT_RTNL() include/linux/rtnetlink.h
 * @rule CTX-01
 */
export function assertRtnl(kernel: Kernel, what: string): void {
  if (kernel.ctx !== 'process') kernel.warnOn('CTX-01', `${what} in ${kernel.ctx} context`)
  if (!kernel.rtnl.held) kernel.warnOn('CTX-01', `${what} without rtnl`)
}

/**
 * Begins a control call: rtnl is held and the device is still there.
 *
 * @throws Errno ENODEV after unregistering
 * @kernel none
 * @rule LIFE-04 CTX-01
 */
export function enterControl(dev: NetDevice<any>, what: string): void {
  assertRtnl(dev.kernel, what)
  if (dev.regState !== 'registered') throw new Errno('ENODEV')
}

/**
 * Calls a driver's control hook: in process context with rtnl held, tagged with the driver's module.
 *
 * @kernel none
 * @rule CTX-01
 */
export function callNdo<T>(dev: NetDevice<any>, hook: string, call: () => T): T {
  const kernel = dev.kernel
  assertRtnl(kernel, hook)
  const before = kernel.currentModule
  kernel.currentModule = dev.module
  try {
    return call()
  } finally {
    kernel.currentModule = before
  }
}
