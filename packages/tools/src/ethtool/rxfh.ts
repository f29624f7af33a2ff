import { CliExit, formatRxfh, RSS_HASH_FUNCS } from '@vnet/ethtool'
import type { EthtoolRxfh } from '@vnet/ethtool'
import { EthtoolCmd } from '@vnet/netlink'
import type { Syscalls } from '../proc/process.ts'
import type { EthtoolRun } from './context.ts'
import { ethStruct } from './ioctl-call.ts'
import { call } from './ioctls.ts'
import { int } from './words.ts'

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

/** What `ethtool -X` was asked for. */
interface Wish {
  equal?: number
  start?: number
  weights?: number[]
  hkey?: string
  hfunc?: string
  default?: boolean
}

/** `ethtool -X` @kernel none */
export function* setRxfh(run: EthtoolRun): Syscalls<number> {
  const wish = parse(run)
  checkTogether(run, wish)
  yield* run.ioctl('Cannot get RX ring count', 1, () => ringCount(run))
  const now = yield* run.ioctl('Cannot get RX flow hash indir size and key size', 1, () => sizesOf(run))
  const table = wantedTable(run, wish, now.indir)
  const key = wish.hkey === undefined ? new Uint8Array(0) : hashKey(run, wish.hkey, now.key)
  const func = wish.hfunc === undefined ? 0 : hashFunc(run, wish.hfunc)
  const entries = table === undefined ? [] : table
  const size = wish.default === true ? 0 : table === undefined ? INDIR_NO_CHANGE : entries.length
  const ask = ethStruct(RXFH + 4 * entries.length + key.length, EthtoolCmd.SRSSH, 0, size, key.length)
  ask.bytes[16] = func
  for (const [i, queue] of entries.entries()) ask.view.setUint32(RXFH + 4 * i, queue, true)
  ask.bytes.set(key, RXFH + 4 * entries.length)
  yield* run.ioctl('Cannot set RX flow hash configuration', 1, () => call(run, ask))
  return 0
}

function parse(run: EthtoolRun): Wish {
  const words = [...run.args]
  if (words.length === 0) run.badArgs()
  const wish: Wish = {}
  const value = () => words.shift() ?? run.badArgs()
  while (words.length > 0) {
    const word = words.shift()
    if (word === 'equal') wish.equal = int(run, value()) || run.badArgs()
    else if (word === 'start') wish.start = int(run, value())
    else if (word === 'hkey') wish.hkey = value()
    else if (word === 'hfunc') wish.hfunc = value()
    else if (word === 'default') wish.default = true
    else if (word === 'weight') wish.weights = weights(run, words)
    else run.badArgs()
  }
  return wish
}

function weights(run: EthtoolRun, words: string[]): number[] {
  const list: number[] = []
  while (/^\d/.test(words[0] ?? '')) list.push(int(run, words.shift()!))
  return list.length > 0 ? list : run.badArgs()
}

function checkTogether(run: EthtoolRun, wish: Wish): void {
  const clash = (a: unknown, b: unknown, names: string) => {
    if (a !== undefined && b !== undefined) stop(run, `${names} options are mutually exclusive\n`)
  }
  clash(wish.equal, wish.weights, 'Equal and weight')
  clash(wish.equal, wish.default, 'Equal and default')
  clash(wish.weights, wish.default, 'Weight and default')
  clash(wish.start, wish.default, 'Start and default')
  if (wish.start !== undefined && wish.start > 0 && wish.equal === undefined && wish.weights === undefined) {
    stop(run, 'Start must be used with equal or weight options\n')
  }
}

/** Ends a command that makes no sense. @throws CliExit */
export function stop(run: EthtoolRun, text: string, exitCode = 1): never {
  run.err(text)
  throw new CliExit(exitCode)
}

function wantedTable(run: EthtoolRun, wish: Wish, size: number): number[] | undefined {
  const start = wish.start ?? 0
  const { equal } = wish
  if (equal !== undefined) return Array.from({ length: size }, (_, i) => start + (i % equal))
  return wish.weights === undefined ? undefined : weighted(run, wish.weights, size, start)
}

/** Each queue gets a run of the table as long as its share of all weights. */
function weighted(run: EthtoolRun, shares: readonly number[], size: number, start: number): number[] {
  const sum = shares.reduce((a, b) => a + b, 0)
  if (sum === 0) stop(run, 'At least one weight must be non-zero\n')
  if (sum > size) stop(run, 'Total weight exceeds the size of the indirection table\n')
  const table: number[] = []
  let partial = 0
  for (const [queue, share] of shares.entries()) {
    partial += share
    while (table.length < Math.floor((size * partial) / sum)) table.push(start + queue)
  }
  return table
}

function hashKey(run: EthtoolRun, text: string, length: number): Uint8Array {
  if (length === 0) stop(run, 'Cannot set RX flow hash configuration:\n Hash key setting not supported\n')
  const parts = text.split(':')
  const good = parts.length === length && parts.every((part) => /^[\da-fA-F]{2}$/.test(part))
  if (!good) stop(run, 'Invalid RSS hash key format\n', 2)
  return Uint8Array.from(parts, (part) => Number.parseInt(part, 16))
}

function hashFunc(run: EthtoolRun, name: string): number {
  const index = RSS_HASH_FUNCS.indexOf(name)
  return index < 0 ? stop(run, `Unknown hash function: ${name}\n`) : 1 << index
}
