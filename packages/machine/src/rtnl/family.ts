import { Errno } from '@vnet/kernel'
import type { Inet, InetFamilyNr } from '@vnet/inet'
import { NLMSG_HDRLEN, type NlRequest } from '@vnet/netlink'
import { devGetByIndex, type NetDevice } from '@vnet/netdev'

/** The families, with bytes and bits of an address. */
export const FAMILIES: readonly InetFamilyNr[] = [2, 10]

/** Bytes of an address. */
export function addressLength(family: InetFamilyNr): number {
  return family === 2 ? 4 : 16
}

/** What the handlers of one family need. */
export interface FamilyContext {
  readonly inet: Inet
  readonly family: InetFamilyNr
}

/** A byte of the fixed part of a request. */
export function headerByte(request: NlRequest, at: number): number {
  return request.bytes[NLMSG_HDRLEN + at] ?? 0
}

/** The device of an index. @throws Errno ENODEV */
export function deviceAt(request: NlRequest, ifindex: number): NetDevice<any> {
  const dev = devGetByIndex(request.kernel, ifindex)
  if (dev === undefined) throw new Errno('ENODEV')
  return dev
}
