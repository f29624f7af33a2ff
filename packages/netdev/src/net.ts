import { Softirq, openSoftirq } from '@vnet/kernel'
import type { Kernel, Tracepoint } from '@vnet/kernel'
import { LinkwatchState } from './linkwatch-state.ts'
import type { NetDevice } from './netdevice.ts'
import type { NetdevNotifier } from './notifier.ts'
import { fqCodelQdiscOps } from './qdisc/fq-codel.ts'
import { noqueueQdiscOps } from './qdisc/noqueue.ts'
import { pfifoFastQdiscOps } from './qdisc/pfifo-fast.ts'
import type { Qdisc, QdiscOps } from './qdisc/qdisc.ts'
import { netTxAction } from './qdisc/tx-action.ts'
import { type RxState, rxStateOf } from './rx-state.ts'

/**
 * Told of a device when everybody else knows: it has come, it is going, or its users of a counted flag came or went.
 *
 * @kernel rtmsg_ifinfo() net/core/rtnetlink.c
 */
export type RtmsgIfinfo = (
  what: 'register' | 'unregister' | 'flags',
  dev: NetDevice<any>,
  change: number,
) => void

/**
 * The networking state of one kernel: its devices, their listeners, the packet on its way out.
 *
 * @kernel struct net include/net/net_namespace.h
 */
export class Net {
  declare readonly kernel: Kernel
  declare readonly devByName: Map<string, NetDevice<any>>
  /** For patterns such as `eth%d`, below which number all are taken. Emptied when a name is given up. */
  declare readonly lowestFree: Map<string, number>
  /** In order of registration, which is the order `ip link` shows. */
  declare readonly devByIndex: Map<number, NetDevice<any>>
  /** Allocated and not yet freed: for the census. */
  declare readonly allocated: Set<NetDevice<any>>
  declare readonly notifiers: NetdevNotifier[]
  declare ifindexNext: number
  /** More packets follow the one in `ndoStartXmit`. */
  declare xmitMore: boolean
  /** Depth of devices stacked on each other in one transmit. */
  declare xmitRecursion: number
  /** Queues to run in the NET_TX softirq, linked by `nextScheduled`. */
  declare outputQueue: Qdisc | null
  declare outputQueueTail: Qdisc | null
  /** The receive path's state; its taps also see what is sent. */
  declare readonly rx: RxState
  declare readonly linkwatch: LinkwatchState
  /** Where netlink listens for what no notifier tells. */
  declare rtmsgIfinfo: RtmsgIfinfo | null
  /** The queueing disciplines tc can set up, by name. */
  declare readonly qdiscOps: Map<string, QdiscOps>
  declare defaultQdisc: QdiscOps
  declare readonly tpQueue: Tracepoint
  declare readonly tpStartXmit: Tracepoint
  declare readonly tpXmit: Tracepoint
  declare readonly tpXmitTimeout: Tracepoint
  declare readonly tpDequeue: Tracepoint

  constructor(kernel: Kernel) {
    this.kernel = kernel
    this.devByName = new Map()
    this.lowestFree = new Map()
    this.devByIndex = new Map()
    this.allocated = new Set()
    this.notifiers = []
    this.ifindexNext = 1
    this.xmitMore = false
    this.xmitRecursion = 0
    this.outputQueue = null
    this.outputQueueTail = null
    this.rx = rxStateOf(kernel)
    this.linkwatch = new LinkwatchState()
    this.rtmsgIfinfo = null
    this.qdiscOps = new Map([noqueueQdiscOps, pfifoFastQdiscOps, fqCodelQdiscOps].map((ops) => [ops.id, ops]))
    this.defaultQdisc = pfifoFastQdiscOps
    this.tpQueue = kernel.trace.point('net:net_dev_queue', ['len'])
    this.tpStartXmit = kernel.trace.point('net:net_dev_start_xmit', ['queue', 'len', 'ip_summed', 'gso_size'])
    this.tpXmit = kernel.trace.point('net:net_dev_xmit', ['len', 'rc'])
    this.tpXmitTimeout = kernel.trace.point('net:net_dev_xmit_timeout', ['queue_index'])
    this.tpDequeue = kernel.trace.point('qdisc:qdisc_dequeue', ['queue', 'packets', 'qlen'])
  }
}

/** The networking state of a kernel. @kernel dev_net() include/linux/netdevice.h */
export function netOf(kernel: Kernel): Net {
  return kernel.subsys('net', createNet)
}

function createNet(kernel: Kernel): Net {
  const net = new Net(kernel)
  openSoftirq(kernel, Softirq.NET_TX, () => netTxAction(net))
  kernel.census.add('netdev', () => [...net.allocated].map((dev) => ({ name: dev.name, module: dev.module })))
  return net
}
