import {
  LINK_MODE_NAMES,
  MSG_CLASSES,
  WOL_MODES,
  Wake,
  ethtoolGetLink,
  ethtoolGetLinkKsettings,
  ethtoolGetMsglevel,
  ethtoolGetWol,
  ethtoolSetLinkinfo,
  ethtoolSetLinkmodes,
  ethtoolSetMsglevel,
  ethtoolSetWol,
} from '@vnet/ethtool'
import type { EthtoolLinkKsettings, EthtoolWolinfo } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import { bitsetChange, ethnlPutBitset } from './bitset.ts'
import { attr } from './command.ts'
import type { EthnlGet, EthnlSet } from './command.ts'
import { EthMsg, EthReply } from './constants.ts'

const Info = { PORT: 2, PHYADDR: 3, TP_MDIX: 4, TP_MDIX_CTRL: 5, TRANSCEIVER: 6 } as const
const Modes = {
  AUTONEG: 2,
  OURS: 3,
  PEER: 4,
  SPEED: 5,
  DUPLEX: 6,
  MASTER_SLAVE_CFG: 7,
  MASTER_SLAVE_STATE: 8,
  LANES: 9,
} as const

/** The plug. @kernel ethnl_linkinfo_request_ops net/ethtool/linkinfo.c */
export const linkinfoGet: EthnlGet<EthtoolLinkKsettings> = {
  cmd: EthMsg.LINKINFO_GET,
  reply: EthReply.LINKINFO,
  prepare: (dev) => ethtoolGetLinkKsettings(dev),
  fill(w, link) {
    w.putU8(Info.PORT, link.port)
    w.putU8(Info.PHYADDR, link.phyAddress)
    w.putU8(Info.TP_MDIX, link.ethTpMdix)
    w.putU8(Info.TP_MDIX_CTRL, link.ethTpMdixCtrl)
    w.putU8(Info.TRANSCEIVER, link.transceiver)
  },
}

/** @kernel ethnl_set_linkinfo() net/ethtool/linkinfo.c */
export const linkinfoSet: EthnlSet = {
  cmd: EthMsg.LINKINFO_SET,
  attrs: {
    [Info.PORT]: attr('port', 'u8'),
    [Info.PHYADDR]: attr('phyaddr', 'u8'),
    [Info.TP_MDIX_CTRL]: attr('tp-mdix-ctrl', 'u8'),
  },
  set(dev, tb) {
    ethtoolSetLinkinfo(dev, {
      port: tb.number(Info.PORT),
      phyAddress: tb.number(Info.PHYADDR),
      ethTpMdixCtrl: tb.number(Info.TP_MDIX_CTRL),
    })
  },
}

/** Speed, duplex, what is offered and what the other end offers. @kernel ethnl_linkmodes_request_ops net/ethtool/linkmodes.c */
export const linkmodesGet: EthnlGet<EthtoolLinkKsettings> = {
  cmd: EthMsg.LINKMODES_GET,
  reply: EthReply.LINKMODES,
  prepare: (dev) => ethtoolGetLinkKsettings(dev),
  fill(w, link, { compact }) {
    const set = { size: LINK_MODE_NAMES.length, names: LINK_MODE_NAMES }
    w.putU8(Modes.AUTONEG, link.autoneg ? 1 : 0)
    ethnlPutBitset(w, Modes.OURS, { ...set, value: link.advertising, mask: link.supported }, compact)
    if (link.lpAdvertising !== 0n) {
      ethnlPutBitset(w, Modes.PEER, { ...set, value: link.lpAdvertising }, compact)
    }
    w.putU32(Modes.SPEED, link.speed)
    w.putU8(Modes.DUPLEX, link.duplex)
    if (link.lanes !== 0) w.putU32(Modes.LANES, link.lanes)
    if (link.masterSlaveCfg !== 0) w.putU8(Modes.MASTER_SLAVE_CFG, link.masterSlaveCfg)
    if (link.masterSlaveState !== 0) w.putU8(Modes.MASTER_SLAVE_STATE, link.masterSlaveState)
  },
}

