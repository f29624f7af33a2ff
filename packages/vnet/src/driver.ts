/**
 * The vnet driver, in reading order: open, receive, interrupt, poll, transmit, watchdog, stop.
 *
 * It drives a card through {@link VnetHw} only. The rules it keeps are in docs/driver-rules.md.
 */
import * as k from '@vnet/kernel'
import * as napi from '@vnet/napi'
import * as nd from '@vnet/netdev'
import type { NetDevice, NetDeviceOps, NetdevTx, SkBuff } from '@vnet/netdev'
import { drainRx, fillRx, giveUpRx } from './queue-rx.ts'
import { drainTx, reclaimTx } from './queue-tx.ts'
import { RX_HEADROOM, allocQueues, type QueueSizes, type VnetPriv, type VnetQueue } from './queue.ts'
import * as reg from './regs.ts'
import * as stat from './stats.ts'

const { ETH_HLEN, ETH_ZLEN, NETDEV_TX_BUSY, NETDEV_TX_OK, VLAN_HLEN } = nd

type Dev = NetDevice<VnetPriv>

// ── open: buffers, interrupt, NAPI, unmask, queues (OPEN-02 … OPEN-05) ──

function vnetOpen(dev: Dev): void {
  const { hw, queues, txPending, rxPending } = dev.priv
  const memory = allocQueues(dev, { tx: txPending, rx: rxPending, mtu: dev.mtu })
  for (const q of queues) q.adopt(memory[q.index]!)
  let lines = 0
  try {
    for (const q of queues) {
      k.requestIrq(dev.kernel, hw.irq(q.index), vnetInterrupt, {}, `${dev.name}-${q.index}`, q)
      lines++
    }
  } catch (error) {
    for (const q of queues.slice(0, lines)) k.freeIrq(dev.kernel, hw.irq(q.index), q)
    for (const q of queues) q.adopt(null)
    throw error
  }
  vnetUp(dev, dev.mtu)
  nd.netdevInfo(dev, 'opened')
}

function vnetUp(dev: Dev, mtu: number): void {
  const { hw, queues, coalesce } = dev.priv
  hw.reset()
  hw.setCoalesce(coalesce)
  vnetSetRxMode(dev)
  for (const q of queues) {
    fillRx(q)
    hw.setRings(q.index, q.tx, q.rx)
    napi.napiEnable(q.napi)
  }
  hw.enableTx(true)
  hw.enableRx(true, mtu + ETH_HLEN)
  for (const q of queues) hw.unmask(q.index)
  linkChanged(dev)
}

// ── interrupt: acknowledge, mask, schedule (NAPI-12) ──

function vnetInterrupt(_irq: number, data: object): k.IrqReturn {
  const q = data as VnetQueue
  const cause = q.hw.readCause(q.index)
  if (cause === 0 || cause === reg.ALL_ONES) return k.IRQ_NONE
  if ((cause & reg.CAUSE_LINK) !== 0) linkChanged(q.dev)
  if ((cause & (reg.CAUSE_RX | reg.CAUSE_TX)) !== 0 && napi.napiSchedulePrep(q.napi)) {
    q.hw.mask(q.index)
    const { preemptHook } = q.dev.kernel
    if (preemptHook !== null) preemptHook('irq:before-schedule')
    napi.__napiSchedule(q.napi)
  }
  return k.IRQ_HANDLED
}

/** Queues wake with the carrier, never without it (TXQ-10). */
function linkChanged(dev: Dev): void {
  if (!dev.priv.hw.linkUp) {
    nd.netifCarrierOff(dev)
    return
  }
  nd.netifCarrierOn(dev)
  for (const q of dev.priv.queues) if (q.tx.avail() > 0) nd.netifTxWakeQueue(q.txq)
}

// ── poll: reclaim what was sent, receive within the budget, unmask when done (NAPI-02 … NAPI-13) ──

/** Polls a queue. @kernel none @rule NAPI-03 NAPI-04 NAPI-05 NAPI-06 NAPI-11 NAPI-13 */
export function vnetPoll(n: napi.NapiStruct, budget: number): number {
  const q = n.data as VnetQueue
  cleanTx(q, budget)
  const work = cleanRx(q, budget)
  if (work < budget && napi.napiCompleteDone(n, work)) {
    const { preemptHook } = q.dev.kernel
    if (preemptHook !== null) preemptHook('napi:before-unmask')
    q.hw.unmask(q.index)
  }
  return work
}

