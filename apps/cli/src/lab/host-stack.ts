import type { TapBackend } from '@vnet/backend-tap'
import type { BackendPort } from '@vnet/backend'
import {
  netifNapiAdd,
  netifNapiDel,
  napiCompleteDone,
  napiDisable,
  napiEnable,
  napiSchedule,
} from '@vnet/napi'
import type { NapiStruct } from '@vnet/napi'
import * as nd from '@vnet/netdev'
import { headerOfSkb, skbOfHeader } from './tap-offload.ts'

/** The longest frame a TAP hands over, headers and all. */
const MAX_FRAME = 65_536 + 64
/** Frames that wait for the poll; what comes beyond is refused, and the host's TCP slows down. */
const BACKLOG = 1024

/**
 * Puts the host's protocol stack above a device, in the place of our own: what the host sends on its side of the TAP
 * is transmitted by the device, and what the device receives comes out of the TAP. Big frames cross whole in both
 * directions, as to a card with offloads; the core cuts them for a card without.
 */
export class HostStack implements BackendPort {
  /** Frames lost between the TAP and the device: no memory, or too many at once. */
  dropped = 0
  readonly #dev: nd.NetDevice<any>
  readonly #tap: TapBackend
  readonly #napi: NapiStruct
  readonly #waiting = new nd.SkBuffHead()
  readonly #scratch = new Uint8Array(MAX_FRAME)

  constructor(dev: nd.NetDevice<any>, tap: TapBackend) {
    this.#dev = dev
    this.#tap = tap
    this.#napi = netifNapiAdd(dev, (_napi, budget) => this.#poll(budget))
    dev.kernel.rtnl.run(() => {
      nd.netdevRxHandlerRegister(dev, (skb) => this.#fromDevice(skb))
      // The stack above has an address of its own, as behind a bridge.
      nd.devSetPromiscuity(dev, 1)
    })
    napiEnable(this.#napi)
    tap.attach(this)
  }

  close(): void {
    this.#tap.attach(null)
    napiDisable(this.#napi)
    netifNapiDel(this.#napi)
    this.#dev.kernel.rtnl.run(() => {
      nd.devSetPromiscuity(this.#dev, -1)
      nd.netdevRxHandlerUnregister(this.#dev)
    })
    nd.skbQueuePurge(this.#waiting)
  }

  receive(mem: Uint8Array, offset: number, length: number): boolean {
    if (nd.skbQueueLen(this.#waiting) >= BACKLOG || length < nd.ETH_HLEN) {
      this.dropped++
      return false
    }
    const skb = nd.allocSkb(this.#dev.kernel, nd.NET_SKB_PAD + length)
    if (skb === null) {
      this.dropped++
      return false
    }
    nd.skbReserve(skb, nd.NET_SKB_PAD)
    skb.mem.set(mem.subarray(offset, offset + length), nd.skbPut(skb, length))
    skb.dev = this.#dev
    skbOfHeader(skb, this.#tap.rxHeader)
    nd.skbQueueTail(this.#waiting, skb)
    napiSchedule(this.#napi)
    return true
  }

  /** The carrier of the TAP is the host's business; the device has its own. */
  linkChange(): void {}

  writable(): void {}

  /** Sends what the host gave, in softirq context. */
  #poll(budget: number): number {
    let work = 0
    while (work < budget) {
      const skb = nd.skbDequeue(this.#waiting)
      if (skb === null) break
      nd.devQueueXmit(skb)
      work++
    }
    if (work < budget) napiCompleteDone(this.#napi, work)
    return work
  }

  #fromDevice(skb: nd.SkBuff): typeof nd.RX_HANDLER_CONSUMED {
    nd.skbPush(skb, skb.data - skb.macHeader)
    const { len } = skb
    if (len > MAX_FRAME) this.dropped++
    else {
      nd.skbCopyBits(skb, 0, this.#scratch, 0, len)
      headerOfSkb(this.#tap.txHeader, skb)
      if (!this.#tap.transmit(this.#scratch, 0, len)) this.dropped++
    }
    nd.consumeSkb(skb)
    return nd.RX_HANDLER_CONSUMED
  }
}
