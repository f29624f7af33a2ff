import { formatRxfh, parseRxfh, rxfhRequest } from '@vnet/ethtool'
import type { EthtoolRxfh } from '@vnet/ethtool'
import { EthtoolCmd } from '@vnet/netlink'
import type { Syscalls } from '../proc/process.ts'
import type { EthtoolRun } from './context.ts'
import { ethStruct } from './ioctl-call.ts'
import { call } from './ioctls.ts'

const RXNFC = 192
const RXFH = 24
/** Leaves the table as it is. @kernel ETH_RXFH_INDIR_NO_CHANGE include/uapi/linux/ethtool.h */
const INDIR_NO_CHANGE = 0xffffffff
/** Entries of a table, and bytes of a key, that a card could have. */
const MAX_TABLE = 1 << 16

/** How many queues the card receives on. @throws Errno */
export function* ringCount(run: EthtoolRun): Syscalls<number> {
  const answer = yield* call(run, ethStruct(RXNFC, EthtoolCmd.GRXRINGS))
  return Number(answer.u64(8) & 0xffffffffn)
}

interface Sizes {
  readonly indir: number
  readonly key: number
}

function* sizesOf(run: EthtoolRun): Syscalls<Sizes> {
  const head = yield* call(run, ethStruct(RXFH, EthtoolCmd.GRSSH))
  return { indir: Math.min(head.u32(8), MAX_TABLE), key: Math.min(head.u32(12), MAX_TABLE) }
}

/** `ethtool -x` @kernel none */
export function* showRxfh(run: EthtoolRun): Syscalls<number> {
  if (run.args.length > 0) run.badArgs()
  const queues = yield* run.ioctl('Cannot get RX ring count', 1, () => ringCount(run))
  const sizes = yield* run.ioctl('Cannot get RX flow hash indir size and/or key size', 1, () => sizesOf(run))
  const rss = yield* run.ioctl('Cannot get RX flow hash configuration', 1, () => read(run, sizes))
  run.out(formatRxfh(run.devname, queues, rss))
  return 0
}

function* read(run: EthtoolRun, { indir, key }: Sizes): Syscalls<EthtoolRxfh> {
  const answer = yield* call(run, ethStruct(RXFH + 4 * indir + key, EthtoolCmd.GRSSH, 0, indir, key))
  const at = RXFH + 4 * indir
  return {
    indir: Array.from({ length: indir }, (_, i) => answer.u32(RXFH + 4 * i)),
    key: answer.bytes.slice(at, at + key),
    hfunc: answer.bytes[16] ?? 0,
  }
}

/** `ethtool -X` @kernel none */
export function* setRxfh(run: EthtoolRun): Syscalls<number> {
  const wish = parseRxfh(run)
  yield* run.ioctl('Cannot get RX ring count', 1, () => ringCount(run))
  const now = yield* run.ioctl('Cannot get RX flow hash indir size and key size', 1, () => sizesOf(run))
  const { indir, key = new Uint8Array(0), hfunc = 0 } = rxfhRequest(run, wish, now)
  const entries = typeof indir === 'object' ? indir : []
  const size = indir === undefined ? INDIR_NO_CHANGE : entries.length
  const ask = ethStruct(RXFH + 4 * entries.length + key.length, EthtoolCmd.SRSSH, 0, size, key.length)
  ask.bytes[16] = hfunc
  for (const [i, queue] of entries.entries()) ask.view.setUint32(RXFH + 4 * i, queue, true)
  ask.bytes.set(key, RXFH + 4 * entries.length)
  yield* run.ioctl('Cannot set RX flow hash configuration', 1, () => call(run, ask))
  return 0
}
