import { Errno } from '@vnet/kernel'
import { devGetByIndex, forEachNetdev, netifRunning, registerNetdeviceNotifier } from '@vnet/netdev'
import type { NapiHandle, NetDevice } from '@vnet/netdev'
import { NetlinkError } from '../codec/extack.ts'
import { nlaPolicy } from '../codec/policy.ts'
import type { AttrPolicy } from '../codec/policy.ts'
import type { NlWriter } from '../codec/writer.ts'
import type { NetlinkServer } from '../core/server.ts'
import { genlNotify, genlRegisterFamily, genlReply } from '../genl/genl.ts'
import type { GenlEntry, GenlInfo, GenlOp } from '../genl/genl.ts'

/** @kernel NETDEV_CMD_DEV_GET include/uapi/linux/netdev.h */
const Cmd = {
  DEV_GET: 1,
  DEV_ADD_NTF: 2,
  DEV_DEL_NTF: 3,
  QUEUE_GET: 10,
  NAPI_GET: 11,
  QSTATS_GET: 12,
} as const
const Dev = { IFINDEX: 1, XDP_FEATURES: 3, XDP_RX_METADATA: 5, XSK_FEATURES: 6 } as const
const Queue = { ID: 1, IFINDEX: 2, TYPE: 3 } as const
const Napi = { IFINDEX: 1, ID: 2, DEFER_HARD_IRQS: 5, GRO_FLUSH_TIMEOUT: 6, IRQ_SUSPEND_TIMEOUT: 7 } as const
const Qstats = { IFINDEX: 1, SCOPE: 4 } as const
const QueueType = { RX: 0, TX: 1 } as const

const ifindex: AttrPolicy = { name: 'ifindex', kind: 'u32', min: 1 }

function fillDev(w: NlWriter, dev: NetDevice<any>): void {
  w.putU32(Dev.IFINDEX, dev.ifindex)
  // There is no XDP here, and so none of its abilities.
  w.putU64(Dev.XDP_FEATURES, 0n)
  w.putU64(Dev.XDP_RX_METADATA, 0n)
  w.putU64(Dev.XSK_FEATURES, 0n)
}

function fillQueue(w: NlWriter, dev: NetDevice<any>, type: number, id: number): void {
  w.putU32(Queue.ID, id)
  w.putU32(Queue.TYPE, type)
  w.putU32(Queue.IFINDEX, dev.ifindex)
}

/** What a NAPI instance tells beyond its number, if it is one of `@vnet/napi`. */
interface NapiDetails extends NapiHandle {
  readonly deferHardIrqs?: number
  readonly groFlushTimeout?: number
  readonly irqSuspendTimeout?: number
}

function fillNapi(w: NlWriter, dev: NetDevice<any>, napi: NapiDetails): void {
  w.putU32(Napi.ID, napi.napiId)
  w.putU32(Napi.IFINDEX, dev.ifindex)
  if (napi.deferHardIrqs !== undefined) w.putU32(Napi.DEFER_HARD_IRQS, napi.deferHardIrqs)
  if (napi.irqSuspendTimeout !== undefined) {
    w.putUint(Napi.IRQ_SUSPEND_TIMEOUT, BigInt(napi.irqSuspendTimeout))
  }
  if (napi.groFlushTimeout !== undefined) w.putUint(Napi.GRO_FLUSH_TIMEOUT, BigInt(napi.groFlushTimeout))
}

/** The device a request names. @throws NetlinkError EINVAL, ENODEV */
function devOf(info: GenlInfo, type: number): NetDevice<any> {
  info.attrs.require(type)
  const dev = devGetByIndex(info.request.kernel, info.attrs.number(type)!)
  if (dev !== undefined) return dev
  throw new NetlinkError('ENODEV', undefined, { offset: info.attrs.offset(type) })
}

/** The devices of a dump: the one it names, or all. */
function devsOf(info: GenlInfo, type: number): NetDevice<any>[] {
  return info.attrs.has(type) ? [devOf(info, type)] : forEachNetdev(info.request.kernel)
}

/** @kernel netdev_nl_dev_get_doit() net/core/netdev-genl.c */
const devGet: GenlOp = {
  cmd: Cmd.DEV_GET,
  reply: Cmd.DEV_GET,
  policy: nlaPolicy({ [Dev.IFINDEX]: ifindex }),
  doit(info) {
    const dev = devOf(info, Dev.IFINDEX)
    genlReply(info, Cmd.DEV_GET, (w) => fillDev(w, dev))
  },
  *dumpit(info): Generator<GenlEntry> {
    for (const dev of forEachNetdev(info.request.kernel)) yield (w) => fillDev(w, dev)
  },
}

