import { formatSettings } from '@vnet/ethtool'
import type { EthtoolLinkKsettings, EthtoolSettings } from '@vnet/ethtool'
import { EthMsg } from '@vnet/netlink'
import type { AttrMap } from '../nl/attrs.ts'
import { NlFailure } from '../nl/failure.ts'
import type { Syscalls } from '../proc/process.ts'
import { parseBits } from './bits.ts'
import type { EthtoolRun } from './context.ts'

const EOPNOTSUPP = -95

/** Attributes of LINKMODES and LINKINFO. @kernel ETHTOOL_A_LINKMODES_AUTONEG include/uapi/linux/ethtool_netlink.h */
export const Linkmodes = {
  AUTONEG: 2,
  OURS: 3,
  PEER: 4,
  SPEED: 5,
  DUPLEX: 6,
  MS_CFG: 7,
  MS_STATE: 8,
  LANES: 9,
} as const
export const Linkinfo = { PORT: 2, PHYADDR: 3, TP_MDIX: 4, TP_MDIX_CTRL: 5, TRANSCEIVER: 6 } as const

const NONE: EthtoolLinkKsettings = {
  speed: 0,
  duplex: 0,
  port: 0,
  phyAddress: 0,
  autoneg: false,
  transceiver: 0,
  ethTpMdix: 0,
  ethTpMdixCtrl: 0,
  masterSlaveCfg: 0,
  masterSlaveState: 0,
  lanes: 0,
  supported: 0n,
  advertising: 0n,
  lpAdvertising: 0n,
}

/** What LINKMODES_GET answers. */
export function parseLinkmodes(tb: AttrMap): EthtoolLinkKsettings {
  const ours = parseBits(tb, Linkmodes.OURS)
  return {
    ...NONE,
    autoneg: (tb.u8(Linkmodes.AUTONEG) ?? 0) !== 0,
    speed: tb.u32(Linkmodes.SPEED) ?? 0,
    duplex: tb.u8(Linkmodes.DUPLEX) ?? 0xff,
    masterSlaveCfg: tb.u8(Linkmodes.MS_CFG) ?? 0,
    masterSlaveState: tb.u8(Linkmodes.MS_STATE) ?? 0,
    lanes: tb.u32(Linkmodes.LANES) ?? 0,
    supported: ours?.mask ?? 0n,
    advertising: ours?.value ?? 0n,
    lpAdvertising: parseBits(tb, Linkmodes.PEER)?.value ?? 0n,
  }
}

function parseLinkinfo(tb: AttrMap): EthtoolLinkKsettings {
  return {
    ...NONE,
    port: tb.u8(Linkinfo.PORT) ?? 0xff,
    phyAddress: tb.u8(Linkinfo.PHYADDR) ?? 0,
    ethTpMdix: tb.u8(Linkinfo.TP_MDIX) ?? 0,
    ethTpMdixCtrl: tb.u8(Linkinfo.TP_MDIX_CTRL) ?? 0,
    transceiver: tb.u8(Linkinfo.TRANSCEIVER) ?? 0,
  }
}

function parseWol(tb: AttrMap): EthtoolSettings['wol'] {
  const modes = parseBits(tb, 2)
  const sopass = tb.binary(3)
  return {
    supported: Number((modes?.mask ?? 0n) & 0xffn),
    wolopts: Number((modes?.value ?? 0n) & 0xffn),
    ...(sopass === undefined ? {} : { sopass }),
  }
}

/** `ethtool DEV`: five requests; what a device does not offer is passed over in silence. @kernel none */
export function* showSettings(run: EthtoolRun): Syscalls<number> {
  const linkmodes = yield* quietly(run, EthMsg.LINKMODES_GET)
  const linkinfo = yield* quietly(run, EthMsg.LINKINFO_GET)
  const wol = yield* quietly(run, EthMsg.WOL_GET)
  const debug = yield* quietly(run, EthMsg.DEBUG_GET)
  const state = yield* quietly(run, EthMsg.LINKSTATE_GET)
  const link = state?.u8(2)
  const text = formatSettings(run.devname, {
    linkmodes: linkmodes === null ? undefined : parseLinkmodes(linkmodes),
    linkinfo: linkinfo === null ? undefined : parseLinkinfo(linkinfo),
    wol: wol === null ? undefined : parseWol(wol),
    msglevel: debug === null ? undefined : Number((parseBits(debug, 2)?.value ?? 0n) & 0xffffffffn),
    link: link === undefined ? undefined : link !== 0,
  })
  run.out(text === '' ? 'No data available\n' : text)
  return text === '' ? 75 : 0
}

function* quietly(run: EthtoolRun, cmd: number): Syscalls<AttrMap | null> {
  try {
    const genl = yield* run.genl()
    return yield* genl.ask({ cmd, dev: run.devname })
  } catch (error) {
    if (!(error instanceof NlFailure) || error.errno !== EOPNOTSUPP) run.netlinkError(error)
    return null
  }
}
