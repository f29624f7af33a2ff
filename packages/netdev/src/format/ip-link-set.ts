import type { Kernel } from '@vnet/kernel'
import { Iff } from '../constants.ts'
import { devSetMacAddress } from '../address.ts'
import { devChangeCarrier, devChangeName, devChangeTxQueueLen, devSetAlias, devSetGroup } from '../change.ts'
import { devChangeFlags, devGetFlags } from '../flags.ts'
import { devGetByName } from '../lookup.ts'
import { devSetMtu } from '../mtu.ts'
import type { NetDevice } from '../netdevice.ts'
import { garbage, IpError } from './ip-error.ts'

/** What a `link set` line asks for. */
interface LinkChange {
  dev: string | null
  /** Flag bits to set, of those in `mask`. */
  flags: number
  mask: number
  address?: Uint8Array
  mtu?: number
  name?: string
  alias?: string
  group?: number
  carrier?: boolean
  txqlen?: number
}

/**
 * `ip link set [dev] NAME` with up, down, address, mtu, name, alias, group, txqueuelen, carrier, and the on/off words
 * promisc, allmulticast, multicast, arp. Takes rtnl.
 *
 * @throws IpError for a line `ip` itself refuses, Errno for one the kernel refuses
 * @kernel rtnl_setlink() net/core/rtnetlink.c
 */
export function ipLinkSet(kernel: Kernel, words: readonly string[]): void {
  const change = parse(words)
  if (change.dev === null) throw new IpError(255, 'Not enough of information: "dev" argument is required.')
  const dev = devGetByName(kernel, change.dev)
  if (dev === undefined) throw new IpError(1, `Cannot find device "${change.dev}"`)
  if (change.address !== undefined && change.address.length !== dev.addrLen) {
    throw new IpError(1, `Invalid address length ${change.address.length} - must be ${dev.addrLen} bytes`)
  }
  kernel.rtnl.run(() => apply(dev, change))
}

/** In the order the kernel applies the attributes. */
function apply(dev: NetDevice<any>, change: LinkChange): void {
  if (change.address !== undefined) devSetMacAddress(dev, change.address)
  if (change.mtu !== undefined) devSetMtu(dev, change.mtu)
  if (change.group !== undefined) devSetGroup(dev, change.group)
  if (change.name !== undefined) devChangeName(dev, change.name)
  if (change.alias !== undefined) devSetAlias(dev, change.alias)
  if (change.mask !== 0) devChangeFlags(dev, (devGetFlags(dev) & ~change.mask) | change.flags)
  if (change.carrier !== undefined) devChangeCarrier(dev, change.carrier)
  if (change.txqlen !== undefined) devChangeTxQueueLen(dev, change.txqlen)
}

const SWITCHES: Readonly<Record<string, { readonly flag: number; readonly inverted?: boolean }>> = {
  promisc: { flag: Iff.PROMISC },
  allmulticast: { flag: Iff.ALLMULTI },
  multicast: { flag: Iff.MULTICAST },
  arp: { flag: Iff.NOARP, inverted: true },
  dynamic: { flag: Iff.DYNAMIC },
}

function parse(words: readonly string[]): LinkChange {
  const change: LinkChange = { dev: null, flags: 0, mask: 0 }
  const rest = [...words]
  while (rest.length > 0) parseWord(change, rest.shift()!, rest)
  return change
}

function parseWord(change: LinkChange, word: string, rest: string[]): void {
  const option = SWITCHES[word]
  if (option !== undefined)
    setFlag(change, option.flag, onOff(word, next(rest)) !== (option.inverted === true))
  else if (word === 'up' || word === 'down') setFlag(change, Iff.UP, word === 'up')
  else if (word === 'address') change.address = lladdr(next(rest))
  else if (word === 'mtu') change.mtu = integer(word, next(rest))
  else if (word === 'name') change.name = next(rest)
  else if (word === 'alias') change.alias = next(rest)
  else if (word === 'group') change.group = groupNumber(next(rest))
  else if (word === 'carrier') change.carrier = onOff(word, next(rest))
  else if (['txqueuelen', 'txqlen', 'qlen'].includes(word)) change.txqlen = integer('txqueuelen', next(rest))
  else setDev(change, word === 'dev' ? next(rest) : word)
}

function setDev(change: LinkChange, word: string): void {
  if (change.dev !== null) throw new IpError(255, garbage(word))
  change.dev = word
}

function setFlag(change: LinkChange, flag: number, on: boolean): void {
  change.mask |= flag
  change.flags = on ? change.flags | flag : change.flags & ~flag
}

function next(rest: string[]): string {
  const word = rest.shift()
  if (word === undefined) throw new IpError(255, 'Command line is not complete. Try option "help"')
  return word
}

function onOff(what: string, word: string): boolean {
  if (word === 'on' || word === 'off') return word === 'on'
  throw new IpError(255, `Error: argument of "${what}" must be one of "on" or "off", not "${word}"`)
}

function integer(what: string, word: string): number {
  if (!/^[+-]?(0x[0-9a-f]+|\d+)$/i.test(word)) {
    throw new IpError(255, `Error: argument "${word}" is wrong: Invalid "${what}" value\n`)
  }
  return Number(word)
}

function groupNumber(word: string): number {
  if (word === 'default') return 0
  if (!/^\d+$/.test(word))
    throw new IpError(255, `Error: argument "${word}" is wrong: Invalid "group" value\n`)
  return Number(word)
}

function lladdr(text: string): Uint8Array {
  const bytes = text.split(':').map((part) => {
    if (!/^[0-9a-f]{1,2}$/i.test(part)) throw new IpError(1, `"${part}" is invalid lladdr.`)
    return parseInt(part, 16)
  })
  return Uint8Array.from(bytes)
}
