import { inetAddrAdd, inetAddrDel, type IfaddrConfig, type InIfaddr } from '@vnet/inet'
import { Errno } from '@vnet/kernel'
import { devGetByIndex, type NetDevice } from '@vnet/netdev'
import {
  Ifa,
  IFADDRMSG_LEN,
  NetlinkError,
  NetlinkProtocolNr,
  nlaPolicy,
  NLMSG_HDRLEN,
  nlmsgParse,
  Rtm,
  Rtnlgrp,
  rtnlRegister,
  type DumpEntry,
  type NetlinkServer,
  type NlDump,
  type NlRequest,
  type NlaTable,
} from '@vnet/netlink'
import { fillIfaddr } from './addr-fill.ts'
import { addressLength, deviceAt, headerByte, type FamilyContext } from './family.ts'

/** @kernel ifa_ipv4_policy net/ipv4/devinet.c, ifa_ipv6_policy net/ipv6/addrconf.c */
function policyOf(bytes: number): ReturnType<typeof nlaPolicy> {
  const address = { kind: 'binary', minLength: bytes, maxLength: 16 } as const
  return nlaPolicy({
    [Ifa.ADDRESS]: { name: 'address', ...address },
    [Ifa.LOCAL]: { name: 'local', ...address },
    [Ifa.LABEL]: { name: 'label', kind: 'string', maxLength: 15 },
    [Ifa.BROADCAST]: { name: 'broadcast', ...address },
    [Ifa.CACHEINFO]: { name: 'cacheinfo', kind: 'binary', minLength: 16 },
    [Ifa.FLAGS]: { name: 'flags', kind: 'u32' },
    [Ifa.RT_PRIORITY]: { name: 'rt-priority', kind: 'u32' },
    [Ifa.TARGET_NETNSID]: { name: 'target-netnsid', kind: 's32' },
    [Ifa.PROTO]: { name: 'proto', kind: 'u8' },
  })
}

const POLICIES = { 2: policyOf(4), 10: policyOf(16) } as const

/** @kernel struct ifaddrmsg include/uapi/linux/if_addr.h */
interface Ifaddrmsg {
  readonly prefixlen: number
  readonly flags: number
  readonly scope: number
  readonly index: number
}

function ifaddrmsg(request: NlRequest): Ifaddrmsg {
  return {
    prefixlen: headerByte(request, 1),
    flags: headerByte(request, 2),
    scope: headerByte(request, 3),
    index: request.view.getInt32(NLMSG_HDRLEN + 4, true),
  }
}

/** Registers RTM_*ADDR of a family, and tells the family's group of changes. @returns what takes it back */
export function registerAddr(server: NetlinkServer, context: FamilyContext): (() => void)[] {
  const { inet, family } = context
  const link = {
    doit: (request: NlRequest) =>
      request.type === Rtm.NEWADDR ? newaddr(request, context) : deladdr(request, context),
  }
  return [
    rtnlRegister(server, family, Rtm.NEWADDR, link),
    rtnlRegister(server, family, Rtm.DELADDR, link),
    rtnlRegister(server, family, Rtm.GETADDR, {
      dumpit: (request) => dump(request, context),
      ...(family === 10 && { doit: (request: NlRequest) => getaddr(request, context) }),
    }),
    inet.on('addr', (event, ifa) => {
      if (ifa.family !== family) return
      const group = family === 2 ? Rtnlgrp.IPV4_IFADDR : Rtnlgrp.IPV6_IFADDR
      const type = event === 'new' ? Rtm.NEWADDR : Rtm.DELADDR
      server.notify(NetlinkProtocolNr.ROUTE, group, type, (w) => fillIfaddr(w, server.kernel, ifa))
    }),
  ]
}

/** @kernel inet_rtm_newaddr() net/ipv4/devinet.c, inet6_rtm_newaddr() net/ipv6/addrconf.c */
function newaddr(request: NlRequest, { inet, family }: FamilyContext): void {
  const tb = nlmsgParse(request, IFADDRMSG_LEN, POLICIES[family], 'liberal')
  const msg = ifaddrmsg(request)
  if (msg.prefixlen > addressLength(family) * 8) throw new Errno('EINVAL')
  const { local, peer } = addressesOf(tb, family)
  if (local === undefined) throw new Errno('EINVAL')
  const config = withOptions(tb, msg, deviceAt(request, msg.index), local, peer, family)
  asRecorded(() => inetAddrAdd(inet, config, request.flags & 0xf00))
}

/**
 * Which address is ours and which the other end's.
 *
 * IPv4: LOCAL and ADDRESS. IPv6: ADDRESS alone is ours; with a LOCAL beside it, it is the other end's.
 */
function addressesOf(
  tb: NlaTable,
  family: 2 | 10,
): { local: Uint8Array | undefined; peer: Uint8Array | undefined } {
  const bytes = addressLength(family)
  const address = tb.binary(Ifa.ADDRESS)?.subarray(0, bytes)
  const local = tb.binary(Ifa.LOCAL)?.subarray(0, bytes)
  if (family === 2) return { local, peer: address }
  if (local === undefined) return { local: address, peer: undefined }
  return { local, peer: address }
}

