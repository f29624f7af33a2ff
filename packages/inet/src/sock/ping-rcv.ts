import { type SkBuff, skbLinearize } from '@vnet/netdev'
import { getUnalignedBe16 } from '@vnet/wire'
import type { Inet } from '../inet.ts'
import type { ErrorReport } from './error.ts'
import type { PingSock } from './ping.ts'
import { isAny, sameAddress } from './sock.ts'
import type { RxInfo } from './transport.ts'

/**
 * Gives an echo reply to the ping socket it answers; data stands at the ICMP header. The packet stays the caller's.
 *
 * @returns true when there is such a socket
 * @kernel ping_rcv() net/ipv4/ping.c
 */
export function pingDeliver(inet: Inet, skb: SkBuff, info: RxInfo): boolean {
  if (inet.sockets.ping.size === 0 || skb.len < 8 || !skbLinearize(skb)) return false
  const ident = getUnalignedBe16(skb.mem, skb.data + 4)
  const sock = pingLookup(inet, info.family, ident, info.dst, info.dev.ifindex)
  if (sock === null) return false
  sock.queue(skb, info, 0)
  return true
}

/** The ping socket an ICMP error is about. @kernel ping_err() net/ipv4/ping.c */
export function pingErrorSock(inet: Inet, report: ErrorReport): PingSock | null {
  const { quoted, headerLen, family } = report
  if (quoted.length < headerLen + 8) return null
  if (quoted[headerLen] !== inet.family(family).transport.icmp.echo) return null
  return pingLookup(inet, family, getUnalignedBe16(quoted, headerLen + 4), report.src, report.ifindex)
}

function pingLookup(
  inet: Inet,
  family: number,
  ident: number,
  local: Uint8Array,
  ifindex: number,
): PingSock | null {
  for (const sock of inet.sockets.ping.get(ident) ?? []) {
    if (sock.family !== family || !sock.takesDevice(ifindex)) continue
    if (isAny(sock.local) || sameAddress(sock.local, local)) return sock
  }
  return null
}
