import { devGetStats, type NetDevice, type RtnlLinkStats64 } from '@vnet/netdev'
import { attribute, liveDir } from '../vfs/dirs.ts'
import type { VfsDir } from '../vfs/node.ts'
import { dec } from './attr-text.ts'

/** The files in `statistics` and the counter each shows. @kernel netstat_attrs[] net/core/net-sysfs.c */
const STATISTICS = {
  collisions: 'collisions',
  multicast: 'multicast',
  rx_bytes: 'rxBytes',
  rx_compressed: 'rxCompressed',
  rx_crc_errors: 'rxCrcErrors',
  rx_dropped: 'rxDropped',
  rx_errors: 'rxErrors',
  rx_fifo_errors: 'rxFifoErrors',
  rx_frame_errors: 'rxFrameErrors',
  rx_length_errors: 'rxLengthErrors',
  rx_missed_errors: 'rxMissedErrors',
  rx_nohandler: 'rxNohandler',
  rx_over_errors: 'rxOverErrors',
  rx_packets: 'rxPackets',
  tx_aborted_errors: 'txAbortedErrors',
  tx_bytes: 'txBytes',
  tx_carrier_errors: 'txCarrierErrors',
  tx_compressed: 'txCompressed',
  tx_dropped: 'txDropped',
  tx_errors: 'txErrors',
  tx_fifo_errors: 'txFifoErrors',
  tx_heartbeat_errors: 'txHeartbeatErrors',
  tx_packets: 'txPackets',
  tx_window_errors: 'txWindowErrors',
} as const satisfies Record<string, keyof RtnlLinkStats64>

/** `statistics`: a file for each counter. @kernel netstat_group net/core/net-sysfs.c @rule STAT-03 */
export function statisticsDir(dev: NetDevice<any>): VfsDir {
  return liveDir(
    () => Object.keys(STATISTICS),
    (name) => {
      if (!Object.hasOwn(STATISTICS, name)) return undefined
      const key = STATISTICS[name as keyof typeof STATISTICS]
      return attribute(() => dec(devGetStats(dev)[key]))
    },
  )
}
