import type { PingSock } from './ping.ts'
import type { RawSock } from './raw.ts'
import type { UdpSock } from './udp.ts'

/** The open sockets of a kernel, by what their packets are found with. @kernel struct udp_table include/net/udp.h */
export class SocketTable {
  /** By local port. */
  readonly udp = new Map<number, UdpSock[]>()
  readonly raw: RawSock[] = []
  /** By echo identifier; both families share the numbers as they share nothing else. */
  readonly ping = new Map<number, PingSock[]>()

  /** All that are open. */
  get open(): number {
    let count = this.raw.length
    for (const list of this.udp.values()) count += list.length
    for (const list of this.ping.values()) count += list.length
    return count
  }
}

/** Adds a socket under a number. @kernel none */
export function tableAdd<T>(map: Map<number, T[]>, key: number, sock: T): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [sock])
  else list.push(sock)
}

/** Takes it out. @kernel none */
export function tableDel<T>(map: Map<number, T[]>, key: number, sock: T): void {
  const list = map.get(key)
  if (list === undefined) return
  const rest = list.filter((other) => other !== sock)
  if (rest.length === 0) map.delete(key)
  else map.set(key, rest)
}
