import type { NetDevice } from '@vnet/netdev'
import type { InDevice } from '../addr/in-device.ts'
import type { RtGenid } from '../genid.ts'
import { RtnType } from '../types/constants.ts'
import type { PathMtu } from './path-mtu.ts'
import type { Rt4 } from './route.ts'

/** Destinations remembered; then it begins anew. */
const MOST = 1024

/** A way that was found, and what it was asked with. */
class Dst4 {
  readonly dst: number
  readonly src: number
  readonly oif: NetDevice<any> | null
  readonly tos: number
  readonly rt: Rt4

  constructor(dst: number, src: number, oif: NetDevice<any> | null, tos: number, rt: Rt4) {
    this.dst = dst
    this.src = src
    this.oif = oif
    this.tos = tos
    this.rt = rt
  }
}

/**
 * The ways found lately, one for each destination, until anything changes.
 *
 * @kernel struct rtable include/net/route.h
 */
export class DstCache4 {
  readonly #genid: RtGenid
  readonly #pathMtu: PathMtu
  readonly #known = new Map<number, Dst4>()
  #seen = 0
  /** The one asked for last, and mostly next. */
  #last: Dst4 | null = null

  constructor(genid: RtGenid, pathMtu: PathMtu) {
    this.#genid = genid
    this.#pathMtu = pathMtu
  }

  /** A way found before with the same question, or null. */
  get(dst: number, src: number, oif: NetDevice<any> | null, tos: number): Rt4 | null {
    if (this.#seen !== this.#genid.value) return null
    const found = this.#find(dst | 0)
    if (found === undefined || found.src !== src || found.oif !== oif || found.tos !== tos) return null
    return found.rt
  }

  /** Remembers a way to one machine, unless its MTU was learned: that ends by itself. */
  put(dst: number, src: number, oif: NetDevice<any> | null, tos: number, rt: Rt4): void {
    if (rt.type !== RtnType.UNICAST && rt.type !== RtnType.LOCAL) return
    if (this.#pathMtu.has(rt.dst)) return
    if (this.#seen !== this.#genid.value || this.#known.size >= MOST) this.#known.clear()
    this.#seen = this.#genid.value
    this.#last = new Dst4(dst | 0, src, oif, tos, rt)
    this.#known.set(dst | 0, this.#last)
  }

  #find(dst: number): Dst4 | undefined {
    if (this.#last !== null && this.#last.dst === dst) return this.#last
    const found = this.#known.get(dst)
    if (found !== undefined) this.#last = found
    return found
  }
}

/**
 * The packet received last that was for this host: the next mostly goes the same way, until anything changes.
 *
 * @kernel nhc_rth_input of struct fib_nh_common include/net/ip_fib.h
 */
export class LastInput {
  inDev: InDevice | null = null
  pktType = 0
  src = 0
  dst = 0
  genid = -1
}