/** @kernel netdev_nl_queue_get_doit() net/core/netdev-genl.c */
const queueGet: GenlOp = {
  cmd: Cmd.QUEUE_GET,
  reply: Cmd.QUEUE_GET,
  policy: nlaPolicy({
    [Queue.ID]: { name: 'id', kind: 'u32' },
    [Queue.IFINDEX]: ifindex,
    [Queue.TYPE]: { name: 'type', kind: 'u32', max: 1 },
  }),
  doit(info) {
    info.attrs.require(Queue.ID)
    info.attrs.require(Queue.TYPE)
    const dev = devOf(info, Queue.IFINDEX)
    const id = info.attrs.number(Queue.ID)!
    const type = info.attrs.number(Queue.TYPE)!
    if (!netifRunning(dev) || id >= queues(dev, type)) throw new Errno('ENOENT')
    genlReply(info, Cmd.QUEUE_GET, (w) => fillQueue(w, dev, type, id))
  },
  dumpit: (info) => queueEntries(devsOf(info, Queue.IFINDEX)),
}

function queues(dev: NetDevice<any>, type: number): number {
  return type === QueueType.RX ? dev.realNumRxQueues : dev.realNumTxQueues
}

function* queueEntries(devs: readonly NetDevice<any>[]): Generator<GenlEntry> {
  for (const dev of devs) {
    // A device that is down has no queues to speak of.
    if (!netifRunning(dev)) continue
    for (const type of [QueueType.RX, QueueType.TX]) {
      for (let id = 0; id < queues(dev, type); id++) yield (w) => fillQueue(w, dev, type, id)
    }
  }
}

/** @kernel netdev_nl_napi_get_doit() net/core/netdev-genl.c */
const napiGet: GenlOp = {
  cmd: Cmd.NAPI_GET,
  reply: Cmd.NAPI_GET,
  policy: nlaPolicy({ [Napi.IFINDEX]: ifindex, [Napi.ID]: { name: 'id', kind: 'u32' } }),
  doit(info) {
    info.attrs.require(Napi.ID)
    const id = info.attrs.number(Napi.ID)!
    for (const dev of forEachNetdev(info.request.kernel)) {
      for (const napi of dev.napis) {
        if (napi.napiId !== id) continue
        genlReply(info, Cmd.NAPI_GET, (w) => fillNapi(w, dev, napi))
        return
      }
    }
    throw new NetlinkError('ENOENT', undefined, { offset: info.attrs.offset(Napi.ID) })
  },
  dumpit: (info) => napiEntries(devsOf(info, Napi.IFINDEX)),
}

function* napiEntries(devs: readonly NetDevice<any>[]): Generator<GenlEntry> {
  for (const dev of devs) for (const napi of [...dev.napis]) yield (w) => fillNapi(w, dev, napi)
}

/** No driver can keep counters by queue for netdev yet, so all are passed over. @kernel netdev_nl_qstats_get_dumpit() net/core/netdev-genl.c */
const qstatsGet: GenlOp = {
  cmd: Cmd.QSTATS_GET,
  reply: Cmd.QSTATS_GET,
  policy: nlaPolicy({ [Qstats.IFINDEX]: ifindex, [Qstats.SCOPE]: { name: 'scope', kind: 'u32', max: 1 } }),
  dumpit(info) {
    if (!info.attrs.has(Qstats.IFINDEX)) return []
    devOf(info, Qstats.IFINDEX)
    throw new NetlinkError('EOPNOTSUPP', undefined, { offset: info.attrs.offset(Qstats.IFINDEX) })
  },
}

/** The netdev family: devices, queues and NAPI instances. @kernel netdev_nl_family net/core/netdev-genl.c */
export function startNetdevNetlink(server: NetlinkServer): void {
  const entry = genlRegisterFamily(server, {
    name: 'netdev',
    version: 1,
    check: 'strict',
    mcgrps: ['mgmt', 'page-pool'],
    ops: [devGet, queueGet, napiGet, qstatsGet],
  })
  registerNetdeviceNotifier(server.kernel, (event, dev) => {
    if (event === 'NETDEV_REGISTER')
      genlNotify(server, entry, 'mgmt', Cmd.DEV_ADD_NTF, (w) => fillDev(w, dev))
    if (event === 'NETDEV_UNREGISTER')
      genlNotify(server, entry, 'mgmt', Cmd.DEV_DEL_NTF, (w) => fillDev(w, dev))
  })
}