/** @kernel ethnl_set_linkmodes() net/ethtool/linkmodes.c */
export const linkmodesSet: EthnlSet = {
  cmd: EthMsg.LINKMODES_SET,
  attrs: {
    [Modes.AUTONEG]: attr('autoneg', 'u8'),
    [Modes.OURS]: attr('ours', 'nested'),
    [Modes.SPEED]: attr('speed', 'u32'),
    [Modes.DUPLEX]: attr('duplex', 'u8'),
    [Modes.MASTER_SLAVE_CFG]: attr('master-slave-cfg', 'u8'),
    [Modes.LANES]: attr('lanes', 'u32', { min: 1, max: 8 }),
  },
  set(dev, tb) {
    ethtoolSetLinkmodes(dev, {
      autoneg: tb.bool(Modes.AUTONEG),
      advertising: bitsetChange(tb, Modes.OURS, LINK_MODE_NAMES),
      speed: tb.number(Modes.SPEED),
      duplex: tb.number(Modes.DUPLEX),
      masterSlaveCfg: tb.number(Modes.MASTER_SLAVE_CFG),
      lanes: tb.number(Modes.LANES),
    })
  },
}

const LINKSTATE_LINK = 2

/** Whether there is a link; a driver that does not tell leaves it out. @kernel ethnl_linkstate_request_ops net/ethtool/linkstate.c */
export const linkstateGet: EthnlGet<boolean | null> = {
  cmd: EthMsg.LINKSTATE_GET,
  reply: EthReply.LINKSTATE,
  prepare(dev) {
    try {
      return ethtoolGetLink(dev)
    } catch (error) {
      if (error instanceof Errno && error.code === 'EOPNOTSUPP') return null
      throw error
    }
  },
  fill(w, link) {
    if (link !== null) w.putU8(LINKSTATE_LINK, link ? 1 : 0)
  },
}

const DEBUG_MSGMASK = 2

/** Which messages the driver logs. @kernel ethnl_debug_request_ops net/ethtool/debug.c */
export const debugGet: EthnlGet<number> = {
  cmd: EthMsg.DEBUG_GET,
  reply: EthReply.DEBUG,
  prepare: (dev) => ethtoolGetMsglevel(dev),
  fill(w, level, { compact }) {
    const set = { value: BigInt(level), size: MSG_CLASSES.length, names: MSG_CLASSES }
    ethnlPutBitset(w, DEBUG_MSGMASK, set, compact)
  },
}

/** @kernel ethnl_set_debug() net/ethtool/debug.c */
export const debugSet: EthnlSet = {
  cmd: EthMsg.DEBUG_SET,
  attrs: { [DEBUG_MSGMASK]: attr('msgmask', 'nested') },
  set(dev, tb) {
    const change = bitsetChange(tb, DEBUG_MSGMASK, MSG_CLASSES)
    ethtoolSetMsglevel(dev, change ?? { value: 0n, mask: 0n })
  },
}

const Wol = { MODES: 2, SOPASS: 3 } as const

/** What wakes the machine; it has a password in it, so not everyone may ask. @kernel ethnl_wol_request_ops net/ethtool/wol.c */
export const wolGet: EthnlGet<EthtoolWolinfo> = {
  cmd: EthMsg.WOL_GET,
  reply: EthReply.WOL,
  admin: true,
  prepare: (dev) => ethtoolGetWol(dev),
  fill(w, wol, { compact, attrs }) {
    const set = { size: WOL_MODES.length, names: WOL_MODES }
    const bits = { ...set, value: BigInt(wol.wolopts), mask: BigInt(wol.supported) }
    ethnlPutBitset(w, Wol.MODES, bits, compact)
    // A notice goes to everyone: no password in it.
    if (attrs !== null && (wol.supported & Wake.MAGICSECURE) !== 0) {
      w.putBinary(Wol.SOPASS, wol.sopass ?? new Uint8Array(6))
    }
  },
}

/** @kernel ethnl_set_wol() net/ethtool/wol.c */
export const wolSet: EthnlSet = {
  cmd: EthMsg.WOL_SET,
  attrs: {
    [Wol.MODES]: attr('modes', 'nested'),
    [Wol.SOPASS]: attr('sopass', 'binary', { minLength: 6, maxLength: 6 }),
  },
  set(dev, tb) {
    ethtoolSetWol(dev, {
      modes: bitsetChange(tb, Wol.MODES, WOL_MODES),
      sopass: tb.binary(Wol.SOPASS),
    })
  },
}
