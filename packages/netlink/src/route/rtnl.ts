import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { NetlinkError } from '../codec/extack.ts'
import { NLMSG_HDRLEN, NetlinkProtocolNr, nlmsgAlign } from '../codec/nlmsg.ts'
import type { NlaCheck, NlaPolicy } from '../codec/policy.ts'
import { nlaParse } from '../codec/table.ts'
import type { NlaTable } from '../codec/table.ts'
import type { NlWriter } from '../codec/writer.ts'
import type { DumpEntry, NlDump } from '../core/dump.ts'
import type { NlRequest } from '../core/request.ts'
import type { NetlinkServer } from '../core/server.ts'
import { Af, Rtm, Rtnlgrp } from './constants.ts'

/** What answers one type of message, for one address family or for all that have none of their own. */
export interface RtnlLink {
  /** Runs with rtnl held. @throws Errno */
  doit?(request: NlRequest): void
  /** Checks the request, and gives what makes the answers. @throws Errno */
  dumpit?(request: NlRequest): NlDump
}

/** The part of a link that belongs to an address family: what `ip -d link` shows of IPv4 and IPv6. @kernel struct rtnl_af_ops include/net/rtnetlink.h */
export interface RtnlAfOps {
  readonly family: number
  /** Writes what is inside the family's nest; false leaves the nest out. */
  fillLinkAf(w: NlWriter, dev: NetDevice<any>, extFilterMask: number): boolean
  /** Takes a change. @throws Errno */
  setLinkAf?(dev: NetDevice<any>, attrs: Uint8Array): void
}

/**
 * The handlers of rtnetlink in one kernel. Links are here from the start; a protocol stack registers its addresses,
 * routes and neighbours with {@link rtnlRegister}.
 */
export class Rtnetlink {
  readonly handlers = new Map<number, RtnlLink>()
  readonly afOps = new Map<number, RtnlAfOps>()
}

/** The handlers of a kernel. @kernel rtnl_msg_handlers[] net/core/rtnetlink.c */
export function rtnetlinkOf(server: NetlinkServer): Rtnetlink {
  return server.kernel.subsys('rtnetlink', () => new Rtnetlink())
}

const key = (family: number, type: number): number => (family << 8) | type

/**
 * Registers what answers a type of message. **This is where a protocol stack plugs in**: family `Af.INET`, types
 * `Rtm.NEWADDR` … `Rtm.GETROUTE`. A dump for all families asks each that registered the type.
 *
 * @returns what takes it back
 * @throws Errno EEXIST
 * @kernel rtnl_register() net/core/rtnetlink.c
 */
export function rtnlRegister(
  server: NetlinkServer,
  family: number,
  type: number,
  link: RtnlLink,
): () => void {
  const { handlers } = rtnetlinkOf(server)
  if (handlers.has(key(family, type))) throw new Errno('EEXIST')
  handlers.set(key(family, type), link)
  return () => {
    handlers.delete(key(family, type))
  }
}

/** Registers a family's part of a link. @returns what takes it back @kernel rtnl_af_register() net/core/rtnetlink.c */
export function rtnlAfRegister(server: NetlinkServer, ops: RtnlAfOps): () => void {
  const { afOps } = rtnetlinkOf(server)
  afOps.set(ops.family, ops)
  return () => {
    afOps.delete(ops.family)
  }
}

/** Makes NETLINK_ROUTE known to a server. @kernel rtnetlink_net_init() net/core/rtnetlink.c */
export function registerRtnetlink(server: NetlinkServer): void {
  server.register({ nr: NetlinkProtocolNr.ROUTE, groups: Rtnlgrp.MAX, handle: rtnetlinkRcvMsg })
}

const KIND_GET = 2

/** @kernel rtnetlink_rcv_msg() net/core/rtnetlink.c */
function rtnetlinkRcvMsg(request: NlRequest): NlDump | void {
  const { type } = request
  if (type > Rtm.MAX) throw new Errno('EOPNOTSUPP')
  // Every message has at least a family.
  if (request.bodyLength < 1) return undefined
  const family = request.bytes[NLMSG_HDRLEN]!
  const get = (type & 3) === KIND_GET
  if (!get && !request.capNetAdmin) throw new Errno('EPERM')
  if (get && request.isDump) return dump(request, family)
  const doit = find(request.server, family, type, 'doit')
  if (doit === undefined) throw new Errno('EOPNOTSUPP')
  request.kernel.rtnl.run(() => doit(request))
  return undefined
}

function dump(request: NlRequest, family: number): NlDump {
  const dumpit = find(request.server, family, request.type, 'dumpit')
  if (dumpit === undefined) throw new Errno('EOPNOTSUPP')
  return dumpit(request)
}

function find<K extends 'doit' | 'dumpit'>(
  server: NetlinkServer,
  family: number,
  type: number,
  what: K,
): RtnlLink[K] {
  const { handlers } = rtnetlinkOf(server)
  for (const own of [family, Af.UNSPEC]) {
    const link = handlers.get(key(own, type))
    if (link?.[what] !== undefined) return link[what].bind(link) as RtnlLink[K]
  }
  return undefined
}

/** Asks every family that has the type, one after the other; a request for a family nobody has is empty. @kernel rtnl_dump_all() net/core/rtnetlink.c */
export function rtnlDumpAll(request: NlRequest, answer: number): NlDump {
  const dumps: NlDump[] = []
  if (request.bytes[NLMSG_HDRLEN] !== Af.UNSPEC) return { type: answer, entries: [] }
  for (const [at, link] of rtnetlinkOf(request.server).handlers) {
    if (at >> 8 === Af.UNSPEC || (at & 0xff) !== request.type || link.dumpit === undefined) continue
    dumps.push(link.dumpit(request))
  }
  return { type: answer, filtered: dumps.some((one) => one.filtered === true), entries: concat(dumps) }
}

function* concat(dumps: readonly NlDump[]): Generator<DumpEntry> {
  for (const one of dumps) yield* one.entries
}

/**
 * Reads the attributes behind the fixed part of a message.
 *
 * @throws NetlinkError EINVAL when the fixed part is not there, or the attributes are wrong
 * @kernel nlmsg_parse() include/net/netlink.h
 */
export function nlmsgParse(
  request: NlRequest,
  headerLength: number,
  policy: NlaPolicy,
  check: NlaCheck,
): NlaTable {
  if (request.bodyLength < headerLength) throw new NetlinkError('EINVAL', 'Invalid header length')
  const start = NLMSG_HDRLEN + nlmsgAlign(headerLength)
  return nlaParse(request.bytes, start, request.bytes.length, policy, check)
}
