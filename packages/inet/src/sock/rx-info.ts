import type { NetDevice } from '@vnet/netdev'
import type { RxInfo } from './transport.ts'

/** What a packet came with, in an object that is used again. @kernel struct inet_skb_parm include/net/ip.h */
export class RxState implements RxInfo {
  readonly family: 2 | 10
  readonly src: Uint8Array
  readonly dst: Uint8Array
  dev: NetDevice<any>
  ttl = 0
  tos = 0
  broadcast = false
  multicast = false

  constructor(family: 2 | 10, dev: NetDevice<any>) {
    this.family = family
    this.src = new Uint8Array(family === 2 ? 4 : 16)
    this.dst = new Uint8Array(family === 2 ? 4 : 16)
    this.dev = dev
  }
}

/** The objects nobody uses; a packet may arrive while another is delivered. @kernel none */
export class RxPool {
  readonly #family: 2 | 10
  readonly #free: RxState[] = []

  constructor(family: 2 | 10) {
    this.#family = family
  }

  /** One to fill in; the addresses lie at `src` and `dst` of `mem`. */
  take(dev: NetDevice<any>, mem: Uint8Array, src: number, dst: number): RxState {
    const state = this.#free.pop() ?? new RxState(this.#family, dev)
    state.dev = dev
    const len = state.src.length
    for (let i = 0; i < len; i++) {
      state.src[i] = mem[src + i]!
      state.dst[i] = mem[dst + i]!
    }
    return state
  }

  /** Its packet is delivered: nobody may look at it any more. */
  give(state: RxState): void {
    this.#free.push(state)
  }
}

/** A copy that stays as it is, for whom keeps it. @kernel none */
export function keepRxInfo(info: RxInfo): RxInfo {
  return { ...info, src: info.src.slice(), dst: info.dst.slice() }
}
