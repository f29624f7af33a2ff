import { Errno } from '@vnet/kernel'
import { close, connect, getsockname, setsockopt, socket } from '../proc/libc.ts'
import type { Process, Syscalls } from '../proc/process.ts'
import { PingError, type PingOptions } from './options.ts'
import { chosenSource, needsZone, scopeOf, sockaddr, useDevice } from './source.ts'

const SOCK_DGRAM = 2
const [SOL_SOCKET, SO_BROADCAST] = [1, 6]
const PORT = 1025

/** The way there: our address on it, and theirs with the device, as `sockaddr`s. */
export interface Way {
  readonly from: Uint8Array
  readonly to: Uint8Array
}

/** Finds out beforehand whether there is a way at all, with a socket of its own. @throws PingError */
export function* probe(process: Process, options: PingOptions): Syscalls<Way> {
  const { family, address } = options
  const fd = yield* socket(process, family, SOCK_DGRAM, 0)
  const scope = yield* scopeOf(process, fd, options)
  const lost = scope === 0 && needsZone(family, address)
  if (lost && address[0] === 0xfe) {
    process.stderr(
      'ping: Warning: IPv6 link-local address on ICMP datagram socket may require ifname or scope-id => use: address%<ifname|scope-id>\n',
    )
  }
  yield* useDevice(process, fd, options)
  const chosen = yield* chosenSource(process, fd, options)
  // Without its link the address cannot be looked up; an address of ours that was chosen needs no looking up.
  if (chosen === null && !lost) yield* reach(process, fd, options, sockaddr(family, address, PORT, scope))
  const from = chosen ?? (yield* getsockname(process, fd))
  yield* close(fd)
  return { from, to: sockaddr(family, address, 0, scope) }
}

/** An address of all is only gone to when -b says so. */
function* reach(process: Process, fd: number, options: PingOptions, to: Uint8Array): Syscalls<void> {
  try {
    yield* connect(process, fd, to)
    return
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    if (error.code !== 'EACCES') throw new PingError(`ping: connect: ${error.message}`)
  }
  if (!options.broadcast)
    throw new PingError(
      'ping: Do you want to ping broadcast? Then -b. If not, check your local firewall rules',
    )
  process.stderr('WARNING: pinging broadcast address\n')
  try {
    yield* setsockopt(process, fd, SOL_SOCKET, SO_BROADCAST, 1)
    yield* connect(process, fd, to)
  } catch (error) {
    if (error instanceof Errno) throw new PingError(`ping: cannot set broadcasting: ${error.message}`)
    throw error
  }
}