/** Frees every sent skb, whatever the budget (NAPI-03), and tells the queue once (BQL-02). */
function cleanTx(q: VnetQueue, budget: number): void {
  const n = q.tx.completed()
  if (n === 0) return
  const bytes = reclaimTx(q, budget)
  nd.netifTxqCompletedWake(q.txq, n, bytes, q.tx, q.wakeAt)
}

/** Passes up at most `budget` frames and refills each descriptor it took (RX-05). */
function cleanRx(q: VnetQueue, budget: number): number {
  const { rx, pool, dev, stats, gro, rxPage } = q
  const { words, mask } = rx
  const room = pool.bufSize - RX_HEADROOM
  const first = rx.clean | 0
  let ready = rx.completed()
  let bytes = 0
  let good = 0
  let kind = 0
  let counted = 0
  let n = 0
  for (; n < budget; n++) {
    if (n === ready) {
      // What came meanwhile is taken in this poll, and needs no interrupt.
      ready = rx.completed()
      if (n === ready) break
    }
    const slot = (first + n) & mask
    const d = slot << 2 // DESC_WORDS
    const length = words[d | 2]! // DESC_LENGTH
    const page = rxPage[slot]!
    const fresh = nd.pagePoolAlloc(pool)
    const skb = fresh < 0 ? null : nd.napiBuildSkb(pool, page, RX_HEADROOM, length)
    if (skb === null) {
      giveUpRx(q, slot, fresh)
      continue
    }
    // As `postPage` does; region and status are those of the page before.
    rxPage[slot] = fresh
    words[d] = nd.pagePoolOffset(pool, fresh) + RX_HEADROOM
    words[d | 2] = room
    words[d | 3] = 0
    good++
    bytes += length
    skb.queueMapping = q.index
    const protocol = nd.ethTypeTrans(skb, dev)
    // Neighbours are mostly of one kind: counted when another comes.
    if (protocol !== kind) {
      stats.add(stat.RX_PROTO + stat.protoSlot(kind), good - 1 - counted)
      counted = good - 1
      kind = protocol
    }
    nd.groReceiveSkb(gro, skb)
  }
  if (n === 0) return 0
  rx.reclaim(n)
  rx.post(n)
  stats.add(stat.RX_PACKETS, good)
  stats.add(stat.RX_BYTES, bytes)
  stats.add(stat.RX_PROTO + stat.protoSlot(kind), good - counted)
  return n
}

// ── transmit (TXQ-*) ──

function vnetStartXmit(skb: SkBuff, dev: Dev): NetdevTx {
  const q = dev.priv.queues[skb.queueMapping]!
  const { tx, txq } = q
  const length = skb.len
  // ETH_ZLEN, ETH_HLEN + VLAN_HLEN; literals, because an imported constant costs a load and a check.
  if (length < 60 || length > dev.mtu + 18 || tx.avail() === 0) return xmitUncommon(skb, dev, q)
  const { words } = tx
  const slot = tx.prod & tx.mask
  // DESC_OFFSET, DESC_REGION, DESC_LENGTH, DESC_STATUS of a descriptor of DESC_WORDS.
  const d = slot << 2
  words[d] = skb.data
  words[d | 1] = skb.region
  words[d | 2] = length
  words[d | 3] = 0
  q.txSkb[slot] = skb
  nd.netdevTxSentQueue(txq, length)
  if (tx.post(1) === 0) nd.netifTxqTryStop(txq, tx, q.wakeAt)
  if (!dev.net.xmitMore || nd.netifXmitStopped(txq)) q.hw.doorbell(q.index)
  return 0 // NETDEV_TX_OK
}

/** A full ring, or a frame that is too long or too short for the wire. */
function xmitUncommon(skb: SkBuff, dev: Dev, q: VnetQueue): NetdevTx {
  if (q.tx.avail() === 0) {
    // Only a spurious wake leads here (TXQ-11).
    nd.netifTxStopQueue(q.txq)
    return NETDEV_TX_BUSY
  }
  if (skb.len > dev.mtu + ETH_HLEN + VLAN_HLEN) {
    q.stats.add(stat.TX_ERRORS, 1)
    nd.devKfreeSkbAny(skb, nd.SkbDropReason.PKT_TOO_BIG)
  } else if (nd.skbPutPadto(skb, ETH_ZLEN)) {
    return vnetStartXmit(skb, dev)
  } else {
    q.stats.add(stat.TX_DROPPED, 1)
  }
  // It may have been the last of a burst: those before it wait for the doorbell (TXQ-18).
  if (!nd.netdevXmitMore(dev) && q.tx.pending() > 0) q.hw.doorbell(q.index)
  return NETDEV_TX_OK
}

