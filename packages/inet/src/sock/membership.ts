import { Errno, type Kernel } from '@vnet/kernel'
import { devGetByIndex } from '@vnet/netdev'
import { getUnalignedBe32, ipv4IsMulticast } from '@vnet/wire'
import type { InDevice } from '../addr/in-device.ts'
import { ipMcDecGroup, ipMcIncGroup } from '../addr/multicast.ts'
import { ipRouteOutput, isRoute } from '../ipv4/route.ts'
import type { InetSock } from './sock.ts'

/** So many groups a socket may join. @kernel net.ipv4.igmp_max_memberships */
const MOST = 20

/** A group a socket joined on a device. @kernel struct ip_mc_socklist include/linux/igmp.h */
export interface Membership {
  readonly group: number
  readonly inDev: InDevice
}

/**
 * Has the socket's machine listen to an IPv4 group, until the socket leaves it or is closed. Process context.
 *
 * @param ifindex - 0: where the route to the group goes
 * @throws Errno EINVAL, ENODEV, EADDRINUSE (joined already), ENOBUFS (20 at most)
 * @kernel ip_mc_join_group() net/ipv4/igmp.c
 */
export function ipMcJoinGroup(sock: InetSock, group: Uint8Array, ifindex = 0): void {
  const address = getUnalignedBe32(group, 0)
  if (!ipv4IsMulticast(address)) throw new Errno('EINVAL')
  const inDev = find(sock, address, ifindex)
  const { memberships } = sock
  if (memberships.some((one) => one.group === address && one.inDev === inDev)) throw new Errno('EADDRINUSE')
  if (memberships.length >= MOST) throw new Errno('ENOBUFS')
  withRtnl(sock.inet.kernel, () => ipMcIncGroup(inDev, address))
  memberships.push({ group: address, inDev })
}

/** Leaves a group. @throws Errno EADDRNOTAVAIL, ENODEV @kernel ip_mc_leave_group() net/ipv4/igmp.c */
export function ipMcLeaveGroup(sock: InetSock, group: Uint8Array, ifindex = 0): void {
  const address = getUnalignedBe32(group, 0)
  const { memberships } = sock
  const at = memberships.findIndex(
    (one) => one.group === address && (ifindex === 0 || one.inDev.dev.ifindex === ifindex),
  )
  const [gone] = at < 0 ? [] : memberships.splice(at, 1)
  if (gone === undefined) throw new Errno('EADDRNOTAVAIL')
  drop(sock, gone)
}

/** The socket is closed: leaves all. @kernel ip_mc_drop_socket() net/ipv4/igmp.c */
export function ipMcDropSocket(sock: InetSock): void {
  for (const one of sock.memberships.splice(0)) drop(sock, one)
}

function drop(sock: InetSock, { group, inDev }: Membership): void {
  // The device may have gone in the meantime, with all its groups.
  if (!inDev.dead) withRtnl(sock.inet.kernel, () => ipMcDecGroup(inDev, group))
}

function find(sock: InetSock, address: number, ifindex: number): InDevice {
  const { ipv4, kernel } = sock.inet
  if (ifindex !== 0) {
    const dev = devGetByIndex(kernel, ifindex)
    const inDev = dev === undefined ? null : ipv4.inDev(dev)
    if (inDev === null) throw new Errno('ENODEV')
    return inDev
  }
  const rt = ipRouteOutput(ipv4, address, {})
  const inDev = isRoute(rt) ? ipv4.inDev(rt.dev) : null
  if (inDev === null) throw new Errno('ENODEV')
  return inDev
}

function withRtnl(kernel: Kernel, fn: () => void): void {
  if (kernel.rtnl.held) fn()
  else kernel.rtnl.run(fn)
}
