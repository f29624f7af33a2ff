import { Errno } from '@vnet/kernel'
import { devGetByIndex, devGetByName } from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { NLMSG_HDRLEN } from '../codec/nlmsg.ts'
import type { NlaTable } from '../codec/table.ts'
import type { NlRequest } from '../core/request.ts'
import { Ifla } from './constants.ts'

/** The fixed part of a link message. @kernel struct ifinfomsg include/uapi/linux/rtnetlink.h */
export interface Ifinfomsg {
  readonly family: number
  readonly type: number
  readonly index: number
  readonly flags: number
  readonly change: number
}

/** Reads the fixed part; the caller knows that it is there. */
export function ifinfomsg(request: NlRequest): Ifinfomsg {
  const { view } = request
  return {
    family: view.getUint8(NLMSG_HDRLEN),
    type: view.getUint16(NLMSG_HDRLEN + 2, true),
    index: view.getInt32(NLMSG_HDRLEN + 4, true),
    flags: view.getUint32(NLMSG_HDRLEN + 8, true),
    change: view.getUint32(NLMSG_HDRLEN + 12, true),
  }
}

/** The name in a request, if there is one. There are no alternative names here, so one finds the same devices. */
export function ifname(tb: NlaTable): string | undefined {
  return tb.text(Ifla.IFNAME) ?? tb.text(Ifla.ALT_IFNAME)
}

/**
 * The device a request is about, by its index or its name.
 *
 * @throws Errno EINVAL when it says neither, ENODEV
 * @kernel rtnl_dev_get() net/core/rtnetlink.c
 */
export function rtnlDevGet(request: NlRequest, index: number, tb: NlaTable): NetDevice<any> {
  const name = ifname(tb)
  if (index <= 0 && name === undefined) throw new Errno('EINVAL')
  const dev = index > 0 ? devGetByIndex(request.kernel, index) : devGetByName(request.kernel, name!)
  if (dev === undefined) throw new Errno('ENODEV')
  return dev
}
