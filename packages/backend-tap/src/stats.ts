/**
 * What went wrong on a TAP, beyond the counters every backend has. Plain numbers that only grow.
 *
 * @kernel none
 */
export class TapStats {
  /** Interrupts: the host said there are frames. */
  interrupts = 0
  /** Frames the host did not take because the interface is down, or gone. They are in `dropped`. */
  txDown = 0
  /** Frames the host had no memory for. They are in `dropped`. */
  txNoBuffers = 0
  /** Frames the host found malformed: under 14 bytes, or with a header that makes no sense. They are in `dropped`. */
  txInvalid = 0
  /** Frames lost to any other error. They are in `dropped`. */
  txErrors = 0
  /** Reads that failed. */
  rxErrors = 0
  /** Frames that were waiting from before a card was plugged in, thrown away. */
  rxStale = 0
  /** Times the interface was set down, or deleted. */
  linkDowns = 0
  /** Times the interface came back after it was deleted, and was attached to again. */
  reattached = 0
}
