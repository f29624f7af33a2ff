/** The first sequence numbers of one conversation, from the side with the lower port and from the other. */
interface Flow {
  seq: number
  ack: number
}

/** Numbers relative to the start of a conversation. */
export interface RelativeNumbers {
  readonly seq: number
  readonly ack: number
  /** What a SACK range is relative to. */
  readonly sackBase: number
}

/**
 * Remembers where TCP conversations began, so that lines can count from 0 as tcpdump's do.
 *
 * @kernel none
 */
export class TcpFlows {
  private readonly flows: Map<string, Flow>
  private readonly limit: number

  /** @param limit - conversations kept; the oldest is forgotten for a new one. */
  constructor(limit = 65536) {
    this.flows = new Map()
    this.limit = limit
  }

  /**
   * Takes note of a segment with ACK and gives its numbers as they are to be printed.
   *
   * The first segment seen, and each with SYN, keeps its numbers and becomes the start.
   */
  relate(
    src: string,
    srcPort: number,
    dst: string,
    dstPort: number,
    seq: number,
    ack: number,
    syn: boolean,
  ): RelativeNumbers {
    const reversed = srcPort > dstPort || (srcPort === dstPort && src > dst)
    const key = reversed ? `${dst} ${dstPort} ${src} ${srcPort}` : `${src} ${srcPort} ${dst} ${dstPort}`
    const known = this.flows.get(key)
    const flow = known ?? { seq: 0, ack: 0 }
    let relativeSeq = seq
    let relativeAck = ack
    if (known === undefined || syn) {
      flow.seq = reversed ? (ack - 1) >>> 0 : seq
      flow.ack = reversed ? seq : (ack - 1) >>> 0
      this.remember(key, flow)
    } else {
      relativeSeq = (seq - (reversed ? flow.ack : flow.seq)) >>> 0
      relativeAck = (ack - (reversed ? flow.seq : flow.ack)) >>> 0
    }
    return { seq: relativeSeq, ack: relativeAck, sackBase: reversed ? flow.seq : flow.ack }
  }

  private remember(key: string, flow: Flow): void {
    if (this.flows.size >= this.limit && !this.flows.has(key)) {
      for (const oldest of this.flows.keys()) {
        this.flows.delete(oldest)
        break
      }
    }
    this.flows.set(key, flow)
  }
}
