import { Iff, devGetFlags, netOf, registerNetdeviceNotifier } from '@vnet/netdev'
import type { NetDevice, NetdevEvent, RtmsgIfinfo } from '@vnet/netdev'
import { NetlinkProtocolNr } from '../codec/nlmsg.ts'
import type { NetlinkServer } from '../core/server.ts'
import { Rtm, Rtnlgrp } from './constants.ts'
import { rtnlFillIfinfo } from './link-fill.ts'

/** Events that are told as they are, and what they are called. @kernel rtnl_get_event() net/core/rtnetlink.c */
const PLAIN: Readonly<Partial<Record<NetdevEvent, number | undefined>>> = {
  NETDEV_CHANGEMTU: undefined,
  NETDEV_CHANGEADDR: undefined,
  NETDEV_CHANGENAME: undefined,
  NETDEV_CHANGE_TX_QUEUE_LEN: undefined,
  NETDEV_CHANGEINFODATA: undefined,
  NETDEV_REBOOT: 1,
  NETDEV_FEAT_CHANGE: 2,
  NETDEV_NOTIFY_PEERS: 4,
}

/** Bits that follow the hardware are not told as changes. */
const TOLD = ~(Iff.RUNNING | Iff.LOWER_UP | Iff.DORMANT)

/**
 * Turns what happens to devices into messages of group LINK.
 *
 * @kernel rtnetlink_event(), rtmsg_ifinfo() net/core/rtnetlink.c
 */
export class LinkNotifier {
  readonly #server: NetlinkServer
  /** The flags everybody knows of. */
  readonly #flags = new WeakMap<NetDevice<any>, number>()

  constructor(server: NetlinkServer) {
    this.#server = server
    registerNetdeviceNotifier(server.kernel, (event, dev) => this.#event(event, dev))
    netOf(server.kernel).rtmsgIfinfo = (what, dev, change) => this.#rtmsg(what, dev, change)
  }

  /** Tells of flags that changed without an event of netdev: PROMISC and ALLMULTI, or any while the device is down. */
  flagsChanged(dev: NetDevice<any>): void {
    if (dev.regState !== 'registered') return
    const change = this.#changed(dev)
    if (change !== 0) this.#send(Rtm.NEWLINK, dev, change)
  }

  #event(event: NetdevEvent, dev: NetDevice<any>): void {
    switch (event) {
      case 'NETDEV_REGISTER':
        this.#changed(dev)
        return
      case 'NETDEV_UP':
      case 'NETDEV_DOWN':
      case 'NETDEV_CHANGE':
        this.#send(Rtm.NEWLINK, dev, this.#changed(dev))
        return
      default:
        if (event in PLAIN) this.#send(Rtm.NEWLINK, dev, 0, PLAIN[event])
    }
  }

  /** Comings and goings are told when every protocol has heard of them. */
  #rtmsg(what: Parameters<RtmsgIfinfo>[0], dev: NetDevice<any>, change: number): void {
    if (what !== 'flags') this.#server.generation++
    this.#send(what === 'unregister' ? Rtm.DELLINK : Rtm.NEWLINK, dev, change)
  }

  #changed(dev: NetDevice<any>): number {
    const now = devGetFlags(dev) & TOLD
    const before = this.#flags.get(dev) ?? now
    this.#flags.set(dev, now)
    return now ^ before
  }

  #send(type: number, dev: NetDevice<any>, change: number, event?: number): void {
    const what = event === undefined ? { change } : { change, event }
    this.#server.notify(NetlinkProtocolNr.ROUTE, Rtnlgrp.LINK, type, (w) =>
      rtnlFillIfinfo(this.#server, w, dev, what),
    )
  }
}

/** The one who tells of links in a kernel. */
export function linkNotifierOf(server: NetlinkServer): LinkNotifier {
  return server.kernel.subsys('rtnetlink:link', () => new LinkNotifier(server))
}
