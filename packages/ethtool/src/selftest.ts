import type { NetDevice } from '@vnet/netdev'
import { ethnlOps, requireOps } from './core.ts'
import { readStrings } from './strset.ts'

/** How far a self test may go. @kernel ETH_TEST_FL_OFFLINE include/uapi/linux/ethtool.h */
export interface SelfTestFlags {
  /** Traffic may be interrupted. */
  readonly offline: boolean
  /** A plug that connects transmit with receive is in. */
  readonly externalLb: boolean
}

/** What a self test found. */
export interface SelfTestResult {
  readonly failed: boolean
  /** The test with the external plug was done. */
  readonly externalLbDone?: boolean
  /** One number for each name of the set `'test'`, 0 for passed. */
  readonly data: readonly number[]
}

/** A self test's outcome with the names of its parts. */
export interface SelfTestReport extends SelfTestFlags {
  readonly failed: boolean
  readonly externalLbDone: boolean
  readonly tests: readonly { readonly name: string; readonly value: number }[]
}

/**
 * Has a card test itself.
 *
 * @throws Errno EOPNOTSUPP the driver has no test; ENODEV
 * @kernel ethtool_self_test() net/ethtool/ioctl.c
 * @rule ETH-12
 */
export function ethtoolSelfTest(dev: NetDevice<any>, flags: SelfTestFlags): SelfTestReport {
  const ops = requireOps(dev, 'selfTest', 'getStrings')
  return ethnlOps(dev, () => {
    const names = readStrings(dev, 'test')
    const result = ops.selfTest(dev, flags)
    if (result.data.length !== names.length) {
      dev.kernel.warnOn('ETH-12', `${dev.name}: ${result.data.length} test results for ${names.length} names`)
    }
    const tests = names.map((name, i) => ({ name, value: result.data[i] ?? 0 }))
    return { ...flags, failed: result.failed, externalLbDone: result.externalLbDone ?? false, tests }
  })
}
