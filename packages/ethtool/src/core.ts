import { Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { netifDevicePresent } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { ethtoolOps } from './ops.ts'
import type { EthtoolOps } from './ops.ts'

/**
 * Runs `fn` with rtnl held, taking it unless the caller has it.
 *
 * @kernel none
 * @rule CTX-01
 */
export function withRtnl<T>(kernel: Kernel, fn: () => T): T {
  return kernel.rtnl.held ? fn() : kernel.rtnl.run(fn)
}

/**
 * Calls into a driver's table: rtnl held, device present, `begin` before and `complete` after, also on failure.
 *
 * @throws Errno ENODEV the device is gone or detached; whatever the driver throws
 * @kernel ethnl_ops_begin() net/ethtool/netlink.c
 * @rule ETH-11 ETH-04 LIFE-04
 */
export function ethnlOps<T>(dev: NetDevice<any>, call: () => T): T {
  return withRtnl(dev.kernel, () => {
    if (!netifDevicePresent(dev) || dev.regState !== 'registered') throw new Errno('ENODEV')
    return asDriver(dev, () => beginComplete(dev, call))
  })
}

/** What the driver makes is tagged with its module. */
function asDriver<T>(dev: NetDevice<any>, call: () => T): T {
  const kernel = dev.kernel
  const before = kernel.currentModule
  kernel.currentModule = dev.module
  try {
    return call()
  } finally {
    kernel.currentModule = before
  }
}

function beginComplete<T>(dev: NetDevice<any>, call: () => T): T {
  const ops = ethtoolOps(dev)
  ops.begin?.(dev)
  const logged = dev.kernel.log.nextSeq
  try {
    return call()
  } catch (error) {
    checkSaidOnce(dev, error, logged)
    throw error
  } finally {
    ops.complete?.(dev)
  }
}

/** A sentence that goes to the person who asked must not go to the log as well. */
function checkSaidOnce(dev: NetDevice<any>, error: unknown, logged: number): void {
  const extack = error instanceof Errno ? error.extack : undefined
  if (extack === undefined) return
  if (dev.kernel.log.since(logged).some((record) => record.text.includes(extack))) {
    dev.kernel.warnOn('ETH-04', `${dev.name}: refusal "${extack}" went to the caller and to the log`)
  }
}

/** The table of a device, with entries that are known to be there. */
export type OpsWith<K extends keyof EthtoolOps> = EthtoolOps<any> & Required<Pick<EthtoolOps<any>, K>>

/**
 * The device's table, if it has all the entries named.
 *
 * @throws Errno EOPNOTSUPP when one is missing
 * @kernel none
 * @rule ETH-01
 */
export function requireOps<K extends keyof EthtoolOps>(dev: NetDevice<any>, ...entries: K[]): OpsWith<K> {
  const ops = ethtoolOps(dev)
  if (entries.some((entry) => ops[entry] === undefined)) throw unsupported()
  return ops as OpsWith<K>
}

/** A refusal of what the driver does not offer. @kernel EOPNOTSUPP include/uapi/asm-generic/errno.h @rule ETH-01 */
export function unsupported(message?: string, badAttr?: string): Errno {
  return new Errno('EOPNOTSUPP', message, badAttr)
}
