import {
  LINK_MODE_NAMES,
  ethtoolGetDrvinfo,
  ethtoolGetEeprom,
  ethtoolGetLink,
  ethtoolGetLinkKsettings,
  ethtoolGetMsglevel,
  ethtoolGetPermAddr,
  ethtoolGetPrivFlags,
  ethtoolGetRegs,
  ethtoolGetTsInfo,
  ethtoolGetWol,
  ethtoolNwayReset,
  ethtoolPhysId,
  ethtoolReset,
  ethtoolSetLinkinfo,
  ethtoolSetLinkmodes,
  ethtoolSetMsglevel,
  ethtoolSetPrivFlags,
  ethtoolSetWol,
} from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import type { EthtoolCall, EthtoolIoctl } from './call.ts'
import { EthtoolCmd } from './ethtool-cmd.ts'
import { UserStruct, userStruct } from './memory.ts'

const DRVINFO_LEN = 196

/** @kernel ethtool_get_drvinfo() net/ethtool/ioctl.c */
function getDrvinfo(call: EthtoolCall): void {
  const info = ethtoolGetDrvinfo(call.dev)
  const out = userStruct(DRVINFO_LEN)
  out.setU32(0, call.cmd)
  out.setText(4, 32, info.driver)
  out.setText(36, 32, info.version)
  out.setText(68, 32, info.fwVersion)
  out.setText(100, 32, info.busInfo)
  out.setText(132, 32, info.eromVersion)
  out.setU32(176, info.nPrivFlags)
  out.setU32(180, info.nStats)
  out.setU32(184, info.testinfoLen)
  out.setU32(188, info.eedumpLen)
  out.setU32(192, info.regdumpLen)
  call.write(out)
}

/** @kernel ethtool_get_regs() net/ethtool/ioctl.c */
function getRegs(call: EthtoolCall): void {
  const head = call.read(12)
  const { version, data } = ethtoolGetRegs(call.dev)
  const length = Math.min(head.u32(8), data.length)
  head.setU32(4, version)
  head.setU32(8, length)
  call.write(head)
  call.write(data.subarray(0, length), 12)
}

/** @kernel ethtool_get_eeprom() net/ethtool/ioctl.c */
function getEeprom(call: EthtoolCall): void {
  const head = call.read(16)
  const data = ethtoolGetEeprom(call.dev, head.u32(8), head.u32(12))
  call.write(head)
  call.write(data, 16)
}

const WOLINFO_LEN = 20

function getWol(call: EthtoolCall): void {
  const wol = ethtoolGetWol(call.dev)
  const out = userStruct(WOLINFO_LEN)
  out.setU32(0, call.cmd)
  out.setU32(4, wol.supported)
  out.setU32(8, wol.wolopts)
  if (wol.sopass !== undefined) out.bytes.set(wol.sopass.subarray(0, 6), 12)
  call.write(out)
}

const WAKE_MAGICSECURE = 64
const WAKE_BITS = 8

function setWol(call: EthtoolCall): void {
  const asked = call.read(WOLINFO_LEN)
  const wolopts = asked.u32(8)
  if (wolopts >>> WAKE_BITS !== 0) throw new Errno('EINVAL')
  const secure = (wolopts & WAKE_MAGICSECURE) !== 0
  ethtoolSetWol(call.dev, {
    modes: { value: BigInt(wolopts) },
    sopass: secure ? asked.bytes.slice(12, 18) : undefined,
  })
}

function getPrivFlags(call: EthtoolCall): void {
  let bits = 0
  for (const [i, flag] of ethtoolGetPrivFlags(call.dev).entries()) if (flag.value) bits |= 1 << i
  call.value(bits)
}

function getPermAddr(call: EthtoolCall): void {
  const head = call.read(8)
  const addr = ethtoolGetPermAddr(call.dev) ?? new Uint8Array(call.dev.addrLen)
  if (head.u32(4) < addr.length) throw new Errno('EINVAL')
  head.setU32(4, addr.length)
  call.write(head)
  call.write(addr, 8)
}

/** @kernel ethtool_get_ts_info() net/ethtool/ioctl.c */
function getTsInfo(call: EthtoolCall): void {
  const info = ethtoolGetTsInfo(call.dev)
  const out = userStruct(44)
  out.setU32(0, call.cmd)
  out.setU32(4, info.soTimestamping)
  out.setU32(8, info.phcIndex)
  out.setU32(12, info.txTypes)
  out.setU32(28, info.rxFilters)
  call.write(out)
}

const SETTINGS_LEN = 48
const MASK_WORDS = Math.ceil(LINK_MODE_NAMES.length / 32)

