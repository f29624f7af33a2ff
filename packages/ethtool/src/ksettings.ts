import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { ethnlUpdateBitset } from './bitset.ts'
import type { BitsetChange } from './bitset.ts'
import { ethnlOps, requireOps, unsupported } from './core.ts'
import type { OpsWith } from './core.ts'
import { LINK_MODE_NAMES, LINK_MODES } from './link-modes.ts'
import { ethtoolNotify } from './notify.ts'
import type { EthtoolNoticeCmd } from './notify.ts'
import { ethtoolOps } from './ops.ts'
import { ethnlUpdate } from './update.ts'

/** A speed nobody knows. @kernel SPEED_UNKNOWN include/uapi/linux/ethtool.h */
export const SPEED_UNKNOWN = 0xffffffff

/** Duplex. @kernel DUPLEX_FULL include/uapi/linux/ethtool.h */
export const Duplex = { HALF: 0, FULL: 1, UNKNOWN: 0xff } as const

/** The plug. @kernel PORT_TP include/uapi/linux/ethtool.h */
export const Port = { TP: 0, AUI: 1, MII: 2, FIBRE: 3, BNC: 4, DA: 5, NONE: 0xef, OTHER: 0xff } as const

/** Crossing of the pairs of a copper cable. @kernel ETH_TP_MDI include/uapi/linux/ethtool.h */
export const EthTpMdi = { INVALID: 0, MDI: 1, MDI_X: 2, AUTO: 3 } as const

/**
 * What a link is and what it could be. A virtual card has no modes and says so by leaving them out.
 *
 * @kernel struct ethtool_link_ksettings include/linux/ethtool.h
 */
export interface EthtoolLinkKsettings {
  /** Mb/s, or {@link SPEED_UNKNOWN}. */
  readonly speed: number
  readonly duplex: number
  readonly port: number
  readonly phyAddress: number
  readonly autoneg: boolean
  /** 0 internal, 1 external. */
  readonly transceiver: number
  readonly ethTpMdix: number
  readonly ethTpMdixCtrl: number
  /** 0: not a link with master and slave. */
  readonly masterSlaveCfg: number
  readonly masterSlaveState: number
  /** 0: not told. */
  readonly lanes: number
  /** Bits of `LINK_MODES`. */
  readonly supported: bigint
  readonly advertising: bigint
  readonly lpAdvertising: bigint
}

/** What can be asked about the modes of a link; what is not mentioned stays. */
export interface EthtoolLinkmodesChange {
  readonly autoneg?: boolean | undefined
  readonly advertising?: BitsetChange | undefined
  readonly speed?: number | undefined
  readonly duplex?: number | undefined
  readonly masterSlaveCfg?: number | undefined
  readonly lanes?: number | undefined
}

/** What can be asked about the plug of a link; what is not mentioned stays. */
export type EthtoolLinkinfoChange = {
  readonly [K in 'port' | 'phyAddress' | 'ethTpMdixCtrl']?: number | undefined
}

const EMPTY: EthtoolLinkKsettings = {
  speed: 0,
  duplex: Duplex.HALF,
  port: Port.TP,
  phyAddress: 0,
  autoneg: false,
  transceiver: 0,
  ethTpMdix: EthTpMdi.INVALID,
  ethTpMdixCtrl: EthTpMdi.INVALID,
  masterSlaveCfg: 0,
  masterSlaveState: 0,
  lanes: 0,
  supported: 0n,
  advertising: 0n,
  lpAdvertising: 0n,
}

/** The settable fields of the link's modes. @kernel ETHTOOL_A_LINKMODES_AUTONEG include/uapi/linux/ethtool_netlink.h */
export const LINKMODE_ATTRS = {
  autoneg: 'autoneg',
  speed: 'speed',
  lanes: 'lanes',
  duplex: 'duplex',
  masterSlaveCfg: 'master-slave-cfg',
} as const

/** The settable fields of the link's plug. @kernel ETHTOOL_A_LINKINFO_PORT include/uapi/linux/ethtool_netlink.h */
export const LINKINFO_ATTRS = { port: 'port', phyAddress: 'phyaddr', ethTpMdixCtrl: 'tp-mdix-ctrl' } as const

/**
 * Reads what a link is and what it could be.
 *
 * @throws Errno EOPNOTSUPP with a sentence when the driver does not tell; ENODEV; whatever the driver throws
 * @kernel linkmodes_prepare_data() net/ethtool/linkmodes.c
 * @rule ETH-01
 */
export function ethtoolGetLinkKsettings(dev: NetDevice<any>): EthtoolLinkKsettings {
  return ethnlOps(dev, () => read(dev))
}

function read(dev: NetDevice<any>): EthtoolLinkKsettings {
  const message = 'failed to retrieve link settings'
  const ops = ethtoolOps(dev)
  if (ops.getLinkKsettings === undefined) throw unsupported(message)
  try {
    return { ...EMPTY, ...ops.getLinkKsettings(dev) }
  } catch (error) {
    throw error instanceof Errno ? new Errno(error.code, message) : error
  }
}

