import { modTimer, timerDelete, type TimerList } from '@vnet/kernel'
import { Iff } from '@vnet/netdev'
import type { Ipv4 } from '../ipv4/ipv4.ts'
import { ownTimer } from '../own-timer.ts'
import type { InDevice } from './in-device.ts'
import { igmpSendReport, type IgmpRecord, IgmpRecordType } from './igmp-send.ts'
import { IGMP_ALL_HOSTS } from './multicast.ts'

/** How often a change is told. @kernel IGMP_QUERY_ROBUSTNESS_VARIABLE include/uapi/linux/igmp.h */
const ROBUSTNESS = 2
/** Milliseconds within which it is told again. @kernel igmpv3_unsolicited_report_interval net/ipv4/igmp.c */
const REPORT_INTERVAL = 1000

/**
 * Tells the routers on a link which groups a device listens to: IGMP version 3, without sources.
 *
 * @kernel struct in_device include/linux/inetdevice.h
 */
export class Igmp {
  readonly #ipv4: Ipv4
  readonly #inDev: InDevice
  /** Changes by group, and how often they are still to be told. */
  readonly #changes = new Map<number, { type: number; left: number }>()
  readonly #changeTimer: TimerList
  readonly #queryTimer: TimerList
  /** The groups a query asked about; null: all. */
  #asked: Set<number> | null = new Set()

  constructor(ipv4: Ipv4, inDev: InDevice) {
    const { kernel } = ipv4
    const { module, name } = inDev.dev
    this.#ipv4 = ipv4
    this.#inDev = inDev
    this.#changeTimer = ownTimer(kernel, module, () => this.#tellChanges(), name)
    this.#queryTimer = ownTimer(kernel, module, () => this.#answer(), name)
  }

  /** A group was joined or left. @kernel igmp_ifc_event() net/ipv4/igmp.c */
  changed(address: number, joined: boolean): void {
    if ((this.#inDev.dev.flags & Iff.UP) === 0) return
    const type = joined ? IgmpRecordType.CHANGE_TO_EXCLUDE : IgmpRecordType.CHANGE_TO_INCLUDE
    this.#changes.set(address, { type, left: ROBUSTNESS })
    modTimer(this.#changeTimer, this.#ipv4.kernel.clock.jiffies + 2)
  }

  /** A router asks; `address` 0: about all groups. @kernel igmp_heard_query() net/ipv4/igmp.c */
  heardQuery(address: number, maxDelayMs: number): void {
    if (address === 0) this.#asked = null
    else this.#asked?.add(address)
    const { clock, rng } = this.#ipv4.kernel
    const most = Math.max(1, Math.ceil((maxDelayMs * clock.hz) / 1000))
    modTimer(this.#queryTimer, clock.jiffies + 1 + rng.below(most))
  }

  /** The device goes down: nobody is told anything. */
  stop(): void {
    this.#changes.clear()
    this.#asked = new Set()
    timerDelete(this.#changeTimer)
    timerDelete(this.#queryTimer)
  }

  /** @kernel igmp_ifc_timer_expire() net/ipv4/igmp.c */
  #tellChanges(): void {
    const records: IgmpRecord[] = []
    for (const [address, change] of this.#changes) {
      records.push({ type: change.type, address })
      if (--change.left === 0) this.#changes.delete(address)
    }
    igmpSendReport(this.#ipv4, this.#inDev, records)
    if (this.#changes.size === 0) return
    const { clock, rng } = this.#ipv4.kernel
    const interval = Math.ceil((REPORT_INTERVAL * clock.hz) / 1000)
    modTimer(this.#changeTimer, clock.jiffies + 2 + rng.below(interval))
  }

  /** @kernel igmp_gq_timer_expire() net/ipv4/igmp.c */
  #answer(): void {
    const asked = this.#asked
    this.#asked = new Set()
    const groups = this.#inDev.mcList.filter(
      ({ address }) => address !== IGMP_ALL_HOSTS && (asked === null || asked.has(address)),
    )
    const type = IgmpRecordType.MODE_IS_EXCLUDE
    igmpSendReport(
      this.#ipv4,
      this.#inDev,
      groups.map(({ address }) => ({ type, address })),
    )
  }
}
