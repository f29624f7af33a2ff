import type { RemoteInfo } from 'node:dgram'
import type { Kernel } from '@vnet/kernel'
import { DatagramBackend } from './datagram-backend.ts'
import { checkAddress, checkCommon, sameFamily } from './options.ts'
import type { UdpAddress, UdpCommonOptions } from './options.ts'

/**
 * How a plain UDP cable is made.
 *
 * @kernel none
 */
export interface UdpOptions extends UdpCommonOptions {
  /** Our end; port 0 is any that is free. */
  readonly local: UdpAddress
  /** The other end; what comes from elsewhere is passed over. */
  readonly remote: UdpAddress
}

/**
 * A cable in UDP: one datagram is one frame, as QEMU's dgram netdev has it. Made by `udpBackend()`.
 *
 * @kernel none
 */
export class UdpBackend extends DatagramBackend {
  readonly #remote: UdpAddress

  constructor(kernel: Kernel, options: UdpOptions) {
    checkCommon(options)
    checkAddress('local', options.local, 0)
    checkAddress('remote', options.remote, 1)
    super(kernel, options.local, sameFamily([options.local.host, options.remote.host]), 0, options)
    this.#remote = options.remote
  }

  protected override send(slot: Uint8Array, length: number): void {
    this.sendTo(slot, length, this.#remote, () => this.done(slot))
  }

  protected override datagram(bytes: Uint8Array, from: RemoteInfo): void {
    const { host, port } = this.#remote
    if (from.port !== port || from.address !== host) this.stats.rxStrangers++
    else this.bring(bytes, 0)
  }
}

/**
 * Makes a cable in UDP to one other end: another vnet, or QEMU with
 * `-netdev dgram,id=n0,local.type=inet,local.host=…,local.port=…,remote.type=inet,…`.
 *
 * Frames are neither encrypted nor signed, and a sender's address can be forged: for networks you trust. Call `close()`
 * when done.
 *
 * @throws Errno EINVAL for options that make no sense
 * @kernel none
 */
export function udpBackend(kernel: Kernel, options: UdpOptions): UdpBackend {
  return new UdpBackend(kernel, options)
}
