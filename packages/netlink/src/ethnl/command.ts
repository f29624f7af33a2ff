import { Errno } from '@vnet/kernel'
import { devGetByIndex, forEachNetdev } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { nlaPolicy } from '../codec/policy.ts'
import type { AttrKind, AttrPolicy, NlaPolicy } from '../codec/policy.ts'
import { blameAttr } from '../codec/table.ts'
import type { NlaTable } from '../codec/table.ts'
import type { NlWriter } from '../codec/writer.ts'
import { genlReply } from '../genl/genl.ts'
import type { GenlEntry, GenlInfo, GenlOp } from '../genl/genl.ts'
import { A_HEADER, EthFlag } from './constants.ts'
import { ethnlDev, ethnlFillReplyHeader, ethnlHeaderPolicy, ethnlParseHeader } from './header.ts'
import type { HeaderFlags } from './header.ts'

/** How a program wants its answer. */
export interface EthnlWish {
  readonly compact: boolean
  readonly stats: boolean
  /** The request's attributes; null for a notice, which nobody asked for. */
  readonly attrs: NlaTable | null
}

/**
 * A command that reads: `prepare` asks the device once, `fill` writes what it said. Notices use the same two.
 *
 * @kernel struct ethnl_request_ops net/ethtool/netlink.h
 */
export interface EthnlGet<T> {
  readonly cmd: number
  readonly reply: number
  /** The header's attribute, if it is not 1. */
  readonly headerAttr?: number
  readonly headerFlags?: HeaderFlags
  readonly admin?: boolean
  /** Attributes beside the header. */
  readonly attrs?: Readonly<Record<number, AttrPolicy>>
  /** @throws Errno */
  prepare(dev: NetDevice<any>, wish: EthnlWish): T
  fill(w: NlWriter, data: T, wish: EthnlWish): void
}

/** A command that changes something. */
export interface EthnlSet {
  readonly cmd: number
  readonly attrs: Readonly<Record<number, AttrPolicy>>
  /** @throws Errno; `badAttr` becomes the attribute's place */
  set(dev: NetDevice<any>, attrs: NlaTable, info: GenlInfo): void
}

/** Short for an attribute's policy. */
export function attr(name: string, kind: AttrKind, more: Partial<AttrPolicy> = {}): AttrPolicy {
  return { name, kind, ...more }
}

/** The policy of a command: its header and its own attributes. */
export function ethnlPolicy(
  attrs: Readonly<Record<number, AttrPolicy>> = {},
  flags: HeaderFlags = {},
  headerAttr = A_HEADER,
): NlaPolicy {
  const header = attr('header', 'nested', { nested: ethnlHeaderPolicy(flags) })
  return nlaPolicy({ ...attrs, [headerAttr]: header })
}

function wishOf(flags: number, attrs: NlaTable): EthnlWish {
  return {
    compact: (flags & EthFlag.COMPACT_BITSETS) !== 0,
    stats: (flags & EthFlag.STATS) !== 0,
    attrs,
  }
}

/** The operation of a reading command: one device, or all that can answer. @kernel ethnl_default_doit() net/ethtool/netlink.c */
export function getOp<T>(get: EthnlGet<T>): GenlOp {
  const headerAttr = get.headerAttr ?? A_HEADER
  return {
    cmd: get.cmd,
    reply: get.reply,
    admin: get.admin === true,
    policy: ethnlPolicy(get.attrs, get.headerFlags, headerAttr),
    doit(info) {
      const { dev, flags } = ethnlDev(info, headerAttr)
      const wish = wishOf(flags, info.attrs)
      const data = blameAttr(info.attrs, () => get.prepare(dev, wish))
      genlReply(info, get.reply, (w) => writeReply(w, get, dev, data, wish))
    },
    dumpit(info) {
      const { dev, flags } = ethnlParseHeader(info, headerAttr, false)
      return dumpEntries(info, get, dev, wishOf(flags, info.attrs))
    },
  }
}

/** @kernel ethnl_default_dumpit() net/ethtool/netlink.c */
function* dumpEntries<T>(
  info: GenlInfo,
  get: EthnlGet<T>,
  only: NetDevice<any> | null,
  wish: EthnlWish,
): Generator<GenlEntry> {
  const { kernel } = info.request
  for (const { ifindex } of only === null ? forEachNetdev(kernel) : [only]) {
    const dev = devGetByIndex(kernel, ifindex)
    if (dev === undefined) continue
    yield (w) => {
      try {
        writeReply(w, get, dev, get.prepare(dev, wish), wish)
        return true
      } catch (error) {
        // A device that lacks it is left out.
        if (error instanceof Errno && error.code === 'EOPNOTSUPP') return false
        throw error
      }
    }
  }
}

/** Writes an answer or a notice. */
export function writeReply<T>(
  w: NlWriter,
  get: EthnlGet<T>,
  dev: NetDevice<any>,
  data: T,
  wish: EthnlWish,
): void {
  ethnlFillReplyHeader(w, dev, get.headerAttr ?? A_HEADER)
  get.fill(w, data, wish)
}

/** The operation of a changing command. @kernel ethnl_default_set_doit() net/ethtool/netlink.c */
export function setOp(set: EthnlSet): GenlOp {
  return {
    cmd: set.cmd,
    reply: 0,
    admin: true,
    policy: ethnlPolicy(set.attrs),
    doit(info) {
      const { dev } = ethnlDev(info, A_HEADER)
      blameAttr(info.attrs, () => {
        set.set(dev, info.attrs, info)
      })
    },
  }
}

/** A command no device here can do. */
export interface EthnlRefused {
  readonly cmd: number
  readonly kind: 'get' | 'set'
  /** Who may not change the network may not even ask. */
  readonly admin?: boolean
  readonly attrs?: Readonly<Record<number, AttrPolicy>>
  readonly message?: string
}

/** The device is looked up, and then refused; asked for all devices, none answers. @throws Errno EOPNOTSUPP @kernel none */
export function refusedOp({ cmd, kind, admin, attrs, message }: EthnlRefused): GenlOp {
  return {
    cmd,
    reply: 0,
    admin: kind === 'set' || admin === true,
    policy: ethnlPolicy(attrs, { stats: kind === 'get' }),
    doit(info) {
      ethnlDev(info, A_HEADER)
      throw new Errno('EOPNOTSUPP', message)
    },
    ...(kind === 'get' ? { dumpit: () => [] } : {}),
  }
}