// ── watchdog: reset from process context (WDT-03) ──

function vnetTxTimeout(dev: Dev, txqueue: number): void {
  nd.netdevErr(dev, `transmit timed out on queue ${txqueue}, resetting the card`)
  k.scheduleWork(dev.priv.resetWork)
}

/** Resets the card after a transmit timeout; process context. @kernel none @rule WDT-03 */
export function vnetReset(dev: Dev): void {
  dev.kernel.rtnl.run(() => {
    if (!nd.netifRunning(dev)) return
    vnetDown(dev, stat.TX_ERRORS)
    vnetUp(dev, dev.mtu)
  })
}

// ── stop (STOP-01 … STOP-04) ──

function vnetStop(dev: Dev): void {
  const { hw, queues } = dev.priv
  vnetDown(dev, stat.TX_DROPPED)
  for (const q of queues) k.freeIrq(dev.kernel, hw.irq(q.index), q)
  for (const q of queues) {
    drainRx(q)
    q.adopt(null)
  }
  nd.netdevInfo(dev, 'stopped')
}

/** Quiets card and queues, then empties the rings; what was not sent is counted under `lost`. Receive pages stay. */
function vnetDown(dev: Dev, lost: number): void {
  const { hw, queues } = dev.priv
  hw.enableRx(false, 0)
  nd.netifTxDisable(dev)
  hw.enableTx(false)
  nd.netifCarrierOff(dev)
  for (const q of queues) napi.napiDisable(q.napi)
  for (const q of queues) hw.mask(q.index)
  for (const q of queues) {
    drainTx(q, lost)
    q.rx.reset()
    hw.setRings(q.index, null, null)
  }
}

// ── settings ──

/** Tells the card which frames to keep (RX-09). */
function vnetSetRxMode(dev: Dev): void {
  dev.priv.hw.setRxFilter({
    promiscuous: (dev.flags & nd.Iff.PROMISC) !== 0,
    allMulticast: (dev.flags & nd.Iff.ALLMULTI) !== 0,
    unicast: [dev.devAddr, ...Array.from(dev.uc.values(), (a) => a.addr)],
    multicast: Array.from(dev.mc.values(), (a) => a.addr),
  })
}

function vnetSetMacAddress(dev: Dev, addr: Uint8Array): void {
  nd.ethMacAddr(dev, addr)
  nd.netdevInfo(dev, `MAC updated to ${nd.formatMac(dev.devAddr)}`)
}

/**
 * Gives the device other rings or buffers, also under traffic; if they cannot be had, all stays as it was.
 *
 * @throws Errno ENOMEM
 * @kernel none
 * @rule ETH-10 MTU-03
 */
export function vnetReconfigure(dev: Dev, change: Partial<QueueSizes>): void {
  const { priv } = dev
  const sizes = { tx: priv.txPending, rx: priv.rxPending, mtu: dev.mtu, ...change }
  if (nd.netifRunning(dev)) {
    const memory = allocQueues(dev, sizes)
    vnetDown(dev, stat.TX_DROPPED)
    for (const q of priv.queues) {
      drainRx(q)
      q.adopt(memory[q.index]!)
    }
    vnetUp(dev, sizes.mtu)
  }
  priv.txPending = sizes.tx
  priv.rxPending = sizes.rx
}

/** The operations of a vnet device. @kernel struct net_device_ops include/linux/netdevice.h */
export const vnetNetdevOps: NetDeviceOps<VnetPriv> = {
  ndoOpen: vnetOpen,
  ndoStop: vnetStop,
  ndoStartXmit: vnetStartXmit,
  ndoTxTimeout: vnetTxTimeout,
  ndoGetStats64: stat.vnetGetStats64,
  ndoSetRxMode: vnetSetRxMode,
  ndoSetMacAddress: vnetSetMacAddress,
  ndoValidateAddr: nd.ethValidateAddr,
  ndoChangeMtu: (dev, mtu) => vnetReconfigure(dev, { mtu }),
}
