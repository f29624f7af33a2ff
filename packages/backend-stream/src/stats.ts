/**
 * What happened to the connection of a stream cable, beyond the counters every backend has. Numbers only grow.
 *
 * @kernel none
 */
export class StreamStats {
  /** Times a peer was there. */
  connects = 0
  /** Times it went. */
  disconnects = 0
  /** Attempts that found nobody, or were refused. */
  connectErrors = 0
  /** Peers that came while one was there; they were sent away. */
  turnedAway = 0
  /** Frames a peer began and did not finish before it went. */
  truncated = 0
  /** Lengths no frame has; the connection was closed for each. */
  badLength = 0
  /** Frames too long for the peer. They are in `dropped`. */
  txOversize = 0
  /** Times the card was refused because too much was on its way. */
  txFull = 0
}
