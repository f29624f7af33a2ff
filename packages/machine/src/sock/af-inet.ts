import {
  IpProto,
  ipv6Of,
  PingSock,
  RawSock,
  UdpSock,
  type Inet,
  type InetFamilyNr,
  type InetSock,
} from '@vnet/inet'
import { Errno } from '@vnet/kernel'
import { SockType, type SockFamily, type SockOwner } from '@vnet/netlink'
import { InetSockAdapter } from './inet-sock.ts'

/** Number past the last protocol. @kernel IPPROTO_MAX include/uapi/linux/in.h */
const IPPROTO_MAX = 256

/**
 * A family of the internet: datagrams (UDP, ping) and raw sockets. There is no TCP, so a stream socket is a type nobody
 * supports.
 *
 * @kernel inet_create() net/ipv4/af_inet.c, inet6_create() net/ipv6/af_inet6.c
 */
export function inetFamily(inet: Inet, family: InetFamilyNr, wallClock: bigint): SockFamily {
  return {
    create(type, protocol, who) {
      if (protocol < 0 || protocol >= IPPROTO_MAX) throw new Errno('EINVAL')
      const sock = make(inet, family, type, protocol, who)
      return new InetSockAdapter(sock, type, wallClock)
    },
  }
}

function make(inet: Inet, family: InetFamilyNr, type: number, protocol: number, who: SockOwner): InetSock {
  if (type === SockType.DGRAM) return datagram(inet, family, protocol)
  if (type !== SockType.RAW) throw new Errno('ESOCKTNOSUPPORT')
  if (protocol === IpProto.IP) throw new Errno('EPROTONOSUPPORT')
  if (!who.capNetAdmin) throw new Errno('EPERM')
  return new RawSock(inet, family, protocol)
}

function datagram(inet: Inet, family: InetFamilyNr, protocol: number): InetSock {
  switch (protocol) {
    case IpProto.IP:
    case IpProto.UDP:
      return new UdpSock(inet, family, family === 2 ? inet.ipv4.udp : ipv6Of(inet).udpMib)
    case family === 2 ? IpProto.ICMP : IpProto.ICMPV6:
      return new PingSock(inet, family)
    default:
      throw new Errno('EPROTONOSUPPORT')
  }
}
