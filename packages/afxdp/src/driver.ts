/**
 * The AF_XDP driver, in reading order: open, interrupt, poll, transmit, stop.
 *
 * A frame received stays where the kernel put it: its buffer becomes the sk_buff's. A frame sent is copied once, into
 * the memory shared with the kernel.
 */
import * as k from '@vnet/kernel'
import { watchFd } from '@vnet/linux'
import * as napi from '@vnet/napi'
import * as nd from '@vnet/netdev'
import { XdpProgram, type XdpMode } from './bpf.ts'
import { CHUNK, RxSide, TxSide } from './sides.ts'
import type { AfxdpPriv, AfxdpSettings } from './priv.ts'
import { Xsk } from './xsk.ts'

type Dev = nd.NetDevice<AfxdpPriv>
export const [TX_PACKETS, TX_BYTES, TX_DROPPED, RX_PACKETS, RX_BYTES, RX_DROPPED] = [0, 1, 2, 3, 4, 5]

function afxdpOpen(dev: Dev): void {
  const { priv } = dev
  const { options } = priv
  const sizes = { rxSize: options.rxRing, txSize: options.txRing }
  const chunks = options.rxRing * 2 + options.txRing
  priv.netns.run(() => {
    priv.xsk = new Xsk({
      ...sizes,
      ifindex: options.ifindex,
      queue: options.queue,
      chunks,
      chunkSize: CHUNK,
      zeroCopy: options.zeroCopy,
    })
  })
  try {
    start(dev, priv.xsk!)
  } catch (error) {
    release(dev)
    throw error
  }
  nd.netdevInfo(dev, `opened on queue ${options.queue} of ${options.ifname}`)
}

function start(dev: Dev, xsk: Xsk): void {
  const { priv, kernel } = dev
  const { options } = priv
  priv.region = kernel.mem.addRegion(xsk.umem.buffer)
  priv.rx = new RxSide(dev, xsk, priv.region, options.rxRing * 2)
  priv.tx = new TxSide(xsk, priv.region, options.rxRing * 2, options.txRing)
  priv.netns.run(() => {
    priv.program = attachProgram(options, xsk.fd)
  })
  priv.watcher = watchFd(xsk.fd, {
    readable: () => kernel.hostInterrupt(() => kernel.irq.setLevel(priv.irq, true)),
  })
  priv.watcher.unref()
  k.requestIrq(kernel, priv.irq, interrupt, {}, dev.name, dev)
  priv.rx.refill()
  napi.napiEnable(priv.napi)
  priv.watcher.start()
  if (priv.link.running) nd.netifCarrierOn(dev)
  nd.netifTxStartAllQueues(dev)
}

/** In the driver if it can, else in the stack. */
function attachProgram(options: AfxdpSettings, fd: number): XdpProgram {
  const at = (mode: XdpMode): XdpProgram => new XdpProgram(options.ifindex, options.queue, fd, mode)
  if (options.mode !== null) return at(options.mode)
  try {
    return at('native')
  } catch (error) {
    if (!(error instanceof k.Errno) || error.code !== 'EOPNOTSUPP') throw error
    return at('generic')
  }
}

/** Masks by no longer watching the descriptor, then leaves the work to the poll. @rule NAPI-12 */
function interrupt(_irq: number, data: object): k.IrqReturn {
  const dev = data as Dev
  dev.kernel.irq.setLevel(dev.priv.irq, false)
  dev.priv.watcher?.stop()
  napi.napiSchedule(dev.priv.napi)
  return k.IRQ_HANDLED
}

/** Polls the rings. @kernel none @rule NAPI-03 NAPI-04 NAPI-11 */
export function afxdpPoll(n: napi.NapiStruct, budget: number): number {
  const dev = n.data as Dev
  const { priv } = dev
  reclaim(dev)
  const work = priv.rx!.receive(priv.gro, priv.stats, budget)
  if (work < budget && napi.napiCompleteDone(n, work)) priv.watcher?.start()
  return work
}

/** Takes back what was sent, and wakes the queue. @rule BQL-02 TXQ-03 */
function reclaim(dev: Dev): void {
  const tx = dev.priv.tx!
  const packets = tx.reclaim()
  if (packets === 0) return
  const { stats } = dev.priv
  stats.add(TX_PACKETS, packets)
  stats.add(TX_BYTES, tx.bytesDone)
  nd.netifTxqCompletedWake(dev.txq[0]!, packets, tx.bytesDone, tx, tx.wakeAt)
}

