import { NetlinkError } from '../codec/extack.ts'
import type { NlaTable } from '../codec/table.ts'
import { devGetByIndex, forEachNetdev } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import type { DumpEntry, NlDump } from '../core/dump.ts'
import type { NlRequest } from '../core/request.ts'
import { IFINFOMSG_LEN, Ifla, IflaInfo, Rtm } from './constants.ts'
import { rtnlFillIfinfo } from './link-fill.ts'
import { ifinfomsg, rtnlDevGet } from './link-find.ts'
import { iflaPolicy } from './link-policy.ts'
import { nlmsgParse } from './rtnl.ts'

const GET_ALLOWED: readonly number[] = [Ifla.IFNAME, Ifla.ALT_IFNAME, Ifla.EXT_MASK, Ifla.TARGET_NETNSID]
const DUMP_ALLOWED: readonly number[] = [Ifla.TARGET_NETNSID, Ifla.EXT_MASK, Ifla.MASTER, Ifla.LINKINFO]

/** Tells of one link. @throws Errno EINVAL, ENODEV @kernel rtnl_getlink() net/core/rtnetlink.c */
export function rtnlGetlink(request: NlRequest): void {
  const tb = nlmsgParse(request, IFINFOMSG_LEN, iflaPolicy, request.strict ? 'strict' : 'liberal')
  const msg = ifinfomsg(request)
  if (request.strict) {
    if (msg.type !== 0 || msg.flags !== 0 || msg.change !== 0) {
      throw new NetlinkError('EINVAL', 'Invalid values in header for get link request')
    }
    checkOnly(tb, GET_ALLOWED, 'Unsupported attribute in get link request')
  }
  checkNetns(tb)
  const dev = rtnlDevGet(request, msg.index, tb)
  const extMask = tb.number(Ifla.EXT_MASK) ?? 0
  request.reply(Rtm.NEWLINK, (w) => rtnlFillIfinfo(request.server, w, dev, { extMask }))
}

/** Tells of all links, or of some. @throws Errno EINVAL @kernel rtnl_dump_ifinfo() net/core/rtnetlink.c */
export function rtnlDumpIfinfo(request: NlRequest): NlDump {
  const tb = parseDump(request)
  checkNetns(tb)
  const extMask = tb.number(Ifla.EXT_MASK) ?? 0
  const master = tb.number(Ifla.MASTER) ?? 0
  const kind = tb.nest(Ifla.LINKINFO)?.text(IflaInfo.KIND)
  // Nothing has a master here.
  const shown = (dev: NetDevice<any>): boolean =>
    master === 0 && (kind === undefined || dev.linkKind === kind)
  return {
    type: Rtm.NEWLINK,
    filtered: master !== 0 || kind !== undefined,
    entries: entries(request, shown, extMask),
  }
}

function* entries(
  request: NlRequest,
  shown: (dev: NetDevice<any>) => boolean,
  extMask: number,
): Generator<DumpEntry> {
  // Devices may come and go while the program reads.
  for (const { ifindex } of forEachNetdev(request.kernel)) {
    const dev = devGetByIndex(request.kernel, ifindex)
    if (dev !== undefined && shown(dev)) {
      yield (w) => rtnlFillIfinfo(request.server, w, dev, { extMask })
    }
  }
}

/** Old programs send only a family. */
function parseDump(request: NlRequest): NlaTable {
  if (!request.strict) {
    const header = request.bodyLength < IFINFOMSG_LEN ? 1 : IFINFOMSG_LEN
    return nlmsgParse(request, header, iflaPolicy, 'liberal')
  }
  if (request.bodyLength < IFINFOMSG_LEN) throw new NetlinkError('EINVAL', 'Invalid header for link dump')
  const msg = ifinfomsg(request)
  if (msg.type !== 0 || msg.flags !== 0 || msg.change !== 0) {
    throw new NetlinkError('EINVAL', 'Invalid values in header for link dump request')
  }
  if (msg.index !== 0) {
    throw new NetlinkError('EINVAL', 'Filter by device index not supported for link dumps')
  }
  const tb = nlmsgParse(request, IFINFOMSG_LEN, iflaPolicy, 'strict')
  checkOnly(tb, DUMP_ALLOWED, 'Unsupported attribute in link dump request')
  return tb
}

function checkOnly(tb: NlaTable, allowed: readonly number[], message: string): void {
  for (let type = 0; type <= iflaPolicy.maxType; type++) {
    if (tb.has(type) && !allowed.includes(type)) {
      throw new NetlinkError('EINVAL', message, { offset: tb.offset(type) })
    }
  }
}

/** There is one namespace, and it has no number. */
function checkNetns(tb: NlaTable): void {
  if (!tb.has(Ifla.TARGET_NETNSID)) return
  throw new NetlinkError('EINVAL', 'Invalid target network namespace id', {
    offset: tb.offset(Ifla.TARGET_NETNSID),
  })
}
