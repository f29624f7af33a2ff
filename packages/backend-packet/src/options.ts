import { checkIfName, E } from '@vnet/linux'
import type { Netns, WatchMethod } from '@vnet/linux'
import { Errno, ERRNO } from '@vnet/kernel'
import type { ErrnoName } from '@vnet/kernel'

/**
 * Which interface, and how it is read.
 *
 * @kernel struct packet_sock net/packet/internal.h
 */
export interface PacketOptions {
  /** The interface's name. */
  readonly name: string
  /** Frames for other addresses too: a card here has one of its own. Default true. */
  readonly promiscuous?: boolean
  /** Frames this host sends on the interface too. Default false. */
  readonly outgoing?: boolean
  /** Bytes in a block of the ring: a power of two from 64 KiB to 4 MiB. Default 256 KiB. */
  readonly blockSize?: number
  /** Blocks in the ring, 2 to 1,024. Default 16. */
  readonly blocks?: number
  /** Milliseconds after which a block that is not full is handed over, 1 to 1,000. Default 1. */
  readonly blockTimeoutMs?: number
  /** Frames offered before the card's interrupts and softirqs run. Default 64. */
  readonly budget?: number
  /** The namespace of the host the interface is in. Default the program's own. */
  readonly netns?: Netns
  /** How readiness is found out. Default the best this node binary can do. */
  readonly watch?: WatchMethod
}

/** Options with the defaults filled in. */
export interface PacketSettings extends PacketOptions {
  readonly promiscuous: boolean
  readonly outgoing: boolean
  readonly blockSize: number
  readonly blocks: number
  readonly blockTimeoutMs: number
  readonly budget: number
}

/** Fills in the defaults. @throws Errno EINVAL for what makes no sense anywhere */
export function packetSettings(options: PacketOptions): PacketSettings {
  const { blockSize = 1 << 18, blocks = 16, blockTimeoutMs = 1, budget = 64 } = options
  checkIfName(options.name)
  range('blockSize', blockSize, 1 << 16, 1 << 22)
  if ((blockSize & (blockSize - 1)) !== 0) {
    throw new Errno('EINVAL', `blockSize is ${blockSize}, must be a power of two`, 'blockSize')
  }
  range('blocks', blocks, 2, 1024)
  range('blockTimeoutMs', blockTimeoutMs, 1, 1000)
  range('budget', budget, 1, 4096)
  const { promiscuous = true, outgoing = false } = options
  return { ...options, promiscuous, outgoing, blockSize, blocks, blockTimeoutMs, budget }
}

function range(what: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new Errno('EINVAL', `${what} is ${value}, must be from ${least} to ${most}`, what)
}

/**
 * Says in one sentence why the host refused to open an interface, and what to do about it.
 *
 * @param refused - the error, by name or by the number a C library gives
 * @returns undefined when there is nothing to say beyond the error itself
 * @kernel none
 */
export function explainPacketRefusal(refused: ErrnoName | number, name: string): string | undefined {
  switch (typeof refused === 'number' ? refused : ERRNO[refused]) {
    case E.PERM:
    case E.ACCES:
      return `this user may not read the frames of ${name}: run as root or with CAP_NET_RAW, or inside \`unshare -rn\` (for interfaces made in there)`
    case E.NODEV:
    case E.NXIO:
      return `there is no interface ${name} here: \`ip link\` shows those there are`
    case E.NOMEM:
    case E.NOBUFS:
      return `the host has no memory for the ring of ${name}: fewer or smaller blocks`
    default:
      return undefined
  }
}
