import { ETH_GSTRING_LEN, ethtoolGetStats, ethtoolGetStrings, ethtoolSelfTest } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { DEVICE_SETS, GLOBAL_SETS } from '../ethnl/strings.ts'
import { u32Bytes, u64Bytes } from './call.ts'
import type { EthtoolCall, EthtoolIoctl } from './call.ts'
import { EthtoolCmd } from './ethtool-cmd.ts'
import { userStruct } from './memory.ts'

/** The names of a set by its number. @throws Errno EOPNOTSUPP @kernel __ethtool_get_sset_count() net/ethtool/ioctl.c */
function namesOf(dev: NetDevice<any>, set: number): readonly string[] {
  const own = DEVICE_SETS.get(set)
  if (own !== undefined) return ethtoolGetStrings(dev, own)
  const names = GLOBAL_SETS.get(set)
  if (names === undefined) throw new Errno('EOPNOTSUPP')
  return names.map((name) => name ?? '')
}

/** Names in fields of 32 bytes. */
function stringBytes(names: readonly string[]): Uint8Array {
  const out = userStruct(names.length * ETH_GSTRING_LEN)
  for (const [i, name] of names.entries()) out.setText(i * ETH_GSTRING_LEN, ETH_GSTRING_LEN, name)
  return out.bytes
}

/** @kernel ethtool_get_strings() net/ethtool/ioctl.c */
function getStrings(call: EthtoolCall): void {
  const head = call.read(12)
  const names = namesOf(call.dev, head.u32(4))
  head.setU32(8, names.length)
  call.write(head)
  call.write(stringBytes(names), 12)
}

/** How long each of some sets is: the sets that exist, and a number for each. @kernel ethtool_get_sset_info() net/ethtool/ioctl.c */
function getSsetInfo(call: EthtoolCall): void {
  const head = call.read(16)
  const asked = head.view.getBigUint64(8, true)
  let known = 0n
  const counts: number[] = []
  for (let set = 0; set < 64; set++) {
    const bit = 1n << BigInt(set)
    if ((asked & bit) === 0n) continue
    const count = countOf(call.dev, set)
    if (count === null) continue
    known |= bit
    counts.push(count)
  }
  head.view.setBigUint64(8, known, true)
  call.write(head)
  call.write(u32Bytes(counts), 16)
}

function countOf(dev: NetDevice<any>, set: number): number | null {
  try {
    return namesOf(dev, set).length
  } catch (error) {
    if (error instanceof Errno && error.code === 'EOPNOTSUPP') return null
    throw error
  }
}

/** @kernel ethtool_get_stats() net/ethtool/ioctl.c */
function getStats(call: EthtoolCall): void {
  const head = call.read(8)
  const stats = ethtoolGetStats(call.dev)
  head.setU32(4, stats.length)
  call.write(head)
  call.write(u64Bytes(stats.map((stat) => stat.value)), 8)
}

const ETH_TEST_FL = { OFFLINE: 1, FAILED: 2, EXTERNAL_LB: 4, EXTERNAL_LB_DONE: 8 } as const

/** @kernel ethtool_self_test() net/ethtool/ioctl.c */
function selfTest(call: EthtoolCall): void {
  const head = call.read(16)
  const flags = head.u32(4)
  const report = ethtoolSelfTest(call.dev, {
    offline: (flags & ETH_TEST_FL.OFFLINE) !== 0,
    externalLb: (flags & ETH_TEST_FL.EXTERNAL_LB) !== 0,
  })
  head.setU32(
    4,
    flags |
      (report.failed ? ETH_TEST_FL.FAILED : 0) |
      (report.externalLbDone ? ETH_TEST_FL.EXTERNAL_LB_DONE : 0),
  )
  head.setU32(12, report.tests.length)
  call.write(head)
  call.write(u64Bytes(report.tests.map((test) => BigInt(test.value))), 16)
}

/** Names, counters and self tests. */
export const STRING_IOCTLS: readonly (readonly [number, EthtoolIoctl])[] = [
  [EthtoolCmd.GSTRINGS, getStrings],
  [EthtoolCmd.GSSET_INFO, getSsetInfo],
  [EthtoolCmd.GSTATS, getStats],
  [EthtoolCmd.TEST, selfTest],
]
