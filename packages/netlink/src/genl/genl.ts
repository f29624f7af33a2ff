import { Errno } from '@vnet/kernel'
import { NetlinkError } from '../codec/extack.ts'
import { NLMSG_HDRLEN, NetlinkProtocolNr, Nlmsg } from '../codec/nlmsg.ts'
import type { NlaCheck, NlaPolicy } from '../codec/policy.ts'
import { nlaParse } from '../codec/table.ts'
import type { NlaTable } from '../codec/table.ts'
import type { NlWriter } from '../codec/writer.ts'
import type { DumpEntry, NlDump } from '../core/dump.ts'
import type { NlRequest } from '../core/request.ts'
import type { NetlinkServer } from '../core/server.ts'

/** Bytes of the header of generic netlink. @kernel GENL_HDRLEN include/uapi/linux/genetlink.h */
export const GENL_HDRLEN = 4
/** The family that tells of families. @kernel GENL_ID_CTRL include/uapi/linux/genetlink.h */
export const GENL_ID_CTRL = Nlmsg.MIN_TYPE

/** Bits of a command's flags. @kernel GENL_ADMIN_PERM include/uapi/linux/genetlink.h */
export const GenlFlag = {
  ADMIN_PERM: 1,
  CMD_CAP_DO: 2,
  CMD_CAP_DUMP: 4,
  CMD_CAP_HASPOL: 8,
  UNS_ADMIN_PERM: 16,
} as const

/** A request to a family, with its attributes checked. */
export interface GenlInfo {
  readonly request: NlRequest
  readonly family: GenlFamily
  readonly cmd: number
  readonly attrs: NlaTable
}

/** An entry of a dump: like a message's body, behind the header of generic netlink. */
export type GenlEntry = DumpEntry

/** A command of a family. @kernel struct genl_split_ops include/net/genetlink.h */
export interface GenlOp {
  readonly cmd: number
  /** The command of the answers. */
  readonly reply: number
  /** Only who may change the network. */
  readonly admin?: boolean
  readonly policy?: NlaPolicy
  /** Answers by `genlReply`. @throws Errno */
  doit?(info: GenlInfo): void
  /** Checks the request and gives the entries. @throws Errno */
  dumpit?(info: GenlInfo): Iterable<GenlEntry>
}

/** A family: a protocol inside generic netlink. @kernel struct genl_family include/net/genetlink.h */
export interface GenlFamily {
  readonly name: string
  readonly version: number
  readonly check: NlaCheck
  readonly ops: readonly GenlOp[]
  readonly mcgrps: readonly string[]
}

/** A family with the numbers it got. */
export interface GenlEntryOf {
  readonly family: GenlFamily
  readonly id: number
  /** The number of each group by name. */
  readonly groups: ReadonlyMap<string, number>
}

/** The families of one kernel. */
export class Genl {
  readonly families = new Map<number, GenlEntryOf>()
  /** Numbers 17 to 19 are kept for old families; so ethtool gets 20, as on Linux 6.1. */
  nextId: number = GENL_ID_CTRL
  nextGroup = 1
}

/** The families of a kernel. @kernel genl_fam_idr net/netlink/genetlink.c */
export function genlOf(server: NetlinkServer): Genl {
  return server.kernel.subsys('genetlink', () => new Genl())
}

/** The family of a name, or undefined. @kernel genl_family_find_byname() net/netlink/genetlink.c */
export function genlFind(server: NetlinkServer, name: string): GenlEntryOf | undefined {
  for (const entry of genlOf(server).families.values()) if (entry.family.name === name) return entry
  return undefined
}

const FIRST_FREE_ID = 20

/** Adds a family and gives it its numbers. @throws Errno EEXIST @kernel genl_register_family() net/netlink/genetlink.c */
export function genlRegisterFamily(server: NetlinkServer, family: GenlFamily): GenlEntryOf {
  if (genlFind(server, family.name) !== undefined) throw new Errno('EEXIST')
  const genl = genlOf(server)
  const id = genl.nextId
  genl.nextId = Math.max(id + 1, FIRST_FREE_ID)
  const groups = new Map(family.mcgrps.map((name) => [name, genl.nextGroup++] as const))
  const entry: GenlEntryOf = { family, id, groups }
  genl.families.set(id, entry)
  protocolOf(server).groups = genl.nextGroup - 1
  return entry
}

