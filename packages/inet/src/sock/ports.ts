import { Errno } from '@vnet/kernel'
import type { Inet } from '../inet.ts'
import type { InetSock } from './sock.ts'
import { isAny, sameAddress } from './sock.ts'

const FIRST = 32768
const LAST = 60999

/** Chooses a free port of the ephemeral range. @throws Errno EAGAIN when none is left @kernel udp_lib_get_port() net/ipv4/udp.c */
export function ephemeralPort<T extends InetSock>(
  inet: Inet,
  map: ReadonlyMap<number, readonly T[]>,
  sock: T,
  address: Uint8Array,
): number {
  const count = LAST - FIRST + 1
  const start = inet.kernel.rng.below(count)
  for (let i = 0; i < count; i++) {
    const port = FIRST + ((start + i) % count)
    if (!portTaken(map.get(port), sock, address, false)) return port
  }
  throw new Errno('EAGAIN')
}

/** True when another socket holds the port in a way that excludes this one. @kernel inet_rcv_saddr_equal() net/ipv4/inet_connection_sock.c */
export function portTaken<T extends InetSock>(
  holders: readonly T[] | undefined,
  sock: T,
  address: Uint8Array,
  share = true,
): boolean {
  return holders?.some((other) => excludes(other, sock, address, share)) ?? false
}

function excludes(other: InetSock, sock: InetSock, address: Uint8Array, share: boolean): boolean {
  if (other === sock || other.family !== sock.family) return false
  const [a, b] = [other.options, sock.options]
  if (a.boundDevIf !== 0 && b.boundDevIf !== 0 && a.boundDevIf !== b.boundDevIf) return false
  if (share && ((a.reuseAddr && b.reuseAddr) || (a.reusePort && b.reusePort))) return false
  return isAny(other.local) || isAny(address) || sameAddress(other.local, address)
}