function afxdpStartXmit(skb: nd.SkBuff, dev: Dev): nd.NetdevTx {
  const { tx: side, stats, timer } = dev.priv
  const tx = side!
  const txq = dev.txq[0]!
  if (tx.avail() === 0) {
    nd.netifTxStopQueue(txq)
    return nd.NETDEV_TX_BUSY
  }
  const { len } = skb
  if (len > CHUNK) {
    stats.add(TX_DROPPED, 1)
    nd.devKfreeSkbAny(skb, nd.SkbDropReason.PKT_TOO_BIG)
  } else {
    nd.netdevTxSentQueue(txq, len)
    tx.post(skb)
    nd.devConsumeSkbAny(skb)
    nd.netifTxqMaybeStop(txq, tx, 1, tx.wakeAt)
  }
  if (!nd.netdevXmitMore(dev) || nd.netifXmitStopped(txq)) {
    tx.kick()
    // The kernel says nothing when a frame has gone: look in a moment.
    k.modTimer(timer, dev.kernel.clock.jiffies + 1)
  }
  return nd.NETDEV_TX_OK
}

/** Frames sent and not yet given back are asked for by the poll loop. Softirq context. */
export function lookForCompletions(dev: Dev): void {
  const { tx, napi: n, timer } = dev.priv
  if (tx === null || tx.inFlight === 0) return
  tx.kick()
  napi.napiSchedule(n)
  k.modTimer(timer, dev.kernel.clock.jiffies + 1)
}

function afxdpStop(dev: Dev): void {
  const { priv } = dev
  nd.netifTxDisable(dev)
  nd.netifCarrierOff(dev)
  priv.watcher?.stop()
  k.timerDeleteSync(priv.timer)
  napi.napiDisable(priv.napi)
  k.freeIrq(dev.kernel, priv.irq, dev)
  reclaim(dev)
  priv.stats.add(TX_DROPPED, priv.tx!.inFlight)
  priv.lost += missed(priv.xsk!)
  nd.netdevTxResetQueue(dev.txq[0]!)
  release(dev)
  nd.netdevInfo(dev, 'stopped')
}

/** The program goes first, so that no frame is handed to a socket that is closing. */
function release(dev: Dev): void {
  const { priv } = dev
  priv.watcher?.close()
  priv.program?.close()
  priv.rx?.destroy()
  const { xsk, region } = priv
  const free = (): void => {
    if (region !== null) dev.kernel.mem.removeRegion(region)
    xsk?.unmap()
  }
  xsk?.closeSocket()
  // Frames still above us lie in the shared memory: it goes with the last of them.
  if (priv.rx === null) free()
  else priv.rx.whenEmpty(free)
  priv.watcher = null
  priv.program = null
  priv.rx = null
  priv.tx = null
  priv.xsk = null
  priv.region = null
}

function afxdpGetStats64(dev: Dev, s: nd.RtnlLinkStats64): void {
  const { stats, xsk, lost } = dev.priv
  s.txPackets = stats.get(TX_PACKETS)
  s.txBytes = stats.get(TX_BYTES)
  s.txDropped = stats.get(TX_DROPPED)
  s.rxPackets = stats.get(RX_PACKETS)
  s.rxBytes = stats.get(RX_BYTES)
  s.rxDropped = stats.get(RX_DROPPED)
  s.rxMissedErrors = lost + (xsk === null ? 0n : missed(xsk))
}

/** Frames the host's kernel had no room for. */
function missed(xsk: Xsk): bigint {
  const { rxRingFull, rxFillRingEmpty } = xsk.statistics
  return BigInt(rxRingFull + rxFillRingEmpty)
}

/** The operations of an AF_XDP device. @kernel none */
export const afxdpNetdevOps: nd.NetDeviceOps<AfxdpPriv> = {
  ndoOpen: afxdpOpen,
  ndoStop: afxdpStop,
  ndoStartXmit: afxdpStartXmit,
  ndoGetStats64: afxdpGetStats64,
  ndoValidateAddr: nd.ethValidateAddr,
}
