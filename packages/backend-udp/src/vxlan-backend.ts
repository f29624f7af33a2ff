import type { RemoteInfo } from 'node:dgram'
import { Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { DatagramBackend } from './datagram-backend.ts'
import { LearnedAddresses } from './learned.ts'
import { checkAddress, checkCommon, range, sameFamily } from './options.ts'
import type { UdpAddress, UdpCommonOptions } from './options.ts'
import { getVxlanVni, putVxlanHeader, VXLAN_HLEN, VXLAN_N_VID, VXLAN_PORT } from './vxlan-header.ts'

const ETH_HLEN = 14

/**
 * How a VXLAN cable is made.
 *
 * @kernel struct vxlan_config include/net/vxlan.h
 */
export interface VxlanOptions extends UdpCommonOptions {
  /** The network: 0 to 2^24 - 1. */
  readonly vni: number
  /** Our address. Default any of this host's. */
  readonly local?: string
  /** Our port. Default that of the remotes. */
  readonly localPort?: number
  /** The other machines. A frame for everybody, or for nobody known, goes to each. */
  readonly remotes: readonly string[]
  /** Their port. Default 4789. */
  readonly port?: number
}

/**
 * A cable in VXLAN: an Ethernet that spans machines. Made by `vxlanBackend()`.
 *
 * @kernel struct vxlan_dev include/net/vxlan.h
 */
export class VxlanBackend extends DatagramBackend {
  readonly #vni: number
  readonly #remotes: readonly UdpAddress[]
  readonly #learned: LearnedAddresses

  constructor(kernel: Kernel, options: VxlanOptions) {
    const { vni, remotes, port = VXLAN_PORT, localPort = port } = options
    checkCommon(options)
    range('vni', vni, 0, VXLAN_N_VID - 1)
    if (remotes.length === 0) throw new Errno('EINVAL', 'remotes: there is none', 'remotes')
    const others = remotes.map((host) => ({ host, port }))
    for (const other of others) checkAddress('remotes', other, 1)
    const family = sameFamily(options.local === undefined ? remotes : [options.local, ...remotes])
    const local = { host: options.local ?? (family === 6 ? '::' : '0.0.0.0'), port: localPort }
    checkAddress('local', local, 0)
    super(kernel, local, family, VXLAN_HLEN, { name: `vxlan ${vni}`, ...options })
    this.#vni = vni
    this.#remotes = others
    this.#learned = new LearnedAddresses()
  }

  protected override send(slot: Uint8Array, length: number): void {
    putVxlanHeader(this.#vni, slot, 0)
    const remotes = this.#remotes
    const known = remotes.length === 1 ? 0 : this.#behind(slot, length)
    let left = known < 0 ? remotes.length : 1
    const one = (): void => {
      if (--left === 0) this.done(slot)
    }
    if (known >= 0) this.sendTo(slot, length, remotes[known]!, one)
    else for (const remote of remotes) this.sendTo(slot, length, remote, one)
  }

  /** The sender's port says nothing: hosts spread flows over ports. */
  protected override datagram(bytes: Uint8Array, from: RemoteInfo): void {
    const remote = this.#remotes.findIndex(({ host }) => host === from.address)
    const vni = getVxlanVni(bytes, 0, bytes.length)
    if (remote < 0) this.stats.rxStrangers++
    else if (vni < 0) this.stats.rxInvalid++
    else if (vni !== this.#vni) this.stats.rxOtherVni++
    else {
      if (this.#remotes.length > 1 && bytes.length >= VXLAN_HLEN + ETH_HLEN) {
        this.#learned.learn(bytes, VXLAN_HLEN + 6, remote, this.kernel.clock.ktimeGet())
      }
      this.bring(bytes, VXLAN_HLEN)
    }
  }

  protected override stopped(): void {
    super.stopped()
    this.#learned.clear()
  }

  #behind(slot: Uint8Array, length: number): number {
    if (length < VXLAN_HLEN + ETH_HLEN) return -1
    return this.#learned.lookup(slot, VXLAN_HLEN, this.kernel.clock.ktimeGet())
  }
}

/**
 * Makes a cable in VXLAN to other machines: other vnets, or hosts with
 * `ip link add vx0 type vxlan id VNI remote … dstport 4789`.
 *
 * Frames are neither encrypted nor signed: for networks you trust. Call `close()` when done.
 *
 * @throws Errno EINVAL for options that make no sense
 * @kernel vxlan_xmit() drivers/net/vxlan/vxlan_core.c
 */
export function vxlanBackend(kernel: Kernel, options: VxlanOptions): VxlanBackend {
  return new VxlanBackend(kernel, options)
}
