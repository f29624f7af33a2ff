/**
 * A second driver on the shared core, by another author, for another kind of card: it moves the bytes itself.
 */
import { PtrRing } from '@vnet/core-ring'
import { setEthtoolOps } from '@vnet/ethtool'
import {
  IRQ_HANDLED,
  IRQ_NONE,
  copyBytes,
  freeIrq,
  requestIrq,
  type IrqReturn,
  type Kernel,
} from '@vnet/kernel'
import * as napi from '@vnet/napi'
import * as nd from '@vnet/netdev'
import type { FifoCard } from './fifo-card.ts'

interface FifoPriv {
  readonly card: FifoCard
  readonly gro: nd.GroNode
  napi: napi.NapiStruct
  /** Sent but not completed, oldest first. */
  readonly inFlight: PtrRing<nd.SkBuff>
  readonly room: { avail(): number }
  readonly stats: nd.U64Stats
}
type Dev = nd.NetDevice<FifoPriv>
const [TX_PACKETS, TX_BYTES, TX_DROPPED, RX_PACKETS, RX_BYTES, RX_DROPPED] = [0, 1, 2, 3, 4, 5]

const ops: nd.NetDeviceOps<FifoPriv> = {
  ndoOpen(dev) {
    const { card } = dev.priv
    requestIrq(dev.kernel, card.irq, interrupt, {}, dev.name, dev)
    napi.napiEnable(dev.priv.napi)
    card.receiveUpTo(dev.mtu + nd.ETH_HLEN)
    card.setMask(false)
    if (card.linkUp) nd.netifCarrierOn(dev)
    nd.netifTxStartAllQueues(dev)
  },

  ndoStop(dev) {
    const { card, inFlight, stats } = dev.priv
    card.receiveUpTo(0)
    nd.netifTxDisable(dev)
    nd.netifCarrierOff(dev)
    napi.napiDisable(dev.priv.napi)
    card.clear()
    freeIrq(dev.kernel, card.irq, dev)
    for (let skb = inFlight.consume(); skb !== undefined; skb = inFlight.consume()) {
      stats.add(TX_DROPPED, 1)
      nd.kfreeSkb(skb, nd.SkbDropReason.QUEUE_PURGE)
    }
    nd.netdevTxResetQueue(dev.txq[0]!)
  },

  ndoStartXmit(skb, dev) {
    const { card, inFlight, room, stats } = dev.priv
    const txq = dev.txq[0]!
    if (card.tx.full || inFlight.full) {
      nd.netifTxStopQueue(txq)
      return nd.NETDEV_TX_BUSY
    }
    if (skb.len > dev.mtu + nd.ETH_HLEN + nd.VLAN_HLEN) {
      stats.add(TX_DROPPED, 1)
      nd.devKfreeSkbAny(skb, nd.SkbDropReason.PKT_TOO_BIG)
      endBurst(dev)
      return nd.NETDEV_TX_OK
    }
    if (!nd.skbPutPadto(skb, nd.ETH_ZLEN)) {
      // No memory to pad it: it is freed already.
      stats.add(TX_DROPPED, 1)
      endBurst(dev)
      return nd.NETDEV_TX_OK
    }
    card.tx.push(skb.mem, skb.data, skb.len)
    nd.netdevTxSentQueue(txq, skb.len)
    inFlight.produce(skb)
    nd.netifTxqMaybeStop(txq, room, 1, 4)
    if (!nd.netdevXmitMore(dev) || nd.netifXmitStopped(txq)) card.go()
    return nd.NETDEV_TX_OK
  },

  ndoGetStats64(dev, s) {
    const { stats, card } = dev.priv
    s.txPackets = stats.get(TX_PACKETS)
    s.txBytes = stats.get(TX_BYTES)
    s.txDropped = stats.get(TX_DROPPED)
    s.rxPackets = stats.get(RX_PACKETS)
    s.rxBytes = stats.get(RX_BYTES)
    s.rxDropped = stats.get(RX_DROPPED)
    s.rxMissedErrors = BigInt(card.missed)
    s.rxLengthErrors = s.rxErrors = BigInt(card.bad)
  },

  ndoValidateAddr: nd.ethValidateAddr,

  ndoChangeMtu(dev, mtu) {
    if (nd.netifRunning(dev)) dev.priv.card.receiveUpTo(mtu + nd.ETH_HLEN)
  },
}

/** The frame that was not sent may have been the last of a burst: those before it still wait to be sent. */
function endBurst(dev: Dev): void {
  if (!nd.netdevXmitMore(dev) && dev.priv.card.tx.count > 0) dev.priv.card.go()
}

function interrupt(_irq: number, data: object): IrqReturn {
  const dev = data as Dev
  const { card } = dev.priv
  if (!card.pending) return IRQ_NONE
  // Masked even if a poll is running: this card has no cause to acknowledge, so its line would stay high.
  card.setMask(true)
  napi.napiSchedule(dev.priv.napi)
  return IRQ_HANDLED
}

function poll(n: napi.NapiStruct, budget: number): number {
  const dev = n.data as Dev
  complete(dev, budget)
  let work = 0
  while (work < budget && dev.priv.card.rx.count > 0) {
    receive(dev)
    work++
  }
  if (work < budget && napi.napiCompleteDone(n, work)) dev.priv.card.setMask(false)
  return work
}

function complete(dev: Dev, budget: number): void {
  const { card, inFlight, room, stats } = dev.priv
  const packets = card.sent
  if (packets === 0) return
  card.sent = 0
  let bytes = 0
  for (let k = 0; k < packets; k++) {
    const skb = inFlight.consume()!
    bytes += skb.len
    nd.napiConsumeSkb(skb, budget)
  }
  stats.add(TX_PACKETS, packets)
  stats.add(TX_BYTES, bytes)
  nd.netifTxqCompletedWake(dev.txq[0]!, packets, bytes, room, 4)
}

function receive(dev: Dev): void {
  const { card, gro, stats } = dev.priv
  const { rx } = card
  const length = rx.length
  const skb = nd.netdevAllocSkb(dev, length)
  if (skb === null) stats.add(RX_DROPPED, 1)
  else {
    copyBytes(skb.mem, nd.skbPut(skb, length), rx.bytes, rx.offset, length)
    stats.add(RX_PACKETS, 1)
    stats.add(RX_BYTES, length)
    skb.protocol = nd.ethTypeTrans(skb, dev)
  }
  rx.pop()
  if (skb !== null) nd.groReceiveSkb(gro, skb)
}

/** Registers `fifo0` (or the next free name) for a card. */
export function createFifo(kernel: Kernel, card: FifoCard): Dev {
  const dev: Dev = nd.allocEtherdevMqs<FifoPriv>(kernel, {
    name: 'fifo%d',
    ops,
    priv: (d) => {
      const inFlight = new PtrRing<nd.SkBuff>(card.slots)
      const room = { avail: () => inFlight.size - inFlight.length }
      const n = napi.netifNapiAdd(d, poll)
      n.data = d
      return { card, gro: nd.groInit(d), napi: n, inFlight, room, stats: new nd.U64Stats(6) }
    },
  })
  dev.driverName = 'fifo'
  dev.priv.napi.flushHook = dev.priv.gro
  nd.ethHwAddrSet(dev, card.macAddress)
  setEthtoolOps(dev, {})
  nd.netifCarrierOff(dev)
  try {
    nd.registerNetdev(dev)
  } catch (error) {
    nd.freeNetdev(dev)
    throw error
  }
  return dev
}
