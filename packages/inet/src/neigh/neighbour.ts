import { type TimerList, timerPending } from '@vnet/kernel'
import { type NetDevice, SkBuffHead } from '@vnet/netdev'
import { ownTimer } from '../own-timer.ts'
import { type InetFamilyNr, Nud, NUD_VALID, RtnType } from '../types/constants.ts'
import type { NeighParms } from './parms.ts'
import type { NeighTable } from './table.ts'

/**
 * What is known of one neighbour on one link. Times are in jiffies.
 *
 * @kernel struct neighbour include/net/neighbour.h
 */
export class Neighbour {
  readonly table: NeighTable
  readonly dev: NetDevice<any>
  readonly parms: NeighParms
  readonly family: InetFamilyNr
  readonly primaryKey: Uint8Array
  /** The link address, meaningful in the states of NUD_VALID; see `lladdr`. */
  readonly ha: Uint8Array
  /** `RtnType` of the address. */
  type: number = RtnType.UNICAST
  nudState: number = Nud.NONE
  /** `Ntf` bits. */
  flags = 0
  protocol = 0
  /** Taken out of its table: nothing may be sent through it. */
  dead = false
  probes = 0
  /** Never collected, and not counted against the table's size. */
  exemptFromGc = false
  /** When it was last known to work, last used to send without being sure, and last changed. */
  confirmed = 0
  used = 0
  updated = 0
  /** Packets that wait for the link address. */
  readonly arpQueue = new SkBuffHead()
  arpQueueLenBytes = 0
  readonly timer: TimerList
  /** The next in its hash bucket. */
  next: Neighbour | null = null
  readonly hash: number

  constructor(table: NeighTable, key: Uint8Array, dev: NetDevice<any>, hash: number) {
    const { kernel } = table
    this.table = table
    this.dev = dev
    this.parms = table.parmsOf(dev)
    this.family = table.family
    this.primaryKey = key
    this.ha = new Uint8Array(dev.addrLen)
    this.hash = hash
    const now = kernel.clock.jiffies
    this.updated = now
    this.used = now
    this.timer = ownTimer(kernel, dev.module, () => table.timerHandler(this), dev.name)
  }

  /** The link address, or null while it is not known. */
  get lladdr(): Uint8Array | null {
    return (this.nudState & NUD_VALID) === 0 ? null : this.ha
  }

  /** 1 for the table, 1 for a pending timer. @kernel struct neighbour include/net/neighbour.h */
  get refcnt(): number {
    return timerPending(this.timer) ? 2 : 1
  }
}
