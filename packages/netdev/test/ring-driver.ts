import {
  consumeSkb,
  type NetDevice,
  type NetDeviceOps,
  NETDEV_TX_BUSY,
  NETDEV_TX_OK,
  netdevTxResetQueue,
  netdevTxSentQueue,
  netdevXmitMore,
  type NetdevTx,
  netifTxDisable,
  netifTxqCompletedWake,
  netifTxqMaybeStop,
  netifTxStartAllQueues,
  netifTxStopQueue,
  type RtnlLinkStats64,
  type SkBuff,
} from '../src/index.ts'

/** A card with one transmit ring that completes when told to, and its driver, kept to the rules. */
export class Ring {
  readonly size: number
  readonly slots: (SkBuff | null)[]
  readonly lengths: number[]
  prod = 0
  clean = 0
  /** Frames the card took, in order, by their first byte. */
  wire: number[] = []
  doorbells = 0
  packets = 0
  bytes = 0
  stopThrs = 1
  startThrs = 2
  bql = false
  /** Where the wake helper's answers go. */
  wakes: number[] = []
  stops: number[] = []

  constructor(size: number) {
    this.size = size
    this.slots = new Array<SkBuff | null>(size).fill(null)
    this.lengths = new Array<number>(size).fill(0)
  }

  avail(): number {
    return this.size - (this.prod - this.clean)
  }

  put(skb: SkBuff): void {
    const at = this.prod % this.size
    this.slots[at] = skb
    this.lengths[at] = skb.len
    this.wire.push(skb.mem[skb.data]!)
    this.prod++
  }

  /** The card is done with `n` frames: the driver reclaims them, as from its poll. */
  complete(dev: NetDevice<any>, n: number): void {
    let pkts = 0
    let bytes = 0
    while (pkts < n && this.clean < this.prod) {
      const at = this.clean % this.size
      bytes += this.lengths[at]!
      consumeSkb(this.slots[at]!)
      this.slots[at] = null
      this.clean++
      pkts++
    }
    this.packets += pkts
    this.bytes += bytes
    this.wakes.push(netifTxqCompletedWake(dev.txq[0]!, pkts, this.bql ? bytes : 0, this, this.startThrs))
  }

  drain(): void {
    for (let i = 0; i < this.size; i++) {
      const skb = this.slots[i]
      if (skb != null) consumeSkb(skb)
      this.slots[i] = null
    }
    this.clean = this.prod
  }
}

/** The driver's table; parts of it are replaced to break a rule. */
export function ringOps(more: Partial<NetDeviceOps<Ring>> = {}): NetDeviceOps<Ring> {
  return {
    ndoOpen: (dev) => netifTxStartAllQueues(dev),
    ndoStop(dev) {
      netifTxDisable(dev)
      dev.priv.drain()
      for (const txq of dev.txq) netdevTxResetQueue(txq)
    },
    ndoStartXmit: (skb, dev) => ringXmit(skb, dev),
    ndoGetStats64(dev, stats: RtnlLinkStats64) {
      stats.txPackets = BigInt(dev.priv.packets)
      stats.txBytes = BigInt(dev.priv.bytes)
    },
    ...more,
  }
}

export function ringXmit(skb: SkBuff, dev: NetDevice<Ring>): NetdevTx {
  const ring = dev.priv
  const txq = dev.txq[0]!
  if (ring.avail() === 0) {
    netifTxStopQueue(txq)
    return NETDEV_TX_BUSY
  }
  const length = skb.len
  ring.put(skb)
  if (ring.bql) netdevTxSentQueue(txq, length)
  ring.stops.push(netifTxqMaybeStop(txq, ring, ring.stopThrs, ring.startThrs))
  if (!netdevXmitMore(dev) || (txq.state & 3) !== 0) ring.doorbells++
  return NETDEV_TX_OK
}
