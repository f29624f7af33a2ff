import { Errno, maySleep, scheduleWork, workSetup } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import {
  devGetByIndex,
  devMcAdd,
  devMcDel,
  devSetAllmulti,
  devSetPromiscuity,
  devUcAdd,
  devUcDel,
} from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { PacketMr } from './constants.ts'

/** What a socket asked of a device beyond listening. @kernel struct packet_mreq include/uapi/linux/if_packet.h */
interface Membership {
  readonly dev: NetDevice<any>
  readonly type: number
  readonly addr: Uint8Array
  count: number
}

/** A request to see more. @kernel struct packet_mreq include/uapi/linux/if_packet.h */
export interface MembershipRequest {
  readonly ifindex: number
  readonly type: number
  readonly addr: Uint8Array
}

/** @throws Errno EINVAL */
export function parseMembership(value: Uint8Array): MembershipRequest {
  if (value.length < 16) throw new Errno('EINVAL')
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  const length = view.getUint16(6, true)
  if (length > 8) throw new Errno('EINVAL')
  return { ifindex: view.getInt32(0, true), type: view.getUint16(4, true), addr: value.slice(8, 8 + length) }
}

/** The memberships of one socket. @kernel struct packet_mclist net/packet/internal.h */
export class Memberships {
  readonly #kernel: Kernel
  #list: Membership[] = []

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** Asks once more. Takes rtnl. @throws Errno ENODEV, EINVAL @kernel packet_mc_add() net/packet/af_packet.c */
  add(request: MembershipRequest): void {
    this.#kernel.rtnl.run(() => {
      const dev = devGetByIndex(this.#kernel, request.ifindex)
      if (dev === undefined) throw new Errno('ENODEV')
      if (request.addr.length > dev.addrLen) throw new Errno('EINVAL')
      const known = this.#find(request)
      if (known !== undefined) {
        known.count++
        return
      }
      const made = { dev, type: request.type, addr: request.addr, count: 1 }
      apply(made, 1)
      this.#list.push(made)
    })
  }

  /** Takes one request back. Takes rtnl. @throws Errno EADDRNOTAVAIL @kernel packet_mc_drop() net/packet/af_packet.c */
  drop(request: MembershipRequest): void {
    this.#kernel.rtnl.run(() => {
      const known = this.#find(request)
      if (known === undefined) throw new Errno('EADDRNOTAVAIL')
      if (--known.count > 0) return
      this.#list = this.#list.filter((one) => one !== known)
      apply(known, -1)
    })
  }

  /** A device goes away; rtnl is held. @kernel packet_dev_mclist_delete() net/packet/af_packet.c */
  forget(dev: NetDevice<any>): void {
    const gone = this.#list.filter((one) => one.dev === dev)
    this.#list = this.#list.filter((one) => one.dev !== dev)
    for (const one of gone) release(one)
  }

  /** Takes everything back, at once or, where rtnl cannot be taken, soon. @kernel packet_flush_mclist() net/packet/af_packet.c */
  flush(): void {
    const all = this.#list
    this.#list = []
    if (all.length === 0) return
    const kernel = this.#kernel
    const releaseAll = (): void => kernel.rtnl.run(() => all.forEach(release))
    if (!kernel.rtnl.held && maySleep(kernel)) return releaseAll()
    const work = workSetup(kernel, () => (kernel.rtnl.held ? later() : releaseAll()), 'af_packet')
    const later = (): void => {
      if (kernel.rtnl.held) kernel.rtnl.afterUnlock(() => scheduleWork(work))
      else scheduleWork(work)
    }
    later()
  }

  #find({ ifindex, type, addr }: MembershipRequest): Membership | undefined {
    return this.#list.find(
      (one) =>
        one.dev.ifindex === ifindex &&
        one.type === type &&
        one.addr.length === addr.length &&
        one.addr.every((byte, i) => byte === addr[i]),
    )
  }
}

/** Makes the device see more, or less. @kernel packet_dev_mc() net/packet/af_packet.c */
function apply({ dev, type, addr }: Membership, inc: 1 | -1): void {
  switch (type) {
    case PacketMr.PROMISC:
      devSetPromiscuity(dev, inc)
      return
    case PacketMr.ALLMULTI:
      devSetAllmulti(dev, inc)
      return
    case PacketMr.MULTICAST:
    case PacketMr.UNICAST: {
      if (addr.length !== dev.addrLen) throw new Errno('EINVAL')
      const [add, del] = type === PacketMr.MULTICAST ? [devMcAdd, devMcDel] : [devUcAdd, devUcDel]
      if (inc > 0) add(dev, addr)
      else del(dev, addr)
      return
    }
    default:
      // The kernel takes any other number and does nothing.
      return
  }
}

/** What cannot be refused: the device may be gone. */
function release(membership: Membership): void {
  try {
    apply(membership, -1)
  } catch (error) {
    if (!(error instanceof Errno)) throw error
  }
}
