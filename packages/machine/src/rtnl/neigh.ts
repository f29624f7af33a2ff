import { Ntf, neighAdd, neighDelete, neighLookup, Nud, NUD_VALID, type Neighbour } from '@vnet/inet'
import { Errno, type Kernel } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import {
  Nda,
  NDMSG_LEN,
  NetlinkError,
  NetlinkProtocolNr,
  nlaPolicy,
  NLMSG_HDRLEN,
  nlmsgParse,
  Rtm,
  Rtnlgrp,
  rtnlRegister,
  type DumpEntry,
  type NetlinkServer,
  type NlDump,
  type NlRequest,
  type NlWriter,
  type NlaTable,
} from '@vnet/netlink'
import { addressLength, deviceAt, headerByte, type FamilyContext } from './family.ts'

/** @kernel nda_policy net/core/neighbour.c */
const ndaPolicy = nlaPolicy({
  [Nda.DST]: { name: 'dst', kind: 'binary', maxLength: 32 },
  [Nda.LLADDR]: { name: 'lladdr', kind: 'binary', maxLength: 32 },
  [Nda.CACHEINFO]: { name: 'cacheinfo', kind: 'binary', minLength: 16 },
  [Nda.PROBES]: { name: 'probes', kind: 'u32' },
  [Nda.IFINDEX]: { name: 'ifindex', kind: 'u32' },
  [Nda.MASTER]: { name: 'master', kind: 'u32' },
  [Nda.PROTOCOL]: { name: 'protocol', kind: 'u8' },
  [Nda.FLAGS_EXT]: { name: 'flags-ext', kind: 'u32' },
})

/** @kernel struct ndmsg include/uapi/linux/neighbour.h */
interface Ndmsg {
  readonly ifindex: number
  readonly state: number
  readonly flags: number
  readonly type: number
}

function ndmsg(request: NlRequest): Ndmsg {
  return {
    ifindex: request.view.getInt32(NLMSG_HDRLEN + 4, true),
    state: request.view.getUint16(NLMSG_HDRLEN + 8, true),
    flags: headerByte(request, 10),
    type: headerByte(request, 11),
  }
}

/** Registers RTM_*NEIGH of a family, and tells the group of changes. @returns what takes it back */
export function registerNeigh(server: NetlinkServer, context: FamilyContext): (() => void)[] {
  const { inet, family } = context
  return [
    rtnlRegister(server, family, Rtm.NEWNEIGH, { doit: (request) => newneigh(request, context) }),
    rtnlRegister(server, family, Rtm.DELNEIGH, { doit: (request) => delneigh(request, context) }),
    rtnlRegister(server, family, Rtm.GETNEIGH, {
      doit: (request) => getneigh(request, context),
      dumpit: (request) => dump(request, context),
    }),
    inet.on('neigh', (event, neigh) => {
      if (neigh.family !== family) return
      const type = event === 'new' ? Rtm.NEWNEIGH : Rtm.DELNEIGH
      server.notify(NetlinkProtocolNr.ROUTE, Rtnlgrp.NEIGH, type, (w) => fillNeigh(w, server.kernel, neigh))
    }),
  ]
}

/** Writes a neighbour. @kernel neigh_fill_info() net/core/neighbour.c */
export function fillNeigh(w: NlWriter, kernel: Kernel, neigh: Neighbour): void {
  w.u8(neigh.family)
  w.u8(0)
  w.u16(0)
  w.u32(neigh.dev.ifindex)
  w.u16(neigh.nudState)
  w.u8(neigh.flags)
  w.u8(neigh.type)
  w.putBinary(Nda.DST, neigh.primaryKey)
  if ((neigh.nudState & NUD_VALID) !== 0) w.putBinary(Nda.LLADDR, neigh.ha)
  putCacheinfo(w, kernel, neigh)
  w.putU32(Nda.PROBES, neigh.probes)
  if (neigh.protocol !== 0) w.putU8(Nda.PROTOCOL, neigh.protocol)
}

/** How long ago, in hundredths of a second. @kernel struct nda_cacheinfo include/uapi/linux/neighbour.h */
function putCacheinfo(w: NlWriter, kernel: Kernel, neigh: Neighbour): void {
  const { jiffies, hz } = kernel.clock
  const ago = (then: number): number => Math.floor(((jiffies - then) * 100) / hz) >>> 0
  const view = new DataView(new ArrayBuffer(16))
  view.setUint32(0, ago(neigh.confirmed), true)
  view.setUint32(4, ago(neigh.used), true)
  view.setUint32(8, ago(neigh.updated), true)
  view.setUint32(12, neigh.refcnt - 1, true)
  w.putBinary(Nda.CACHEINFO, new Uint8Array(view.buffer))
}

/** The address a request is about. @throws NetlinkError EINVAL */
function addressOf(tb: NlaTable, family: 2 | 10): Uint8Array {
  const dst = tb.binary(Nda.DST)
  if (dst === undefined) throw new NetlinkError('EINVAL', 'Network address not specified')
  if (dst.length < addressLength(family)) throw new NetlinkError('EINVAL', 'Invalid network address')
  return dst.subarray(0, addressLength(family))
}

