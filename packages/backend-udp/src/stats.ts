/**
 * What went wrong with datagrams, beyond the counters every backend has. Numbers only grow.
 *
 * @kernel none
 */
export class UdpStats {
  /** Datagrams from somebody who is not a remote, passed over. */
  rxStrangers = 0
  /** Datagrams that are no VXLAN, passed over. */
  rxInvalid = 0
  /** Datagrams of another VXLAN, passed over. */
  rxOtherVni = 0
  /** Frames longer than a datagram may be here. They are in `dropped`. */
  txOversize = 0
  /** Datagrams the host refused: no route, a firewall, too long for the path. */
  txErrors = 0
  /** Times the card was refused because too much was on its way. */
  txFull = 0
}
