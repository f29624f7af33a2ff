import type { NetDevice } from '@vnet/netdev'
import { ethnlOps } from './core.ts'
import { ethtoolOps } from './ops.ts'

/** What can be time-stamped, lowest bit first. @kernel sof_timestamping_names net/ethtool/common.c */
export const SOF_TIMESTAMPING: readonly string[] = [
  'hardware-transmit',
  'software-transmit',
  'hardware-receive',
  'software-receive',
  'software-system-clock',
  'hardware-legacy-clock',
  'hardware-raw-clock',
]

/** Ways the hardware stamps what it sends, lowest bit first. @kernel ts_tx_type_names net/ethtool/common.c */
export const TS_TX_TYPES: readonly string[] = ['off', 'on', 'onestep-sync', 'onestep-p2p']

/** What the hardware stamps of what it receives, lowest bit first. @kernel ts_rx_filter_names net/ethtool/common.c */
export const TS_RX_FILTERS: readonly string[] = [
  'none',
  'all',
  'some',
  'ptpv1-l4-event',
  'ptpv1-l4-sync',
  'ptpv1-l4-delay-req',
  'ptpv2-l4-event',
  'ptpv2-l4-sync',
  'ptpv2-l4-delay-req',
  'ptpv2-l2-event',
  'ptpv2-l2-sync',
  'ptpv2-l2-delay-req',
  'ptpv2-event',
  'ptpv2-sync',
  'ptpv2-delay-req',
  'ntp-all',
]

/** Bits of {@link SOF_TIMESTAMPING}. @kernel SOF_TIMESTAMPING_TX_SOFTWARE include/uapi/linux/net_tstamp.h */
export const SofTimestamping = {
  TX_HARDWARE: 1,
  TX_SOFTWARE: 2,
  RX_HARDWARE: 4,
  RX_SOFTWARE: 8,
  SOFTWARE: 16,
  SYS_HARDWARE: 32,
  RAW_HARDWARE: 64,
} as const

/** What a device can time-stamp. @kernel struct ethtool_ts_info include/uapi/linux/ethtool.h */
export interface EthtoolTsInfo {
  readonly soTimestamping: number
  /** The clock's number, or -1. */
  readonly phcIndex: number
  readonly txTypes: number
  readonly rxFilters: number
}

/**
 * Reads what a device can time-stamp. Receiving in software works with every driver.
 *
 * @throws Errno ENODEV; whatever the driver throws
 * @kernel __ethtool_get_ts_info() net/ethtool/common.c
 * @rule ETH-13
 */
export function ethtoolGetTsInfo(dev: NetDevice<any>): EthtoolTsInfo {
  const none = { soTimestamping: 0, phcIndex: -1, txTypes: 0, rxFilters: 0 }
  return ethnlOps(dev, () => ({
    ...none,
    ...(ethtoolOps(dev).getTsInfo?.(dev) ?? {
      soTimestamping: SofTimestamping.RX_SOFTWARE | SofTimestamping.SOFTWARE,
    }),
  }))
}

/**
 * The usual `getTsInfo` of a driver that calls `skbTxTimestamp`: software stamps both ways.
 *
 * @kernel ethtool_op_get_ts_info() net/ethtool/ioctl.c
 */
export function ethtoolOpGetTsInfo(): EthtoolTsInfo {
  const { TX_SOFTWARE, RX_SOFTWARE, SOFTWARE } = SofTimestamping
  return { soTimestamping: TX_SOFTWARE | RX_SOFTWARE | SOFTWARE, phcIndex: -1, txTypes: 0, rxFilters: 0 }
}