/** @throws Errno EINVAL, ENODEV, EEXIST, ENOENT @kernel neigh_add() net/core/neighbour.c */
function newneigh(request: NlRequest, { inet, family }: FamilyContext): void {
  const tb = nlmsgParse(request, NDMSG_LEN, ndaPolicy, 'liberal')
  const msg = ndmsg(request)
  const dst = addressOf(tb, family)
  const lladdr = tb.binary(Nda.LLADDR)
  const dev = namedDevice(request, msg)
  if (lladdr !== undefined && lladdr.length < dev.addrLen) {
    throw new NetlinkError('EINVAL', 'Invalid link address')
  }
  neighAdd(
    inet.neighTable(family),
    {
      dst,
      dev,
      ...(lladdr !== undefined && { lladdr: lladdr.subarray(0, dev.addrLen) }),
      state: msg.state,
      flags: msg.flags,
      protocol: tb.number(Nda.PROTOCOL) ?? 0,
    },
    request.flags & 0xf00,
  )
}

/** @throws Errno EINVAL, ENODEV, ENOENT @kernel neigh_delete() net/core/neighbour.c */
function delneigh(request: NlRequest, { inet, family }: FamilyContext): void {
  const tb = nlmsgParse(request, NDMSG_LEN, ndaPolicy, 'liberal')
  const msg = ndmsg(request)
  const dst = addressOf(tb, family)
  if ((msg.flags & Ntf.PROXY) !== 0) throw new Errno('ENOENT')
  neighDelete(inet.neighTable(family), dst, namedDevice(request, msg))
}

function namedDevice(request: NlRequest, msg: Ndmsg): NetDevice<any> {
  if (msg.ifindex === 0) throw new Errno('EINVAL')
  return deviceAt(request, msg.ifindex)
}

/** @throws Errno EINVAL, ENODEV, ENOENT @kernel neigh_get() net/core/neighbour.c */
function getneigh(request: NlRequest, { inet, family }: FamilyContext): void {
  const tb = nlmsgParse(request, NDMSG_LEN, ndaPolicy, request.strict ? 'strict' : 'liberal')
  const msg = ndmsg(request)
  if (msg.state !== 0 || msg.type !== 0) {
    throw new NetlinkError('EINVAL', 'Invalid values in header for neighbor get request')
  }
  if (!tb.has(Nda.DST)) throw new NetlinkError('EINVAL', 'Network address required in neighbor get request')
  const dst = addressOf(tb, family)
  if (msg.ifindex === 0) throw new NetlinkError('EINVAL', 'No device specified')
  const neigh = neighLookup(inet.neighTable(family), dst, deviceAt(request, msg.ifindex))
  if (neigh === null) throw new NetlinkError('ENOENT', 'Neighbour entry not found')
  request.reply(Rtm.NEWNEIGH, (w) => fillNeigh(w, request.kernel, neigh))
}

/** @kernel neigh_dump_info() net/core/neighbour.c */
function dump(request: NlRequest, { inet, family }: FamilyContext): NlDump {
  const filter = dumpFilter(request)
  // Nothing has a master, and nothing stands in for others here.
  const none = filter.master !== 0 || filter.proxy
  const neighbours = none ? [] : inet.neighTable(family).list()
  const shown = neighbours.filter((n) => filter.ifindex === 0 || n.dev.ifindex === filter.ifindex)
  return {
    type: Rtm.NEWNEIGH,
    filtered: filter.ifindex !== 0 || filter.master !== 0,
    entries: entries(request, shown),
  }
}

function* entries(request: NlRequest, neighbours: readonly Neighbour[]): Generator<DumpEntry> {
  for (const neigh of neighbours) {
    // It may be gone when the program comes to read of it.
    if (!neigh.dead && neigh.nudState !== Nud.NONE) yield (w) => fillNeigh(w, request.kernel, neigh)
  }
}

interface DumpFilter {
  readonly ifindex: number
  readonly master: number
  readonly proxy: boolean
}

/** @kernel neigh_valid_dump_req() net/core/neighbour.c */
function dumpFilter(request: NlRequest): DumpFilter {
  if (!request.strict && request.bodyLength < NDMSG_LEN) return { ifindex: 0, master: 0, proxy: false }
  if (request.bodyLength < NDMSG_LEN) {
    throw new NetlinkError('EINVAL', 'Invalid header for neighbor dump request')
  }
  const msg = ndmsg(request)
  if (request.strict) checkDumpHeader(msg)
  const tb = nlmsgParse(request, NDMSG_LEN, ndaPolicy, request.strict ? 'strict' : 'liberal')
  if (request.strict) checkDumpAttrs(tb)
  return {
    ifindex: tb.number(Nda.IFINDEX) ?? 0,
    master: tb.number(Nda.MASTER) ?? 0,
    proxy: (msg.flags & Ntf.PROXY) !== 0,
  }
}

function checkDumpHeader(msg: Ndmsg): void {
  if (msg.ifindex !== 0 || msg.state !== 0 || msg.type !== 0) {
    throw new NetlinkError('EINVAL', 'Invalid values in header for neighbor dump request')
  }
  if ((msg.flags & ~Ntf.PROXY) !== 0) {
    throw new NetlinkError('EINVAL', 'Invalid flags in header for neighbor dump request')
  }
}

function checkDumpAttrs(tb: NlaTable): void {
  for (let type = 1; type <= ndaPolicy.maxType; type++) {
    if (tb.has(type) && type !== Nda.IFINDEX && type !== Nda.MASTER) {
      throw new NetlinkError('EINVAL', 'Unsupported attribute in neighbor dump request', {
        offset: tb.offset(type),
      })
    }
  }
}
