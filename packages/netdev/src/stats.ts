/**
 * 64-bit counters that wrap at 2⁶⁴, counted without BigInt: two 32-bit words each.
 *
 * A driver makes one per queue, with one index for each thing it counts. A counter is written in one go, so a reader
 * never sees half of it.
 *
 * @kernel struct u64_stats_sync include/linux/u64_stats_sync.h
 * @rule STAT-08
 */
export class U64Stats {
  /** How many counters there are. */
  declare readonly length: number
  /** The words: counter `i` has its low word at `2i`, its high word at `2i + 1`. */
  declare readonly words: Uint32Array

  constructor(length: number) {
    this.length = length
    this.words = new Uint32Array(length * 2)
  }

  /** Adds `n` (0 … 2⁵²) to counter `i`. Hot path. */
  add(i: number, n: number): void {
    const words = this.words
    const low = i << 1
    const sum = words[low]! + n
    words[low] = sum
    if (sum > 0xffffffff) words[low + 1] = words[low + 1]! + Math.floor(sum / 0x100000000)
  }

  /** Counter `i` as a 64-bit value. */
  get(i: number): bigint {
    return (BigInt(this.words[i * 2 + 1]!) << 32n) | BigInt(this.words[i * 2]!)
  }

  /** Sets counter `i`; only for a new object, since counters never go back (STAT-05). */
  set(i: number, value: bigint): void {
    this.words[i * 2] = Number(value & 0xffffffffn)
    this.words[i * 2 + 1] = Number((value >> 32n) & 0xffffffffn)
  }
}

/**
 * The standard statistics of a device, as `ip -s -s link` shows them.
 *
 * @kernel struct rtnl_link_stats64 include/uapi/linux/if_link.h
 */
export class RtnlLinkStats64 {
  rxPackets = 0n
  txPackets = 0n
  rxBytes = 0n
  txBytes = 0n
  rxErrors = 0n
  txErrors = 0n
  rxDropped = 0n
  txDropped = 0n
  multicast = 0n
  collisions = 0n
  rxLengthErrors = 0n
  rxOverErrors = 0n
  rxCrcErrors = 0n
  rxFrameErrors = 0n
  rxFifoErrors = 0n
  rxMissedErrors = 0n
  txAbortedErrors = 0n
  txCarrierErrors = 0n
  txFifoErrors = 0n
  txHeartbeatErrors = 0n
  txWindowErrors = 0n
  rxCompressed = 0n
  txCompressed = 0n
  rxNohandler = 0n
  rxOtherhostDropped = 0n
}

/**
 * What the core itself counts for a device; merged into the result of `devGetStats`.
 *
 * @kernel struct net_device_core_stats include/linux/netdevice.h
 */
export class NetDeviceCoreStats {
  rxDropped = 0
  txDropped = 0
  rxNohandler = 0
  rxOtherhostDropped = 0
}
