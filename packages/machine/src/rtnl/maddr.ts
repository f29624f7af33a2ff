import type { Inet } from '@vnet/inet'
import {
  Ifa,
  NLMSG_HDRLEN,
  rtnlRegister,
  type DumpEntry,
  type NetlinkServer,
  type NlDump,
  type NlRequest,
  type NlWriter,
} from '@vnet/netlink'
import { RtmMore } from './constants.ts'
import { multicastGroups, type MulticastGroup } from '../inet-view.ts'
import type { FamilyContext } from './family.ts'

const SCOPE_UNIVERSE = 0
const SCOPE_LINK = 253
const INFINITY = 0xffffffff

/** Registers RTM_GETMULTICAST of a family: the groups its devices have joined. @returns what takes it back */
export function registerMulticast(server: NetlinkServer, { inet, family }: FamilyContext): (() => void)[] {
  return [
    rtnlRegister(server, family, RtmMore.GETMULTICAST, { dumpit: (request) => dump(request, inet, family) }),
  ]
}

/** @kernel inet6_dump_ifmcaddr() net/ipv6/addrconf.c */
function dump(request: NlRequest, inet: Inet, family: 2 | 10): NlDump {
  const index = request.strict && request.bodyLength >= 8 ? request.view.getInt32(NLMSG_HDRLEN + 4, true) : 0
  const groups = multicastGroups(inet, family).filter((one) => index === 0 || one.dev.ifindex === index)
  return { type: RtmMore.NEWMULTICAST, filtered: index !== 0, entries: entries(groups, family) }
}

function* entries(groups: readonly MulticastGroup[], family: 2 | 10): Generator<DumpEntry> {
  for (const group of groups) yield (w) => fill(w, family, group)
}

/** @kernel inet6_fill_ifmcaddr() net/ipv6/addrconf.c */
function fill(w: NlWriter, family: 2 | 10, { dev, address }: MulticastGroup): void {
  w.u8(family)
  w.u8(address.length * 8)
  w.u8(0x80)
  // The second byte of an IPv6 group says how far it reaches; 2 and less stay on the link.
  w.u8(family === 10 && (address[1]! & 15) <= 2 ? SCOPE_LINK : SCOPE_UNIVERSE)
  w.u32(dev.ifindex)
  w.putBinary(Ifa.MULTICAST, address)
  const view = new DataView(new ArrayBuffer(16))
  view.setUint32(0, INFINITY, true)
  view.setUint32(4, INFINITY, true)
  w.putBinary(Ifa.CACHEINFO, new Uint8Array(view.buffer))
}
