import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import type { EthtoolChannels } from './channels.ts'
import type { EthtoolCoalesce } from './coalesce.ts'
import type { EthtoolDrvinfo } from './drvinfo.ts'
import type { EthtoolLinkKsettings } from './ksettings.ts'
import type { EthtoolPauseparam, EthtoolPauseStats } from './pause.ts'
import type { EthtoolRegs } from './regs.ts'
import type { EthtoolRingFlag, EthtoolRingparam } from './rings.ts'
import type { EthtoolRxfh, EthtoolRxfhChange, RxnfcRule } from './rxfh.ts'
import type { SelfTestFlags, SelfTestResult } from './selftest.ts'
import type { EthtoolCtrlStats, EthtoolMacStats, EthtoolPhyStats, EthtoolRmonStats } from './std-stats.ts'
import type { StringSet } from './strset.ts'
import type { EthtoolTsInfo } from './tsinfo.ts'
import type { EthtoolWolinfo } from './wol.ts'

/**
 * What a driver offers to ethtool. Every entry is optional: what is missing is refused with EOPNOTSUPP.
 *
 * All run in process context with rtnl held, between `begin` and `complete`, and refuse by throwing an `Errno`,
 * with a sentence for the person who asked. A `set…` gets the whole new state, already merged and validated,
 * and only when something differs from what the matching `get…` returned.
 *
 * @kernel struct ethtool_ops include/linux/ethtool.h
 * @rule ETH-01 ETH-02 ETH-03 ETH-11
 */
export interface EthtoolOps<P = unknown> {
  /** The coalescing parameters `setCoalesce` understands; a table with that setter needs it. @rule ETH-08 */
  readonly supportedCoalesceParams?: ReadonlySet<keyof EthtoolCoalesce>
  /** The ring parameters beyond the sizes that `setRingparam` understands. */
  readonly supportedRingParams?: ReadonlySet<EthtoolRingFlag>
  /** The driver can be told the number of lanes. */
  readonly capLinkLanesSupported?: boolean

  /** Runs before every other entry; if it throws, nothing else runs. */
  begin?(dev: NetDevice<P>): void
  /** Runs after every other entry, also when that threw. */
  complete?(dev: NetDevice<P>): void

  /** Only what the core cannot know; driver, version and bus have defaults. @rule ETH-13 */
  getDrvinfo?(dev: NetDevice<P>): Partial<EthtoolDrvinfo>
  getLink?(dev: NetDevice<P>): boolean
  getLinkKsettings?(dev: NetDevice<P>): Partial<EthtoolLinkKsettings>
  setLinkKsettings?(dev: NetDevice<P>, settings: EthtoolLinkKsettings): void
  nwayReset?(dev: NetDevice<P>): void
  getMsglevel?(dev: NetDevice<P>): number
  setMsglevel?(dev: NetDevice<P>, level: number): void
  getWol?(dev: NetDevice<P>): EthtoolWolinfo
  setWol?(dev: NetDevice<P>, wol: EthtoolWolinfo): void

  getRingparam?(dev: NetDevice<P>): Partial<EthtoolRingparam>
  setRingparam?(dev: NetDevice<P>, ring: EthtoolRingparam): void
  getChannels?(dev: NetDevice<P>): Partial<EthtoolChannels>
  setChannels?(dev: NetDevice<P>, channels: EthtoolChannels): void
  getCoalesce?(dev: NetDevice<P>): Partial<EthtoolCoalesce>
  setCoalesce?(dev: NetDevice<P>, coalesce: EthtoolCoalesce): void
  getPauseparam?(dev: NetDevice<P>): EthtoolPauseparam
  setPauseparam?(dev: NetDevice<P>, pause: EthtoolPauseparam): void
  /** A counter the driver does not keep is left out. @rule ETH-14 STAT-10 */
  getPauseStats?(dev: NetDevice<P>): Partial<EthtoolPauseStats>

  /** How many strings a set has; without it their number is counted. */
  getSsetCount?(dev: NetDevice<P>, set: StringSet): number
  /** Names shorter than 32 bytes, always the same ones in the same order. @rule ETH-12 STAT-11 */
  getStrings?(dev: NetDevice<P>, set: StringSet): readonly string[]
  /** One value for each name of the set `'stats'`. @rule ETH-12 */
  getEthtoolStats?(dev: NetDevice<P>): readonly bigint[]
  getEthPhyStats?(dev: NetDevice<P>): Partial<EthtoolPhyStats>
  getEthMacStats?(dev: NetDevice<P>): Partial<EthtoolMacStats>
  getEthCtrlStats?(dev: NetDevice<P>): Partial<EthtoolCtrlStats>
  getRmonStats?(dev: NetDevice<P>): EthtoolRmonStats
  /** One bit for each name of the set `'priv-flags'`. */
  getPrivFlags?(dev: NetDevice<P>): number
  setPrivFlags?(dev: NetDevice<P>, flags: number): void

  getRxRingCount?(dev: NetDevice<P>): number
  getRxfh?(dev: NetDevice<P>): EthtoolRxfh
  /** Only what is to change is there. */
  setRxfh?(dev: NetDevice<P>, change: EthtoolRxfhChange): void
  /** The flow rules in force, for what cannot be removed while they are. @rule ETH-07 */
  getRxnfcRules?(dev: NetDevice<P>): readonly RxnfcRule[]

  getTsInfo?(dev: NetDevice<P>): Partial<EthtoolTsInfo>
  /** Bytes of a register dump; `getRegs` needs it. */
  getRegsLen?(dev: NetDevice<P>): number
  getRegs?(dev: NetDevice<P>): EthtoolRegs
  getEepromLen?(dev: NetDevice<P>): number
  getEeprom?(dev: NetDevice<P>, offset: number, length: number): Uint8Array
  /** One number for each name of the set `'test'`, 0 for passed. */
  selfTest?(dev: NetDevice<P>, flags: SelfTestFlags): SelfTestResult
  /** Makes the card recognizable: returns how often a second to switch, or 0 when the card blinks by itself. */
  setPhysId?(dev: NetDevice<P>, state: 'active' | 'on' | 'off' | 'inactive'): number
  /** Resets the parts named by the bits; returns those it did not reset. */
  reset?(dev: NetDevice<P>, flags: number): number
}

/**
 * Gives a device its ethtool table. Do it before `registerNetdev`.
 *
 * @throws Errno EINVAL when the table has `setCoalesce` and does not say which parameters it understands
 * @kernel ethtool_check_ops() net/ethtool/common.c
 * @rule ETH-08
 */
export function setEthtoolOps<P>(dev: NetDevice<P>, ops: EthtoolOps<P>): void {
  if (
    ops.setCoalesce !== undefined &&
    !(ops.supportedCoalesceParams && ops.supportedCoalesceParams.size > 0)
  ) {
    throw new Errno('EINVAL', 'ETH-08: setCoalesce needs supportedCoalesceParams')
  }
  dev.ethtoolOps = ops
}

const NO_OPS: EthtoolOps<any> = {}

/**
 * The device's table; an empty one when nobody gave it any.
 *
 * @kernel default_ethtool_ops net/core/dev.c
 * @rule ETH-01
 */
export function ethtoolOps<P>(dev: NetDevice<P>): EthtoolOps<P> {
  return (dev.ethtoolOps as EthtoolOps<P> | null | undefined) ?? NO_OPS
}
