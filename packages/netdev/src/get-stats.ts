import { rcuReadLock, rcuReadUnlock } from '@vnet/kernel'
import type { NetDevice } from './netdevice.ts'
import { RtnlLinkStats64 } from './stats.ts'

/**
 * The statistics of a device: the driver's, and what the core dropped before and after it. Any context.
 *
 * @param storage - filled and returned; a new one when left out
 * @kernel dev_get_stats() net/core/dev.c
 * @rule CTX-03 STAT-03 STAT-12
 */
export function devGetStats(
  dev: NetDevice<any>,
  storage: RtnlLinkStats64 = new RtnlLinkStats64(),
): RtnlLinkStats64 {
  for (const key of Object.keys(storage) as (keyof RtnlLinkStats64)[]) storage[key] = 0n
  if (dev.ops.ndoGetStats64 !== undefined) readDriver(dev, storage)
  const core = dev.coreStats
  storage.rxDropped += BigInt(core.rxDropped)
  storage.txDropped += BigInt(core.txDropped)
  storage.rxNohandler += BigInt(core.rxNohandler)
  storage.rxOtherhostDropped += BigInt(core.rxOtherhostDropped)
  return storage
}

function readDriver(dev: NetDevice<any>, storage: RtnlLinkStats64): void {
  const { kernel } = dev
  // Inside a read-side section whoever might sleep is reported (CTX-03).
  rcuReadLock(kernel)
  try {
    dev.ops.ndoGetStats64!(dev, storage)
  } finally {
    rcuReadUnlock(kernel)
  }
  if (kernel.checks) checkSums(dev, storage)
}

const RX_DETAILS = ['rxLengthErrors', 'rxOverErrors', 'rxCrcErrors', 'rxFrameErrors', 'rxFifoErrors'] as const
const TX_DETAILS = [
  'txAbortedErrors',
  'txCarrierErrors',
  'txFifoErrors',
  'txHeartbeatErrors',
  'txWindowErrors',
] as const

/** Detailed errors are part of the total. */
function checkSums(dev: NetDevice<any>, s: RtnlLinkStats64): void {
  const rx = RX_DETAILS.reduce((sum, key) => sum + s[key], 0n)
  const tx = TX_DETAILS.reduce((sum, key) => sum + s[key], 0n)
  if (rx > s.rxErrors)
    dev.kernel.warnOn('STAT-04', `${dev.name}: rxErrors ${s.rxErrors}, its details add up to ${rx}`)
  if (tx > s.txErrors)
    dev.kernel.warnOn('STAT-04', `${dev.name}: txErrors ${s.txErrors}, its details add up to ${tx}`)
}