interface GenlProtocol {
  readonly nr: number
  groups: number
  readonly handle: typeof genlRcvMsg
}

/** Generic netlink of a server; it is registered when first asked for. */
function protocolOf(server: NetlinkServer): GenlProtocol {
  return server.kernel.subsys<GenlProtocol>('genetlink:protocol', () => {
    const protocol: GenlProtocol = { nr: NetlinkProtocolNr.GENERIC, groups: 0, handle: genlRcvMsg }
    server.register(protocol)
    return protocol
  })
}

/** @kernel genl_rcv_msg() net/netlink/genetlink.c */
function genlRcvMsg(request: NlRequest): NlDump | void {
  const entry = genlOf(request.server).families.get(request.type)
  if (entry === undefined) throw new Errno('ENOENT')
  if (request.bodyLength < GENL_HDRLEN) throw new Errno('EINVAL')
  const cmd = request.view.getUint8(NLMSG_HDRLEN)
  if (request.view.getUint16(NLMSG_HDRLEN + 2, true) !== 0 && entry.family.check === 'strict') {
    throw new NetlinkError('EINVAL', 'genlmsghdr.reserved field is not 0')
  }
  const op = entry.family.ops.find((one) => one.cmd === cmd)
  if (op === undefined) throw new Errno('EOPNOTSUPP')
  if (op.admin === true && !request.capNetAdmin) throw new Errno('EPERM')
  return request.isDump ? dump(request, entry.family, op) : doit(request, entry.family, op)
}

function parse(request: NlRequest, family: GenlFamily, op: GenlOp): GenlInfo {
  const { bytes } = request
  const start = NLMSG_HDRLEN + GENL_HDRLEN
  const attrs = nlaParse(bytes, start, bytes.length, op.policy ?? EMPTY_POLICY, family.check)
  return { request, family, cmd: op.cmd, attrs }
}

const EMPTY_POLICY: NlaPolicy = { maxType: 0, attrs: [] }

function doit(request: NlRequest, family: GenlFamily, op: GenlOp): void {
  if (op.doit === undefined) throw new Errno('EOPNOTSUPP')
  op.doit(parse(request, family, op))
}

function dump(request: NlRequest, family: GenlFamily, op: GenlOp): NlDump {
  if (op.dumpit === undefined) throw new Errno('EOPNOTSUPP')
  const entries = op.dumpit(parse(request, family, op))
  return { type: request.type, entries: withHeaders(entries, op.reply, family.version) }
}

function* withHeaders(entries: Iterable<GenlEntry>, cmd: number, version: number): Generator<DumpEntry> {
  for (const entry of entries) {
    yield (w) => {
      genlHeader(w, cmd, version)
      return entry(w)
    }
  }
}

/** Writes the header of generic netlink. @kernel genlmsg_put() include/net/genetlink.h */
export function genlHeader(w: NlWriter, cmd: number, version: number): void {
  w.u8(cmd)
  w.u8(version)
  w.u16(0)
}

/** Answers a request. @kernel genlmsg_reply() include/net/genetlink.h */
export function genlReply(info: GenlInfo, cmd: number, fill: (w: NlWriter) => void): void {
  info.request.reply(info.request.type, (w) => {
    genlHeader(w, cmd, info.family.version)
    fill(w)
  })
}

/** Tells everyone who listens to a family's group. @kernel genlmsg_multicast() include/net/genetlink.h */
export function genlNotify(
  server: NetlinkServer,
  entry: GenlEntryOf,
  group: string,
  cmd: number,
  fill: (w: NlWriter) => void,
): void {
  const nr = entry.groups.get(group)
  if (nr === undefined) return
  server.notify(NetlinkProtocolNr.GENERIC, nr, entry.id, (w) => {
    genlHeader(w, cmd, entry.family.version)
    fill(w)
  })
}
