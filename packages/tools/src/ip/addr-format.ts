import type { JsonRecord, JsonValue } from '@vnet/netdev'
import { Af, Ifa, IFADDRMSG_LEN } from '@vnet/netlink'
import type { NlReply } from '../nl/message.ts'
import { addressText, familyName, scopeName } from './inet.ts'

/** @kernel IFA_F_SECONDARY include/uapi/linux/if_addr.h */
export const IfaF = {
  SECONDARY: 0x01,
  NODAD: 0x02,
  DADFAILED: 0x08,
  HOMEADDRESS: 0x10,
  DEPRECATED: 0x20,
  TENTATIVE: 0x40,
  PERMANENT: 0x80,
  MANAGETEMPADDR: 0x100,
  NOPREFIXROUTE: 0x200,
  MCAUTOJOIN: 0x400,
} as const

/** Bits and their words, in the order they are printed; PERMANENT prints when it is not set. */
const FLAG_WORDS: readonly (readonly [bit: number, word: string])[] = [
  [IfaF.SECONDARY, 'secondary'],
  [IfaF.NODAD, 'nodad'],
  [0x04, 'optimistic'],
  [IfaF.DADFAILED, 'dadfailed'],
  [IfaF.HOMEADDRESS, 'home'],
  [IfaF.DEPRECATED, 'deprecated'],
  [IfaF.TENTATIVE, 'tentative'],
  [IfaF.PERMANENT, 'dynamic'],
  [IfaF.MANAGETEMPADDR, 'mngtmpaddr'],
  [IfaF.NOPREFIXROUTE, 'noprefixroute'],
  [IfaF.MCAUTOJOIN, 'autojoin'],
  [0x800, 'stable-privacy'],
]

/** An address as a message tells it. @kernel struct ifaddrmsg include/uapi/linux/if_addr.h */
export interface AddrInfo {
  readonly family: number
  readonly prefixlen: number
  readonly flags: number
  readonly scope: number
  readonly ifindex: number
  readonly local: Uint8Array | null
  readonly address: Uint8Array | null
  readonly broadcast: Uint8Array | null
  readonly anycast: Uint8Array | null
  readonly label: string
  readonly metric: number
  /** Seconds, 0xffffffff for ever; null when the message does not say. */
  readonly valid: number | null
  readonly preferred: number | null
}

/** @kernel print_addrinfo() none */
export function parseAddr(reply: NlReply): AddrInfo {
  const tb = reply.attrs(IFADDRMSG_LEN)
  const local = tb.binary(Ifa.LOCAL)
  const address = tb.binary(Ifa.ADDRESS)
  const cache = tb.binary(Ifa.CACHEINFO)
  const view = cache === undefined || cache.length < 8 ? null : new DataView(cache.buffer)
  return {
    family: reply.u8(0),
    prefixlen: reply.u8(1),
    flags: tb.u32(Ifa.FLAGS) ?? reply.u8(2),
    scope: reply.u8(3),
    ifindex: reply.s32(4),
    local: local ?? address ?? null,
    address: address ?? local ?? null,
    broadcast: tb.binary(Ifa.BROADCAST) ?? null,
    anycast: tb.binary(Ifa.ANYCAST) ?? null,
    label: tb.text(Ifa.LABEL) ?? '',
    metric: tb.u32(Ifa.RT_PRIORITY) ?? 0,
    valid: view?.getUint32(4, true) ?? null,
    preferred: view?.getUint32(0, true) ?? null,
  }
}

function same(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a !== null && b !== null && a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** The words for the flags, and what is left over. */
function flagWords({ flags, family }: AddrInfo): readonly string[] {
  const words: string[] = []
  let rest = flags
  for (const [bit, word] of FLAG_WORDS) {
    if (((rest & bit) !== 0) !== (bit === IfaF.PERMANENT)) {
      words.push(bit === IfaF.SECONDARY && family === Af.INET6 ? 'temporary' : word)
    }
    rest &= ~bit
  }
  if (rest !== 0) words.push(`flags ${(rest >>> 0).toString(16).padStart(2, '0')}`)
  return words
}

function lifetime(seconds: number): string {
  return seconds === 0xffffffff ? 'forever' : `${seconds}sec`
}

/** `10.0.0.1/24`, or with `peer` between when the other end has an address of its own. */
function localText(addr: AddrInfo): string {
  const { family, local, address, prefixlen } = addr
  if (local === null) return ''
  const peer = same(local, address) || address === null ? '' : ` peer ${addressText(family, address)}`
  return `${addressText(family, local)}${peer}/${prefixlen}`
}

/** The lines of one address; `head` is what stands before. @param nl - what ends a line @kernel print_addrinfo() none */
export function addrText(addr: AddrInfo, head: string, nl: string): string {
  const words = [familyName(addr.family), localText(addr)]
  if (addr.metric !== 0) words.push(`metric ${addr.metric}`)
  if (addr.broadcast !== null) words.push(`brd ${addressText(addr.family, addr.broadcast)}`)
  if (addr.anycast !== null) words.push(`any ${addressText(addr.family, addr.anycast)}`)
  words.push(`scope ${scopeName(addr.scope)}`, ...flagWords(addr))
  let text = `${head}    ${words.filter((word) => word !== '').join(' ')} ${addr.label}`
  if (addr.valid !== null && addr.preferred !== null) {
    text += `${nl}       valid_lft ${lifetime(addr.valid)} preferred_lft ${lifetime(addr.preferred)}`
  }
  return `${text}\n`
}

/** @kernel print_addrinfo_brief() none */
export function addrBrief(addr: AddrInfo): string {
  return `${localText(addr)} `
}

/** @kernel print_addrinfo() none */
export function addrJson(addr: AddrInfo): JsonRecord {
  const { family, local, address, broadcast, anycast } = addr
  const fields: Record<string, JsonValue> = { family: familyName(family) }
  if (local !== null) fields.local = addressText(family, local)
  if (address !== null && !same(local, address)) fields.address = addressText(family, address)
  fields.prefixlen = addr.prefixlen
  if (addr.metric !== 0) fields.metric = addr.metric
  if (broadcast !== null) fields.broadcast = addressText(family, broadcast)
  if (anycast !== null) fields.anycast = addressText(family, anycast)
  fields.scope = scopeName(addr.scope)
  for (const word of flagWords(addr)) fields[word] = true
  if (addr.label !== '') fields.label = addr.label
  if (addr.valid !== null) fields.valid_life_time = addr.valid
  if (addr.preferred !== null) fields.preferred_life_time = addr.preferred
  return fields
}

/** @kernel print_addrinfo_brief() none */
export function addrBriefJson(addr: AddrInfo): JsonRecord {
  const { local, prefixlen, metric } = addr
  return {
    ...(local === null ? {} : { local: addressText(addr.family, local) }),
    prefixlen,
    ...(metric === 0 ? {} : { metric }),
  }
}
