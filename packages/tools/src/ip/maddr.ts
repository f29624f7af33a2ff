import { IpError } from '@vnet/netdev'
import type { JsonRecord } from '@vnet/netdev'
import { Errno } from '@vnet/kernel'
import { Af } from '@vnet/netlink'
import { readFile } from '../proc/files.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import type { IpContext } from './context.ts'
import { addressText, familyName } from './inet.ts'
import { lladdrText } from './link-parse.ts'
import { usage } from './usage.ts'
import { matches } from './words.ts'
import type { Words } from './words.ts'

/** A multicast address a device listens to. */
interface Maddr {
  readonly ifindex: number
  readonly name: string
  readonly family: number
  readonly bytes: Uint8Array
  readonly users: number
  readonly fixed: boolean
}

/** `ip maddr [show] [dev X]`: the tables are files of /proc. @throws IpError, Errno @kernel do_multiaddr() none */
export function* ipMaddress(ip: IpContext, words: Words): Syscalls<number> {
  if (!words.done && matches(words.peek, 'help')) throw usage('maddress')
  if (!words.done && matches(words.peek, 'show', 'list', 'lst')) words.take()
  else if (!words.done && matches(words.peek, 'add', 'delete')) {
    throw new IpError(1, `Command "${words.peek}" is not supported here.`)
  }
  let dev: string | null = null
  while (!words.done) {
    words.accept('dev')
    dev = words.take()
  }
  const all = yield* gather(ip)
  const shown = dev === null ? all : all.filter((one) => one.name === dev)
  if (ip.options.json) ip.json(records(shown))
  else ip.out(text(ip, shown))
  return 0
}

function* gather(ip: IpContext): Syscalls<Maddr[]> {
  const { family } = ip.options
  const out: Maddr[] = []
  if (family === Af.UNSPEC || family === Af.PACKET)
    out.push(...linkAddresses(yield* table(ip.process, 'dev_mcast')))
  if (family === Af.UNSPEC || family === Af.INET) out.push(...inetAddresses(yield* table(ip.process, 'igmp')))
  if (family === Af.UNSPEC || family === Af.INET6)
    out.push(...inet6Addresses(yield* table(ip.process, 'igmp6')))
  return out.sort((a, b) => a.ifindex - b.ifindex)
}

/** The lines of a table; a kernel without the protocol has no such file. */
function* table(process: Process, name: string): Syscalls<readonly string[]> {
  try {
    const content = yield* readFile(process, `/proc/net/${name}`)
    return content.split('\n').filter((line) => line !== '')
  } catch (error) {
    if (error instanceof Errno && error.code === 'ENOENT') return []
    throw error
  }
}

function hex(text: string | undefined): Uint8Array {
  const pairs = text?.match(/[0-9a-f]{2}/gi) ?? []
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16))
}

/** `ifindex name users static address`. */
function linkAddresses(lines: readonly string[]): Maddr[] {
  return lines.map((line) => {
    const [ifindex, name = '', users, fixed, address] = line.trim().split(/\s+/)
    return {
      ifindex: Number(ifindex),
      name,
      family: Af.PACKET,
      bytes: hex(address),
      users: Number(users),
      fixed: Number(fixed) > 0,
    }
  })
}

/** A line for each device, and one for each address below it: eight digits in the order of the host. */
function inetAddresses(lines: readonly string[]): Maddr[] {
  const out: Maddr[] = []
  let ifindex = 0
  let name = ''
  for (const line of lines.slice(1)) {
    const words = line.trim().split(/[\s:]+/)
    if (!line.startsWith('\t')) {
      ifindex = Number(words[0])
      name = words[1] ?? ''
    } else
      out.push({
        ifindex,
        name,
        family: Af.INET,
        bytes: hex(words[0]).reverse(),
        users: Number(words[1]),
        fixed: false,
      })
  }
  return out
}

/** `ifindex name address users …`. */
function inet6Addresses(lines: readonly string[]): Maddr[] {
  return lines.map((line) => {
    const [ifindex, name = '', address, users] = line.trim().split(/\s+/)
    return {
      ifindex: Number(ifindex),
      name,
      family: Af.INET6,
      bytes: hex(address),
      users: Number(users),
      fixed: false,
    }
  })
}

function maddrText(one: Maddr): string {
  return one.family === Af.PACKET ? lladdrText(one.bytes) : addressText(one.family, one.bytes)
}

function text(ip: IpContext, all: readonly Maddr[]): string {
  let out = ''
  let last = -1
  for (const one of all) {
    if (one.ifindex !== last) {
      if (last !== -1 && ip.options.oneline) out += '\n'
      out += `${one.ifindex}:\t${one.name}${ip.nl}`
    }
    last = one.ifindex
    out += `\t${familyName(one.family).padEnd(5)} ${maddrText(one)}`
    if (one.users !== 1) out += ` users ${one.users}`
    out += `${one.fixed ? ' static' : ''}${ip.nl}`
  }
  return out
}

function records(all: readonly Maddr[]): JsonRecord[] {
  const indexes = [...new Set(all.map((one) => one.ifindex))]
  return indexes.map((ifindex) => {
    const own = all.filter((one) => one.ifindex === ifindex)
    return { ifindex, ifname: own[0]?.name ?? '', maddr: own.map(record) }
  })
}

function record(one: Maddr): JsonRecord {
  const key = one.family === Af.PACKET ? 'link' : 'address'
  return {
    ...(one.family === Af.PACKET ? {} : { family: familyName(one.family) }),
    [key]: maddrText(one),
    ...(one.users === 1 ? {} : { users: one.users }),
    ...(one.fixed ? { static: true } : {}),
  }
}
