/**
 * What happened to a WebSocket cable, beyond the counters every backend has. Numbers only grow.
 *
 * @kernel none
 */
export class WebSocketStats {
  /** Times the connection was there. */
  connects = 0
  /** Times it went. */
  disconnects = 0
  /** Attempts that found nobody, or were refused. */
  connectErrors = 0
  /** Messages that were text: no frame is. */
  rxText = 0
  /** Messages longer than any frame, passed over. */
  rxOversize = 0
  /** Times the card was refused because too much was on its way. */
  txFull = 0
}
