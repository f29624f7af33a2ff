import { RSS_HASH_FUNCS } from '../rxfh.ts'
import type { EthtoolRxfhRequest } from '../rxfh.ts'
import type { CommandLine } from './line.ts'
import { int } from './words.ts'

/** What `ethtool -X` was asked for. */
export interface RxfhWish {
  equal?: number
  start?: number
  weights?: number[]
  hkey?: string
  hfunc?: string
  default?: boolean
}

/** Reads the words of `ethtool -X`, which may clash. @throws CliExit @kernel none */
export function parseRxfh(cli: CommandLine): RxfhWish {
  const words = [...cli.args]
  if (words.length === 0) cli.badArgs()
  const wish: RxfhWish = {}
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
  checkTogether(cli, wish)
  return wish
}

function weights(cli: CommandLine, words: string[]): number[] {
  const list: number[] = []
  while (/^\d/.test(words[0] ?? '')) list.push(int(cli, words.shift()!))
  return list.length > 0 ? list : cli.badArgs()
}

function checkTogether(cli: CommandLine, wish: RxfhWish): void {
  const clash = (a: unknown, b: unknown, names: string) => {
    if (a !== undefined && b !== undefined) cli.stop(`${names} options are mutually exclusive\n`)
  }
  clash(wish.equal, wish.weights, 'Equal and weight')
  clash(wish.equal, wish.default, 'Equal and default')
  clash(wish.weights, wish.default, 'Weight and default')
  clash(wish.start, wish.default, 'Start and default')
  if (wish.start && wish.equal === undefined && wish.weights === undefined) {
    cli.stop('Start must be used with equal or weight options\n')
  }
}

/** What to ask of a card whose table has `indir` entries and whose key has `key` bytes. @throws CliExit @kernel none */
export function rxfhRequest(
  cli: CommandLine,
  wish: RxfhWish,
  { indir, key }: { readonly indir: number; readonly key: number },
): EthtoolRxfhRequest {
  return {
    indir: wantedTable(cli, wish, indir),
    key: wish.hkey === undefined ? undefined : hashKey(cli, wish.hkey, key),
    hfunc: wish.hfunc === undefined ? undefined : hashFunc(cli, wish.hfunc),
  }
}

function wantedTable(cli: CommandLine, wish: RxfhWish, size: number): EthtoolRxfhRequest['indir'] {
  const start = wish.start ?? 0
  const { equal } = wish
  if (wish.default === true) return 'default'
  if (equal !== undefined) return Array.from({ length: size }, (_, i) => start + (i % equal))
  return wish.weights === undefined ? undefined : weighted(cli, wish.weights, size, start)
}

/** Each queue gets a run of the table as long as its share of all weights. */
function weighted(cli: CommandLine, shares: readonly number[], size: number, start: number): number[] {
  const sum = shares.reduce((a, b) => a + b, 0)
  if (sum === 0) cli.stop('At least one weight must be non-zero\n')
  if (sum > size) cli.stop('Total weight exceeds the size of the indirection table\n')
  const table: number[] = []
  let partial = 0
  for (const [queue, share] of shares.entries()) {
    partial += share
    while (table.length < Math.floor((size * partial) / sum)) table.push(start + queue)
  }
  return table
}

function hashKey(cli: CommandLine, text: string, length: number): Uint8Array {
  if (length === 0) cli.stop('Cannot set RX flow hash configuration:\n Hash key setting not supported\n')
  const parts = text.split(':')
  const good = parts.length === length && parts.every((part) => /^[\da-fA-F]{2}$/.test(part))
  if (!good) cli.stop('Invalid RSS hash key format\n', 2)
  return Uint8Array.from(parts, (part) => parseInt(part, 16))
}

function hashFunc(cli: CommandLine, name: string): number {
  const index = RSS_HASH_FUNCS.indexOf(name)
  return index < 0 ? cli.stop(`Unknown hash function: ${name}\n`) : 1 << index
}
