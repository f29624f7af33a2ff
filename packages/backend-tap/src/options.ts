import { checkIfName } from '@vnet/linux'
import type { Netns, WatchMethod } from '@vnet/linux'
import { Errno } from '@vnet/kernel'

/**
 * How a TAP is made or found.
 *
 * @kernel struct tun_struct drivers/net/tun.c
 */
export interface TapOptions {
  /** Its name on the host, or a pattern such as `tap%d`. Default `tap%d`. */
  readonly name?: string
  /**
   * `either`: take it when it is there, else make it. `new`: refuse when it is there. `attach`: refuse when it is not.
   * Default `either`.
   */
  readonly mode?: 'either' | 'new' | 'attach'
  /** Read and write queues, 1 to 256. All are served by this thread; with more than one the TAP is multi-queue. Default 1. */
  readonly queues?: number
  /** True: it stays when the program ends; false: it goes. Default: as it is found. */
  readonly persistent?: boolean
  /** The user who may attach to it later without root. */
  readonly owner?: number
  /** The group whose members may. */
  readonly group?: number
  /** Sets it up. Default: true for one that was made here; one that was found is left as it is. */
  readonly up?: boolean
  /** Its MTU on the host's side. */
  readonly mtu?: number
  /** The address of the host's side, six bytes. */
  readonly macAddress?: Uint8Array
  /**
   * Big frames cross whole and checksums are left out: each frame has a `VirtioNetHdr` (`rxHeader`, `txHeader`) that
   * says what is missing. Only for somebody who reads it: a card that does not gets frames it cannot use. Default false.
   */
  readonly offload?: boolean
  /** Frames read before the card's interrupts and softirqs run. Default 64. */
  readonly budget?: number
  /**
   * While frames follow each other within 0.2 ms, the next is looked for at once instead of by way of Node's loop and a
   * sleep: round trips are many times shorter, and a processor is busy meanwhile. Default true.
   */
  readonly linger?: boolean
  /** The namespace of the host it lives in. Default the program's own. */
  readonly netns?: Netns
  /** How readiness is found out. Default the best this node binary can do. */
  readonly watch?: WatchMethod
}

/** Options with everything decided that needs no look at the host. */
export interface TapSettings extends TapOptions {
  readonly name: string
  readonly mode: 'either' | 'new' | 'attach'
  readonly queues: number
  readonly offload: boolean
  readonly budget: number
  readonly linger: boolean
}

/** Fills in the defaults. @throws Errno EINVAL for what makes no sense anywhere */
export function tapSettings(options: TapOptions): TapSettings {
  const {
    name = 'tap%d',
    mode = 'either',
    queues = 1,
    offload = false,
    budget = 64,
    linger = true,
    mtu,
    macAddress,
  } = options
  checkIfName(name)
  range('queues', queues, 1, 256)
  range('budget', budget, 1, 4096)
  if (mtu !== undefined) range('mtu', mtu, 68, 65_521)
  if (macAddress !== undefined && macAddress.length !== 6) {
    throw new Errno('EINVAL', `macAddress has ${macAddress.length} bytes, must have 6`, 'macAddress')
  }
  return { ...options, name, mode, queues, offload, budget, linger }
}

function range(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new Errno('EINVAL', `${what} is ${value}, must be from ${least} to ${most}`, what)
}
