import {
  allocSkb,
  consumeSkb,
  devAddPack,
  devQueueXmit,
  devRemovePack,
  ETH_HLEN,
  ETH_P_ALL,
  formatMac,
  type NetDevice,
  type PacketType,
  PACKET_OUTGOING,
  type SkBuff,
  skbCopyBits,
  skbPut,
  skbReserve,
} from '@vnet/netdev'
import { getUnalignedBe16 } from '@vnet/wire'
import {
  makeReadable,
  makeWritable,
  type ReadableController,
  type WebReadable,
  type WebWritable,
} from './host-streams.ts'

/** So many frames wait for a slow reader; more are dropped and counted. */
const WAITING = 256

/**
 * The frames of a device as web streams: a place for a protocol stack of another maker.
 *
 * The streams run outside the kernel: what is written leaves when the host's event loop comes to it.
 *
 * @kernel none
 */
export interface NetDeviceStreams {
  readonly mac: string
  /** What the device received, from the Ethernet header on. */
  readonly readable: WebReadable
  /** What the device is to send. */
  readonly writable: WebWritable
  /** Frames dropped because nobody read, or because they were no frames. */
  readonly dropped: number
  /** Ends both. */
  close(): void
}

/**
 * Opens the frames of a device as streams. Other receivers of the device are not disturbed.
 *
 * @kernel none
 */
export function netDeviceStreams(dev: NetDevice<any>): NetDeviceStreams {
  return new Streams(dev)
}

class Streams implements NetDeviceStreams {
  readonly mac: string
  readonly readable: WebReadable
  readonly writable: WebWritable
  dropped = 0
  readonly #dev: NetDevice<any>
  readonly #tap: PacketType
  #controller: ReadableController | null = null

  constructor(dev: NetDevice<any>) {
    this.#dev = dev
    this.mac = formatMac(dev.devAddr)
    this.#tap = { type: ETH_P_ALL, dev, func: (skb) => this.#receive(skb) }
    this.readable = makeReadable(
      {
        start: (controller) => {
          this.#controller = controller
        },
        cancel: () => this.#detach(),
      },
      WAITING,
    )
    this.writable = makeWritable({
      write: (frame) => this.#send(frame),
      close: () => this.close(),
      abort: () => this.close(),
    })
    devAddPack(dev.kernel, this.#tap)
  }

  close(): void {
    const controller = this.#controller
    this.#detach()
    controller?.close()
  }

  #detach(): void {
    this.#controller = null
    devRemovePack(this.#dev.kernel, this.#tap)
  }

  #receive(skb: SkBuff): number {
    if (skb.pktType !== PACKET_OUTGOING) this.#offer(skb)
    consumeSkb(skb)
    return 0
  }

  #offer(skb: SkBuff): void {
    const controller = this.#controller
    if (controller === null || (controller.desiredSize ?? 0) <= 0) {
      this.dropped++
      return
    }
    const header = skb.data - skb.macHeader
    const frame = new Uint8Array(header + skb.len)
    frame.set(skb.mem.subarray(skb.macHeader, skb.data))
    skbCopyBits(skb, 0, frame, header, skb.len)
    controller.enqueue(frame)
  }

  #send(frame: Uint8Array): void {
    const dev = this.#dev
    const skb =
      frame.length < ETH_HLEN || dev.regState !== 'registered' ? null : allocSkb(dev.kernel, frame.length + 2)
    if (skb === null || frame.length > dev.mtu + ETH_HLEN + 4) {
      this.dropped++
      if (skb !== null) consumeSkb(skb)
      return
    }
    // Two bytes put the network header on a multiple of four.
    skbReserve(skb, 2)
    const at = skbPut(skb, frame.length)
    skb.mem.set(frame, at)
    skb.dev = dev
    skb.protocol = getUnalignedBe16(frame, 12)
    skb.networkHeader = at + ETH_HLEN
    dev.kernel.hardware(() => void devQueueXmit(skb))
  }
}