/**
 * A program first asks with the wrong number of words, and learns the right one as a negative number.
 *
 * @kernel ethtool_get_link_ksettings() net/ethtool/ioctl.c
 */
function getLinkSettings(call: EthtoolCall): void {
  const asked = call.read(SETTINGS_LEN)
  const link = ethtoolGetLinkKsettings(call.dev)
  const out = userStruct(SETTINGS_LEN)
  out.setU32(0, call.cmd)
  if (asked.view.getInt8(15) !== MASK_WORDS) {
    out.view.setInt8(15, -MASK_WORDS)
    call.write(out)
    return
  }
  out.setU32(4, link.speed)
  out.bytes.set([link.duplex, link.port, link.phyAddress, link.autoneg ? 1 : 0], 8)
  out.bytes.set([link.ethTpMdix, link.ethTpMdixCtrl, MASK_WORDS, link.transceiver], 13)
  out.bytes.set([link.masterSlaveCfg, link.masterSlaveState], 17)
  call.write(out)
  for (const [i, mask] of [link.supported, link.advertising, link.lpAdvertising].entries()) {
    call.write(maskBytes(mask), SETTINGS_LEN + i * MASK_WORDS * 4)
  }
}

function maskBytes(mask: bigint): Uint8Array {
  const out = new UserStruct(new Uint8Array(MASK_WORDS * 4))
  for (let i = 0; i < MASK_WORDS; i++) out.setU32(i * 4, Number((mask >> BigInt(i * 32)) & 0xffffffffn))
  return out.bytes
}

/** @kernel ethtool_set_link_ksettings() net/ethtool/ioctl.c */
function setLinkSettings(call: EthtoolCall): void {
  const asked = call.read(SETTINGS_LEN)
  if (asked.view.getInt8(15) !== MASK_WORDS) throw new Errno('EINVAL')
  const words = call.read(MASK_WORDS * 4, SETTINGS_LEN + MASK_WORDS * 4)
  let advertising = 0n
  for (let i = MASK_WORDS - 1; i >= 0; i--) advertising = (advertising << 32n) | BigInt(words.u32(i * 4))
  const { bytes } = asked
  ethtoolSetLinkmodes(call.dev, {
    speed: asked.u32(4),
    duplex: bytes[8],
    autoneg: bytes[11] !== 0,
    advertising: { value: advertising },
    masterSlaveCfg: bytes[17] === 0 ? undefined : bytes[17],
  })
  ethtoolSetLinkinfo(call.dev, { port: bytes[9], phyAddress: bytes[10], ethTpMdixCtrl: bytes[14] })
}

/** Nobody can interrupt a wait here, so a wait for ever, or nearly, is as if somebody had. */
const LONGEST_BLINK = 60

function physId(call: EthtoolCall): void {
  const seconds = call.data()
  if (seconds === 0 || seconds > LONGEST_BLINK) throw new Errno('EINTR')
  ethtoolPhysId(call.dev, seconds)
}

/** The card itself. */
export const CARD_IOCTLS: readonly (readonly [number, EthtoolIoctl])[] = [
  [EthtoolCmd.GDRVINFO, getDrvinfo],
  [EthtoolCmd.GREGS, getRegs],
  [EthtoolCmd.GEEPROM, getEeprom],
  [EthtoolCmd.GWOL, getWol],
  [EthtoolCmd.SWOL, setWol],
  [EthtoolCmd.GMSGLVL, (call) => call.value(ethtoolGetMsglevel(call.dev))],
  [EthtoolCmd.SMSGLVL, (call) => void ethtoolSetMsglevel(call.dev, call.data())],
  [EthtoolCmd.NWAY_RST, (call) => ethtoolNwayReset(call.dev)],
  [EthtoolCmd.GLINK, (call) => call.value(ethtoolGetLink(call.dev) ? 1 : 0)],
  [EthtoolCmd.GPFLAGS, getPrivFlags],
  [EthtoolCmd.SPFLAGS, (call) => void ethtoolSetPrivFlags(call.dev, { value: BigInt(call.data()) })],
  [EthtoolCmd.GPERMADDR, getPermAddr],
  [EthtoolCmd.GET_TS_INFO, getTsInfo],
  [EthtoolCmd.GLINKSETTINGS, getLinkSettings],
  [EthtoolCmd.SLINKSETTINGS, setLinkSettings],
  [EthtoolCmd.PHYS_ID, physId],
  [EthtoolCmd.RESET, (call) => call.value(ethtoolReset(call.dev, call.data()))],
]
