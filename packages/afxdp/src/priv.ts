import type { MemoryRegion, TimerList } from '@vnet/kernel'
import type { FdWatcher, Netns } from '@vnet/linux'
import type { NapiStruct } from '@vnet/napi'
import type { GroNode, U64Stats } from '@vnet/netdev'
import type { XdpMode, XdpProgram } from './bpf.ts'
import type { HostLink } from './host-link.ts'
import type { RxSide, TxSide } from './sides.ts'
import type { Xsk } from './xsk.ts'

/** Which queue of which interface, and how. */
export interface AfxdpSettings {
  readonly ifname: string
  readonly ifindex: number
  readonly queue: number
  /** Null: native, or generic where that is refused. */
  readonly mode: XdpMode | null
  readonly zeroCopy: boolean
  readonly rxRing: number
  readonly txRing: number
}

/** The driver's own part of its net_device. */
export interface AfxdpPriv {
  readonly options: AfxdpSettings
  /** Where the interface is. */
  readonly netns: Netns
  readonly irq: number
  readonly link: HostLink
  readonly gro: GroNode
  readonly stats: U64Stats
  /** Frames missed by sockets that were closed since. */
  lost: bigint
  readonly timer: TimerList
  napi: NapiStruct
  /** All of these live while the device is up. */
  xsk: Xsk | null
  program: XdpProgram | null
  watcher: FdWatcher | null
  region: MemoryRegion | null
  rx: RxSide | null
  tx: TxSide | null
}
