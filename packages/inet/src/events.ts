import { RtGenid } from './genid.ts'
import type { Neighbour } from './neigh/neighbour.ts'
import type { FibRoute, InIfaddr } from './types/objects.ts'

/** What can be told about, and with what. @kernel RTNLGRP_IPV4_IFADDR include/uapi/linux/rtnetlink.h */
export interface InetEventMap {
  addr: InIfaddr
  route: FibRoute
  neigh: Neighbour
}

/** Something is there now (or changed), or is gone. @kernel none */
export type InetEventKind = 'new' | 'del'
/** A listener. @kernel none */
export type InetListener<T> = (event: InetEventKind, object: T) => void

/** Who listens to what. @kernel rtnl_notify() net/core/rtnetlink.c */
export class InetEvents {
  readonly #genid: RtGenid
  readonly #listeners: { [K in keyof InetEventMap]: InetListener<InetEventMap[K]>[] } = {
    addr: [],
    route: [],
    neigh: [],
  }

  /** @param genid - moves with each event: ways may have changed */
  constructor(genid: RtGenid = new RtGenid()) {
    this.#genid = genid
  }

  /** Has `fn` called at each event of a kind; ends when the returned function is called. */
  on<K extends keyof InetEventMap>(what: K, fn: InetListener<InetEventMap[K]>): () => void {
    const list = this.#listeners[what]
    list.push(fn)
    return () => {
      const at = list.indexOf(fn)
      if (at >= 0) list.splice(at, 1)
    }
  }

  /** Tells all listeners. */
  emit<K extends keyof InetEventMap>(what: K, event: InetEventKind, object: InetEventMap[K]): void {
    this.#genid.bump()
    const list = this.#listeners[what]
    // Mostly nobody listens, and neighbours change in the packet path.
    if (list.length === 0) return
    for (const fn of list.slice()) fn(event, object)
  }
}
