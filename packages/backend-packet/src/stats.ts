/**
 * What went wrong on an interface, beyond the counters every backend has. Plain numbers that only grow.
 *
 * @kernel none
 */
export class PacketStats {
  /** Interrupts: the host handed over a block. */
  interrupts = 0
  /** Frames the host dropped because the ring was full. Asked of the host by `readDrops()` and when it says it loses. */
  rxRingDrops = 0
  /** Frames that did not fit a block and were cut. Not offered; in `dropped`. */
  rxTruncated = 0
  /** Frames this host sent itself, passed over. They are in `dropped`. */
  rxOutgoing = 0
  /** Checksums finished that the host had left to a card. */
  rxChecksums = 0
  /** TCP frames longer than the MTU, cut into segments. What came of one beyond the first is in `made`. */
  rxSegmented = 0
  /** Other frames longer than the MTU. They are in `dropped`. */
  rxOversize = 0
  /** Frames the host did not take because the interface is down, or gone. They are in `dropped`. */
  txDown = 0
  /** Frames the host had no room for in its queue. They are in `dropped`. */
  txNoBuffers = 0
  /** Frames longer than the interface takes. They are in `dropped`. */
  txOversize = 0
  /** Frames lost to any other error. They are in `dropped`. */
  txErrors = 0
  /** Times the interface was set down, lost its carrier, or was deleted. */
  linkDowns = 0
  /** Times the interface came back after it was deleted, and was opened again. */
  reopened = 0
}
