import { Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { registerNetdeviceNotifier } from '@vnet/netdev'
import type { NetDevice, NetdevEvent } from '@vnet/netdev'
import { SockAf, sockRegister, SockType } from '@vnet/netlink'
import type { Sock, SockFamily, SockOwner } from '@vnet/netlink'
import type { MachineHost } from '../host.ts'
import { PacketSock } from './packet-sock.ts'
import type { RingFile } from './ring.ts'

/** Most bytes of a packet that is looked at: more than any there is. */
const SCRATCH_LEN = 128 * 1024

/** The packet sockets of a kernel. @kernel packet_family_ops net/packet/af_packet.c */
export class PacketFamily implements SockFamily {
  readonly kernel: Kernel
  /** Makes the memory of rings; null where nothing can be mapped. */
  readonly sharedFile: ((bytes: number) => RingFile) | null
  /** Where a packet is looked at before a socket keeps it. */
  readonly scratch = new Uint8Array(SCRATCH_LEN)
  readonly #wallClock: bigint
  readonly #socks = new Set<PacketSock>()

  constructor(kernel: Kernel, host: MachineHost, wallClock: bigint) {
    this.kernel = kernel
    this.sharedFile = host.sharedFile === undefined ? null : (bytes) => host.sharedFile!(bytes)
    this.#wallClock = wallClock
  }

  /** How many sockets are open. */
  get open(): number {
    return this.#socks.size
  }

  /** Those that are open, the oldest first. */
  get sockets(): Iterable<PacketSock> {
    return this.#socks
  }

  /** Nanoseconds since 1970, by the machine's clock. */
  now(): bigint {
    return this.#wallClock + BigInt(Math.round(this.kernel.clock.ktimeGet()))
  }

  /** @throws Errno EPERM, ESOCKTNOSUPPORT @kernel packet_create() net/packet/af_packet.c */
  create(type: number, protocol: number, who: SockOwner): Sock {
    if (!who.capNetAdmin) throw new Errno('EPERM')
    if (type !== SockType.RAW && type !== SockType.DGRAM) throw new Errno('ESOCKTNOSUPPORT')
    const sock = new PacketSock(this, type, protocol, who.capNetAdmin)
    this.#socks.add(sock)
    return sock
  }

  /** A socket is closed. */
  forget(sock: PacketSock): void {
    this.#socks.delete(sock)
  }

  /** A device changed its state; rtnl is held. @kernel packet_notifier() net/packet/af_packet.c */
  deviceEvent(event: NetdevEvent, dev: NetDevice<any>): void {
    if (event === 'NETDEV_UP') for (const sock of this.#socks) sock.deviceUp(dev)
    else if (event === 'NETDEV_DOWN') for (const sock of this.#socks) sock.deviceDown(dev, false)
    else if (event === 'NETDEV_UNREGISTER') for (const sock of this.#socks) sock.deviceDown(dev, true)
  }

  /** Closes every socket. */
  closeAll(): void {
    for (const sock of [...this.#socks]) sock.close()
  }
}

/**
 * Makes AF_PACKET known in a kernel. Rings need `host.sharedFile`; without it programs read packet by packet.
 *
 * @param wallClock - nanoseconds since 1970 when the kernel's clock was 0
 * @returns what takes it away again, and closes what is open
 * @kernel packet_init() net/packet/af_packet.c
 */
export function packetFamily(kernel: Kernel, host: MachineHost = {}, wallClock = 0n): () => void {
  const family = new PacketFamily(kernel, host, wallClock)
  const unregister = sockRegister(kernel, SockAf.PACKET, family)
  const stop = registerNetdeviceNotifier(kernel, (event, dev) => family.deviceEvent(event, dev))
  return () => {
    unregister()
    family.closeAll()
    stop()
  }
}
