import { unsupported } from '../core.ts'
import { formatRxfh } from '../format/others.ts'
import { ethtoolGetRxfh, ethtoolGetRxRingCount, ethtoolSetRxfh, RSS_HASH_FUNCS } from '../rxfh.ts'
import type { EthtoolRxfh, EthtoolRxfhRequest } from '../rxfh.ts'
import { CliExit } from './context.ts'
import type { Cli } from './context.ts'
import { int } from './ioctls.ts'

const SIZE_FAILED = 'Cannot get RX flow hash indir size and/or key size'

/** `ethtool -x` @kernel none */
export function showRxfh(cli: Cli): number {
  if (cli.args.length > 0) cli.badArgs()
  const queues = cli.ioctl('Cannot get RX ring count', 1, () => ethtoolGetRxRingCount(cli.ioctlDev(false)))
  const rxfh = cli.ioctl(SIZE_FAILED, 1, () => ethtoolGetRxfh(cli.ioctlDev(false)))
  cli.out(formatRxfh(cli.devname, queues, rxfh))
  return 0
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
export function setRxfh(cli: Cli): number {
  const wish = parse(cli)
  checkTogether(cli, wish)
  cli.ioctl('Cannot get RX ring count', 1, () => ethtoolGetRxRingCount(cli.ioctlDev(false)))
  const now = cli.ioctl('Cannot get RX flow hash indir size and key size', 1, () =>
    ethtoolGetRxfh(cli.ioctlDev(false)),
  )
  const request: EthtoolRxfhRequest = {
    indir: wantedTable(cli, wish, now.indir.length),
    key: wish.hkey === undefined ? undefined : hashKey(cli, wish.hkey, now),
    hfunc: wish.hfunc === undefined ? undefined : hashFunc(cli, wish.hfunc),
  }
  cli.ioctl('Cannot set RX flow hash configuration', 1, () => ethtoolSetRxfh(cli.ioctlDev(true), request))
  return 0
}

function parse(cli: Cli): Wish {
  const words = [...cli.args]
  if (words.length === 0) cli.badArgs()
  const wish: Wish = {}
  const value = () => words.shift() ?? cli.badArgs()
  while (words.length > 0) {
    const word = words.shift()
    if (word === 'equal') wish.equal = int(cli, value()) || cli.badArgs()
    else if (word === 'start') wish.start = int(cli, value())
    else if (word === 'hkey') wish.hkey = value()
    else if (word === 'hfunc') wish.hfunc = value()
    else if (word === 'default') wish.default = true
    else if (word === 'weight') wish.weights = weights(cli, words)
    else cli.badArgs()
  }
  return wish
}

function weights(cli: Cli, words: string[]): number[] {
  const list: number[] = []
  while (/^\d/.test(words[0] ?? '')) list.push(int(cli, words.shift()!))
  return list.length > 0 ? list : cli.badArgs()
}

function checkTogether(cli: Cli, wish: Wish): void {
  const clash = (a: unknown, b: unknown, names: string) => {
    if (a !== undefined && b !== undefined) stop(cli, `${names} options are mutually exclusive\n`)
  }
  clash(wish.equal, wish.weights, 'Equal and weight')
  clash(wish.equal, wish.default, 'Equal and default')
  clash(wish.weights, wish.default, 'Weight and default')
  clash(wish.start, wish.default, 'Start and default')
  if (wish.start && wish.equal === undefined && wish.weights === undefined) {
    stop(cli, 'Start must be used with equal or weight options\n')
  }
}

function stop(cli: Cli, text: string, exitCode = 1): never {
  cli.err(text)
  throw new CliExit(exitCode)
}

function wantedTable(cli: Cli, wish: Wish, size: number): EthtoolRxfhRequest['indir'] {
  const start = wish.start ?? 0
  if (wish.default === true) return 'default'
  if (wish.equal !== undefined) return Array.from({ length: size }, (_, i) => start + (i % wish.equal!))
  return wish.weights === undefined ? undefined : weighted(cli, wish.weights, size, start)
}

/** Each queue gets a run of the table as long as its share of all weights. */
function weighted(cli: Cli, shares: readonly number[], size: number, start: number): number[] {
  const sum = shares.reduce((a, b) => a + b, 0)
  if (sum === 0) stop(cli, 'At least one weight must be non-zero\n')
  if (sum > size) stop(cli, 'Total weight exceeds the size of the indirection table\n')
  const table: number[] = []
  let partial = 0
  for (const [queue, share] of shares.entries()) {
    partial += share
    while (table.length < Math.floor((size * partial) / sum)) table.push(start + queue)
  }
  return table
}

function hashKey(cli: Cli, text: string, now: EthtoolRxfh): Uint8Array {
  if (now.key.length === 0) {
    stop(cli, 'Cannot set RX flow hash configuration:\n Hash key setting not supported\n')
  }
  const parts = text.split(':')
  const good = parts.length === now.key.length && parts.every((part) => /^[\da-fA-F]{2}$/.test(part))
  if (!good) stop(cli, 'Invalid RSS hash key format\n', 2)
  return Uint8Array.from(parts, (part) => parseInt(part, 16))
}

function hashFunc(cli: Cli, name: string): number {
  const index = RSS_HASH_FUNCS.indexOf(name)
  return index < 0 ? stop(cli, `Unknown hash function: ${name}\n`) : 1 << index
}

const FLOW_TYPES = ['tcp4', 'udp4', 'ah4', 'esp4', 'sctp4', 'tcp6', 'udp6', 'ah6', 'esp6', 'sctp6', 'ether']

/** `ethtool -n`: how many queues, and the rules; no device here shows rules or hash fields to the tool. @kernel none */
export function showRules(cli: Cli): number {
  const [word, type] = cli.args
  if (word === 'rx-flow-hash') {
    if (cli.args.length !== 2 || !FLOW_TYPES.includes(type!)) cli.badArgs()
    return refuse(cli, 'Cannot get RX network flow hashing options')
  }
  if (word === 'rule' && cli.args.length === 2) {
    int(cli, type!)
    attempt(cli, () => refuse(cli, 'rxclass: Cannot get RX class rule'))
    return stop(cli, 'Cannot get RX classification rule\n')
  }
  cli.noArgs()
  attempt(cli, () => {
    const queues = cli.ioctl('Cannot get RX rings', 1, () => ethtoolGetRxRingCount(cli.ioctlDev(false)))
    cli.out(`${queues} RX rings available\n`)
  })
  attempt(cli, () => refuse(cli, 'rxclass: Cannot get RX class rule count'))
  return stop(cli, 'RX classification rule retrieval failed\n')
}

/** `ethtool -N`: always refused; a refused change of the hash fields exits with 0, as the tool does. @kernel none */
export function setRules(cli: Cli): number {
  const [word, type, fields] = cli.args
  if (cli.args.length < 2) cli.badArgs()
  if (word === 'rx-flow-hash') {
    if (cli.args.length !== 3 || !FLOW_TYPES.includes(type!) || !/^[mvtsdfnr]*$/.test(fields!)) cli.badArgs()
    attempt(cli, () => refuse(cli, 'Cannot change RX network flow hashing options', true))
    return 0
  }
  if (word === 'delete') {
    int(cli, type!)
    attempt(cli, () => refuse(cli, 'rmgr: Cannot delete RX class rule', true))
    return stop(cli, 'Cannot delete classification rule\n')
  }
  if (word !== 'flow-type') cli.badArgs()
  attempt(cli, () => refuse(cli, 'rmgr: Cannot insert RX class rule', true))
  return stop(cli, 'Cannot insert classification rule\n')
}

function refuse(cli: Cli, what: string, admin = false): never {
  return cli.ioctl(what, 1, () => {
    cli.ioctlDev(admin)
    throw unsupported()
  })
}

/** Runs a step whose failure does not end the command. */
function attempt(cli: Cli, step: () => void): void {
  try {
    step()
  } catch (error) {
    if (!(error instanceof CliExit)) throw error
  }
}