function withOptions(
  tb: NlaTable,
  msg: Ifaddrmsg,
  dev: NetDevice<any>,
  local: Uint8Array,
  peer: Uint8Array | undefined,
  family: 2 | 10,
): IfaddrConfig {
  const lifetimes = cacheinfo(tb.binary(Ifa.CACHEINFO))
  const broadcast = tb.binary(Ifa.BROADCAST)?.subarray(0, 4)
  const label = tb.text(Ifa.LABEL)
  return {
    dev,
    family,
    local,
    prefixlen: msg.prefixlen,
    scope: msg.scope,
    flags: tb.number(Ifa.FLAGS) ?? msg.flags,
    ...(peer !== undefined && { address: peer }),
    ...(family === 2 && { broadcast: broadcast ?? null }),
    ...(label !== undefined && { label }),
    ...lifetimes,
    proto: tb.number(Ifa.PROTO) ?? 0,
    rtPriority: tb.number(Ifa.RT_PRIORITY) ?? 0,
  }
}

/** Lifetimes that make no sense are refused. @throws Errno EINVAL */
function cacheinfo(bytes: Uint8Array | undefined): Pick<IfaddrConfig, 'validLft' | 'preferredLft'> {
  if (bytes === undefined) return {}
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const preferredLft = view.getUint32(0, true)
  const validLft = view.getUint32(4, true)
  if (validLft === 0 || preferredLft > validLft) throw new Errno('EINVAL')
  return { preferredLft, validLft }
}

/** @kernel inet_rtm_deladdr() net/ipv4/devinet.c, inet6_rtm_deladdr() net/ipv6/addrconf.c */
function deladdr(request: NlRequest, { inet, family }: FamilyContext): void {
  const tb = nlmsgParse(request, IFADDRMSG_LEN, POLICIES[family], 'liberal')
  const msg = ifaddrmsg(request)
  const { local, peer } = addressesOf(tb, family)
  if (family === 10 && local === undefined) throw new Errno('EINVAL')
  const label = tb.text(Ifa.LABEL)
  const dev = deviceAt(request, msg.index)
  asRecorded(() =>
    inetAddrDel(inet, {
      dev,
      family,
      prefixlen: msg.prefixlen,
      ...(local !== undefined && { local }),
      ...(peer !== undefined && { address: peer }),
      ...(label !== undefined && { label }),
    }),
  )
}

/** Linux 6.1 says these without a sentence, as the recordings show; the sentences are of later kernels. */
function asRecorded(fn: () => void): void {
  try {
    fn()
  } catch (error) {
    if (error instanceof Errno && (error.code === 'EEXIST' || error.code === 'EADDRNOTAVAIL')) {
      throw new Errno(error.code)
    }
    throw error
  }
}

/** One address of IPv6, by itself. @throws Errno EINVAL, EADDRNOTAVAIL @kernel inet6_rtm_getaddr() net/ipv6/addrconf.c */
function getaddr(request: NlRequest, { inet, family }: FamilyContext): void {
  const tb = nlmsgParse(request, IFADDRMSG_LEN, POLICIES[family], request.strict ? 'strict' : 'liberal')
  const { local } = addressesOf(tb, family)
  if (local === undefined) throw new Errno('EINVAL')
  const { index } = ifaddrmsg(request)
  const dev = index === 0 ? undefined : devGetByIndex(request.kernel, index)
  const found = inet.addresses(family, dev).find((ifa) => ifa.local.every((byte, i) => byte === local[i]))
  if (found === undefined) throw new Errno('EADDRNOTAVAIL')
  request.reply(Rtm.NEWADDR, (w) => fillIfaddr(w, request.kernel, found))
}

/** @kernel inet_dump_ifaddr() net/ipv4/devinet.c */
function dump(request: NlRequest, { inet, family }: FamilyContext): NlDump {
  const dev = request.strict ? checkedFilter(request, family) : undefined
  return {
    type: Rtm.NEWADDR,
    filtered: dev !== undefined,
    entries: entries(request, inet.addresses(family, dev)),
  }
}

function* entries(request: NlRequest, addresses: readonly InIfaddr[]): Generator<DumpEntry> {
  for (const ifa of addresses) yield (w) => fillIfaddr(w, request.kernel, ifa)
}

/** What a strict request asks for: the addresses of one device, or all. @kernel inet_valid_dump_ifaddr_req() net/ipv4/devinet.c */
function checkedFilter(request: NlRequest, family: 2 | 10): NetDevice<any> | undefined {
  if (request.bodyLength < IFADDRMSG_LEN) {
    throw new NetlinkError('EINVAL', 'Invalid header for address dump request')
  }
  const msg = ifaddrmsg(request)
  if (msg.prefixlen !== 0 || msg.flags !== 0 || msg.scope !== 0) {
    throw new NetlinkError('EINVAL', 'Invalid values in header for address dump request')
  }
  const tb = nlmsgParse(request, IFADDRMSG_LEN, POLICIES[family], 'strict')
  for (let type = 1; type <= POLICIES[family].maxType; type++) {
    if (!tb.has(type)) continue
    const message =
      type === Ifa.TARGET_NETNSID
        ? 'Invalid target network namespace id'
        : 'Unsupported attribute in dump request'
    throw new NetlinkError('EINVAL', message, { offset: tb.offset(type) })
  }
  return msg.index === 0 ? undefined : deviceAt(request, msg.index)
}
