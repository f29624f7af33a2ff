import { Iff, type NetDevice } from '@vnet/netdev'
import { IfaFlag } from '../types/constants.ts'
import {
  Ipv6AddrScope,
  Ipv6AddrType,
  ipv6AddrDiff,
  ipv6AddrEqual,
  ipv6AddrScope,
  ipv6AddrType,
  ipv6PrefixEqual,
} from './address.ts'
import type { Inet6Ifaddr } from './ifaddr.ts'
import type { Ipv6 } from './ipv6.ts'

/** A prefix and its label (RFC 6724, section 2.1). */
interface Label {
  readonly prefix: Uint8Array
  readonly len: number
  readonly label: number
}

function label(head: readonly number[], len: number, value: number, tail = 0): Label {
  const prefix = new Uint8Array(16)
  prefix.set(head)
  prefix[15] = tail
  return { prefix, len, label: value }
}

const MAPPED_HEAD = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/** Longest first. @kernel ip6addrlbl_init_table net/ipv6/addrlabel.c */
const LABELS: readonly Label[] = [
  label([], 128, 0, 1),
  label([], 96, 3),
  label(MAPPED_HEAD, 96, 4),
  label([0x20, 0x01, 0, 0], 32, 6),
  label([0x20, 0x01, 0, 0x10], 28, 7),
  label([0x3f, 0xfe], 16, 12),
  label([0x20, 0x02], 16, 2),
  label([0xfe, 0xc0], 10, 11),
  label([0xfc], 7, 5),
]

/** The label of an address: like labels go together. @kernel ipv6_addr_label() net/ipv6/addrlabel.c */
export function ipv6AddrLabel(addr: Uint8Array): number {
  for (const entry of LABELS) if (ipv6PrefixEqual(addr, entry.prefix, entry.len)) return entry.label
  return 1
}

/** What an address has for each rule, the more the better; compared from the first to the last. */
function merits(ifp: Inet6Ifaddr, dst: Uint8Array, dstScope: number, out: NetDevice<any> | null): number[] {
  const scope = ipv6AddrScope(ifp.local)
  const avoided = (ifp.flags & (IfaFlag.DEPRECATED | IfaFlag.OPTIMISTIC)) !== 0
  return [
    // 1: the destination itself.
    ipv6AddrEqual(ifp.local, dst) ? 1 : 0,
    // 2: the smallest scope that reaches; else the largest there is.
    scope >= dstScope ? 256 - scope : scope - 256,
    // 3: not deprecated.
    avoided ? 0 : 1,
    // 4: a home address.
    (ifp.flags & IfaFlag.HOMEADDRESS) !== 0 ? 1 : 0,
    // 5: of the device the packet leaves by.
    out === null || ifp.dev === out ? 1 : 0,
    // 6: the same label.
    ipv6AddrLabel(ifp.local) === ipv6AddrLabel(dst) ? 1 : 0,
    // 8: the longest common prefix, no longer than the address's own.
    Math.min(ipv6AddrDiff(ifp.local, dst), ifp.prefixlen),
  ]
}

function isBetter(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! > b[i]!
  return false
}

/**
 * Chooses the source of a packet to `dst` that leaves by `out` (null: not known). Null when no address will do.
 *
 * Rule 7 (temporary addresses) has nothing to say here: there are none.
 *
 * @kernel ipv6_dev_get_saddr() net/ipv6/addrconf.c
 */
export function ipv6DevGetSaddr(ipv6: Ipv6, out: NetDevice<any> | null, dst: Uint8Array): Uint8Array | null {
  const dstType = ipv6AddrType(dst)
  const dstScope = ipv6AddrScope(dst)
  const group = (dstType & Ipv6AddrType.MULTICAST) !== 0
  // Groups and link-local addresses mean something on one link only: so must the source.
  const onlyOut = out !== null && (group || dstScope <= Ipv6AddrScope.LINKLOCAL)
  let best: Inet6Ifaddr | null = null
  let most: number[] = []
  for (const ifp of ipv6.addresses(onlyOut && (out.flags & Iff.LOOPBACK) === 0 ? out : undefined)) {
    if (!isCandidate(ipv6, ifp)) continue
    const has = merits(ifp, dst, dstScope, out)
    if (best !== null && !isBetter(has, most)) continue
    best = ifp
    most = has
  }
  return best?.local ?? null
}

function isCandidate(ipv6: Ipv6, ifp: Inet6Ifaddr): boolean {
  if ((ifp.flags & IfaFlag.TENTATIVE) !== 0) return false
  const idev = ipv6.devs.get(ifp.dev)
  if (idev === undefined || idev.dead || idev.cnf.disableIpv6 !== 0) return false
  return ipv6AddrType(ifp.local) !== Ipv6AddrType.MULTICAST
}

/** The first link-local address of a device that has none of the `banned` flags, or null. @kernel ipv6_get_lladdr() net/ipv6/addrconf.c */
export function ipv6GetLladdr(ipv6: Ipv6, dev: NetDevice<any>, banned: number): Uint8Array | null {
  const idev = ipv6.devs.get(dev)
  if (idev === undefined) return null
  for (const ifp of idev.addrList) {
    if ((ipv6AddrType(ifp.local) & Ipv6AddrType.LINKLOCAL) !== 0 && (ifp.flags & banned) === 0)
      return ifp.local
  }
  return null
}
