import type { NetDevice } from '@vnet/netdev'
import type { FibRoute } from '../types/objects.ts'
import { Ip6AddrMap } from './addr-map.ts'
import type { Ipv6 } from './ipv6.ts'
import { type Ip6RoutePath, ip6PathOf } from './path.ts'

/** Destinations remembered; then it begins anew. */
const MOST = 1024

/** The way to a destination. @kernel struct rt6_info include/net/ip6_fib.h */
export interface Dst6 {
  readonly oif: NetDevice<any> | null
  readonly dst: Uint8Array
  readonly route: FibRoute
  readonly path: Ip6RoutePath
}

/** The ways found lately, one for each destination, until anything changes. @kernel struct dst_entry include/net/dst.h */
export class DstCache6 {
  readonly #known = new Ip6AddrMap<Dst6>()
  #seen = 0

  /**
   * The way to the destination at `off`, by any device or by one; null: there is none that has a device.
   *
   * @kernel ip6_route_output_flags() net/ipv6/route.c
   */
  lookup(ipv6: Ipv6, addr: Uint8Array, off: number, oif: NetDevice<any> | null): Dst6 | null {
    const { value } = ipv6.inet.rtGenid
    if (this.#seen === value) {
      const known = this.#known.get(addr, off)
      if (known !== undefined && known.oif === oif) return known
    }
    const dst = addr.slice(off, off + 16)
    const route = ipv6.fib.lookup(ipv6, dst, oif)
    if (route?.oif == null) return null
    const way: Dst6 = { oif, dst, route, path: ip6PathOf(ipv6, route, dst) }
    // A learned MTU ends by itself.
    if (ipv6.pmtu.get(dst) !== null) return way
    if (this.#seen !== value || this.#known.size >= MOST) this.#known.clear()
    this.#seen = value
    this.#known.set(dst, way)
    return way
  }
}