/**
 * Changes speed, duplex, autonegotiation or what is offered to the other end.
 *
 * With autonegotiation on, asking for a speed or a duplex offers all supported modes that fit.
 *
 * @returns true when something changed; then one `linkmodes-ntf` was sent
 * @throws Errno EOPNOTSUPP, EINVAL; what the driver throws, with the sentence "link settings update failed"
 * @kernel ethnl_set_linkmodes() net/ethtool/linkmodes.c
 * @rule ETH-02 ETH-03
 */
export function ethtoolSetLinkmodes(dev: NetDevice<any>, change: EthtoolLinkmodesChange): boolean {
  checkLinkmodes(change)
  const ops = requireOps(dev, 'getLinkKsettings', 'setLinkKsettings')
  return ethnlOps(dev, () => {
    const before = read(dev)
    return apply(dev, ops, mergeLinkmodes(dev, before, change), before, 'linkmodes-ntf')
  })
}

function checkLinkmodes(change: EthtoolLinkmodesChange): void {
  const { masterSlaveCfg, lanes } = change
  if (masterSlaveCfg !== undefined && (masterSlaveCfg < 2 || masterSlaveCfg > 5)) {
    throw unsupported('master/slave value is invalid', LINKMODE_ATTRS.masterSlaveCfg)
  }
  if (lanes === undefined) return
  if (lanes < 1 || lanes > 8) throw new Errno('ERANGE', 'integer out of range', 'lanes')
  if ((lanes & (lanes - 1)) !== 0) throw new Errno('EINVAL', 'lanes value is invalid', 'lanes')
}

function mergeLinkmodes(
  dev: NetDevice<any>,
  before: EthtoolLinkKsettings,
  change: EthtoolLinkmodesChange,
): EthtoolLinkKsettings {
  if (change.masterSlaveCfg !== undefined && before.masterSlaveCfg === 0) {
    throw unsupported('master/slave configuration not supported by device', LINKMODE_ATTRS.masterSlaveCfg)
  }
  const { advertising, ...scalars } = change
  const next = ethnlUpdate(before, scalars, LINKMODE_ATTRS) ?? before
  if (change.lanes !== undefined && !next.autoneg && ethtoolOps(dev).capLinkLanesSupported !== true) {
    throw unsupported('lanes configuration not supported by device', 'lanes')
  }
  const lanes = change.lanes === undefined && !next.autoneg ? 0 : next.lanes
  if (advertising !== undefined) {
    const bits = ethnlUpdateBitset(before.advertising, LINK_MODE_NAMES, advertising, 'ours')
    return { ...next, lanes, advertising: bits }
  }
  const asked = change.speed !== undefined || change.lanes !== undefined || change.duplex !== undefined
  return { ...next, lanes, advertising: next.autoneg && asked ? fitting(next, change) : before.advertising }
}

/** All supported real modes that fit what was asked for; what is no real mode stays. */
function fitting(next: EthtoolLinkKsettings, change: EthtoolLinkmodesChange): bigint {
  let bits = next.advertising
  for (const [index, mode] of LINK_MODES.entries()) {
    if (mode.kind !== 'real') continue
    const bit = 1n << BigInt(index)
    const fits =
      (next.supported & bit) !== 0n &&
      (change.speed === undefined || mode.speed === next.speed) &&
      (change.lanes === undefined || mode.lanes === next.lanes) &&
      (change.duplex === undefined || (mode.duplex === 'full' ? Duplex.FULL : Duplex.HALF) === next.duplex)
    bits = fits ? bits | bit : bits & ~bit
  }
  return bits
}

/**
 * Changes the plug, the address of the PHY or the crossing of the pairs.
 *
 * @returns true when something changed; then one `linkinfo-ntf` was sent
 * @throws Errno EOPNOTSUPP; what the driver throws, with the sentence "link settings update failed"
 * @kernel ethnl_set_linkinfo() net/ethtool/linkinfo.c
 * @rule ETH-02 ETH-03
 */
export function ethtoolSetLinkinfo(dev: NetDevice<any>, change: EthtoolLinkinfoChange): boolean {
  const ops = requireOps(dev, 'getLinkKsettings', 'setLinkKsettings')
  return ethnlOps(dev, () => {
    const before = read(dev)
    return apply(dev, ops, ethnlUpdate(before, change, LINKINFO_ATTRS) ?? before, before, 'linkinfo-ntf')
  })
}

const SETTABLE = [
  'speed',
  'duplex',
  'autoneg',
  'masterSlaveCfg',
  'advertising',
  'port',
  'phyAddress',
  'ethTpMdixCtrl',
] as const

function apply(
  dev: NetDevice<any>,
  ops: OpsWith<'setLinkKsettings'>,
  next: EthtoolLinkKsettings,
  before: EthtoolLinkKsettings,
  cmd: EthtoolNoticeCmd,
): boolean {
  const lanesAsked = next.lanes !== before.lanes && next.lanes !== 0
  if (!lanesAsked && SETTABLE.every((key) => next[key] === before[key])) return false
  try {
    ops.setLinkKsettings(dev, next)
  } catch (error) {
    throw error instanceof Errno ? new Errno(error.code, 'link settings update failed') : error
  }
  ethtoolNotify(dev, cmd)
  return true
}
