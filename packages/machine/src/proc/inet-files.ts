import {
  fibDump,
  ipv6Of,
  NUD_VALID,
  Nud,
  RtScope,
  RtTable,
  RtnType,
  type FibRoute,
  type Inet,
} from '@vnet/inet'
import type { NetDevice } from '@vnet/netdev'
import { multicastGroups } from '../inet-view.ts'
import { dotted, hexBytes, wordHex } from './inet-address.ts'

/** Flags of an entry. @kernel ATF_COM include/uapi/linux/if_arp.h */
const Atf = { COM: 0x02, PERM: 0x04 } as const

/** /proc/net/arp. @kernel arp_seq_show() net/ipv4/arp.c */
export function procNetArp(inet: Inet): string {
  let out = 'IP address       HW type     Flags       HW address            Mask     Device\n'
  for (const neigh of inet.neighTable(2).list()) {
    if ((neigh.nudState & ~Nud.NOARP) === 0) continue
    const valid = (neigh.nudState & NUD_VALID) !== 0
    const permanent = (neigh.nudState & Nud.PERMANENT) !== 0
    const flags = permanent ? Atf.PERM | Atf.COM : valid ? Atf.COM : 0
    const ha = Array.from(neigh.ha, (byte) => byte.toString(16).padStart(2, '0')).join(':')
    const columns = [
      dotted(neigh.primaryKey).padEnd(16),
      `0x${neigh.dev.type.toString(16)}`.padEnd(11),
      `0x${flags.toString(16)}`.padEnd(11),
    ]
    out += `${columns[0]} ${columns[1]} ${columns[2]} ${ha.padEnd(17)}     *        ${neigh.dev.name}\n`
  }
  return out
}

/** What IPv6 itself calls the reach of an address. @kernel IFA_HOST include/net/if_inet6.h */
const IPV6_SCOPES: Readonly<Record<number, number>> = {
  [RtScope.UNIVERSE]: 0,
  [RtScope.HOST]: 0x10,
  [RtScope.LINK]: 0x20,
  [RtScope.SITE]: 0x40,
}

/** /proc/net/if_inet6. @kernel if6_seq_show() net/ipv6/addrconf.c */
export function procNetIfInet6(inet: Inet): string {
  const two = (value: number): string => (value & 0xff).toString(16).padStart(2, '0')
  return inet
    .addresses(10)
    .map(
      ({ local, dev, prefixlen, scope, flags }) =>
        `${hexBytes(local)} ${two(dev.ifindex)} ${two(prefixlen)} ${two(IPV6_SCOPES[scope] ?? 0)} ${two(flags)} ${dev.name.padStart(8)}\n`,
    )
    .join('')
}

/** /proc/net/igmp: the IPv4 groups of each device. @kernel igmp_mc_seq_show() net/ipv4/igmp.c */
export function procNetIgmp(inet: Inet): string {
  let out = 'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n'
  let last: NetDevice<any> | null = null
  const groups = multicastGroups(inet, 2)
  for (const { dev, address, users } of groups) {
    if (dev !== last) {
      const count = groups.filter((group) => group.dev === dev).length
      out += `${dev.ifindex}\t${dev.name.padEnd(10)}: ${String(count).padStart(5)} ${'V3'.padStart(7)}\n`
      last = dev
    }
    out += `\t\t\t\t${wordHex(address)} ${String(users).padStart(5)} 0:00000000\t\t0\n`
  }
  return out
}

/** /proc/net/igmp6. @kernel igmp6_mc_seq_show() net/ipv6/mcast.c */
export function procNetIgmp6(inet: Inet): string {
  return [...ipv6Of(inet).devs.values()]
    .sort((a, b) => a.dev.ifindex - b.dev.ifindex)
    .flatMap(({ dev, mcList }) =>
      mcList.map(({ addr, users, flags }) => {
        const start = `${String(dev.ifindex).padEnd(4)} ${dev.name.padEnd(15)} ${hexBytes(addr)}`
        return `${start} ${String(users).padStart(5)} ${flags.toString(16).toUpperCase().padStart(8, '0')} 0\n`
      }),
    )
    .join('')
}

/** Flags of a route. @kernel RTF_UP include/uapi/linux/route.h */
const Rtf = { UP: 1, GATEWAY: 2, HOST: 4, REJECT: 0x200 } as const
/** Each line of /proc/net/route is as long as this. */
const ROUTE_WIDTH = 127

/** /proc/net/route: the main table. @kernel fib_route_seq_show() net/ipv4/fib_trie.c */
export function procNetRoute(inet: Inet): string {
  const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT'
  const lines = fibDump(inet, 2, RtTable.MAIN)
    .filter((route) => route.type !== RtnType.BROADCAST && route.type !== RtnType.MULTICAST)
    .map(routeLine)
  return [head, ...lines].map((line) => `${line.padEnd(ROUTE_WIDTH)}\n`).join('')
}

function routeLine(route: FibRoute): string {
  const none = new Uint8Array(4)
  const mask = maskOf(route.dstLen)
  const flags =
    Rtf.UP |
    (route.gateway === null ? 0 : Rtf.GATEWAY) |
    (route.dstLen === 32 ? Rtf.HOST : 0) |
    (route.type === RtnType.UNREACHABLE || route.type === RtnType.PROHIBIT ? Rtf.REJECT : 0)
  const columns = [
    route.oif?.name ?? '*',
    wordHex(route.dst),
    wordHex(route.gateway ?? none),
    flags.toString(16).toUpperCase().padStart(4, '0'),
    0,
    0,
    route.priority,
    wordHex(mask),
    0,
    0,
    0,
  ]
  return columns.join('\t')
}

function maskOf(bits: number): Uint8Array {
  const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0
  return Uint8Array.of(mask >>> 24, mask >>> 16, mask >>> 8, mask)
}
