import type { BitsetChange } from '../bitset.ts'
import { ethtoolGetMsglevel, ethtoolSetMsglevel } from '../debug.ts'
import { formatSettings, WOL_LETTERS } from '../format/settings.ts'
import type { EthtoolSettings } from '../format/settings.ts'
import {
  Duplex,
  ethtoolGetLinkKsettings,
  ethtoolSetLinkinfo,
  ethtoolSetLinkmodes,
  EthTpMdi,
  LINKINFO_ATTRS,
  LINKMODE_ATTRS,
  Port,
} from '../ksettings.ts'
import type { EthtoolLinkinfoChange, EthtoolLinkmodesChange } from '../ksettings.ts'
import { LINK_MODES } from '../link-modes.ts'
import { ethtoolGetLink } from '../link.ts'
import { ethtoolGetWol, ethtoolSetWol, WOL_MODES } from '../wol.ts'
import type { EthtoolWolChange } from '../wol.ts'
import { asErrno } from './context.ts'
import type { Cli } from './context.ts'
import { RequestLayout } from './layout.ts'
import { bitset, bool, bytes6, letterBits, oneOf, parseParams, u32, u8 } from './parser.ts'
import type { ArgReader, Param } from './parser.ts'

/** `ethtool DEV`: five requests; what a device does not offer is passed over in silence. @kernel none */
export function showSettings(cli: Cli): number {
  const settings: EthtoolSettings = {
    linkmodes: quietly(cli, () => ethtoolGetLinkKsettings(cli.netlinkDev())),
    linkinfo: quietly(cli, () => ethtoolGetLinkKsettings(cli.netlinkDev())),
    wol: quietly(cli, () => {
      cli.needAdmin()
      return ethtoolGetWol(cli.netlinkDev())
    }),
    msglevel: quietly(cli, () => ethtoolGetMsglevel(cli.netlinkDev())),
    link: quietly(cli, () => ethtoolGetLink(cli.netlinkDev())),
  }
  const text = formatSettings(cli.devname, settings)
  cli.out(text === '' ? 'No data available\n' : text)
  return text === '' ? 75 : 0
}

function quietly<T>(cli: Cli, get: () => T): T | undefined {
  try {
    return get()
  } catch (error) {
    const errno = asErrno(error)
    if (errno.code !== 'EOPNOTSUPP') cli.netlinkError(errno)
    return undefined
  }
}

type Group = 'linkinfo' | 'linkmodes' | 'wol' | 'debug'

const PORTS = { tp: Port.TP, aui: Port.AUI, mii: Port.MII, fibre: Port.FIBRE, bnc: Port.BNC, da: Port.DA }
const MDIX = { auto: EthTpMdi.AUTO, on: EthTpMdi.MDI_X, off: EthTpMdi.MDI }
const DUPLEX = { half: Duplex.HALF, full: Duplex.FULL }
const MASTER_SLAVE = { 'preferred-master': 2, 'preferred-slave': 3, 'forced-master': 4, 'forced-slave': 5 }

function param(group: Group, word: string, key: string, attr: string, read: Param['read']): Param<Group> {
  return { group, word, key, attr, read }
}

const PARAMS: readonly Param<Group>[] = [
  param('linkinfo', 'port', 'port', LINKINFO_ATTRS.port, oneOf(PORTS)),
  param('linkinfo', 'mdix', 'ethTpMdixCtrl', LINKINFO_ATTRS.ethTpMdixCtrl, oneOf(MDIX)),
  param('linkinfo', 'phyad', 'phyAddress', LINKINFO_ATTRS.phyAddress, u8),
  param('linkinfo', 'xcvr', 'xcvr', 'xcvr', deprecated),
  param('linkmodes', 'autoneg', 'autoneg', LINKMODE_ATTRS.autoneg, bool),
  param('linkmodes', 'advertise', 'advertising', 'ours', bitset({ forceHex: true })),
  param('linkmodes', 'speed', 'speed', LINKMODE_ATTRS.speed, u32),
  param('linkmodes', 'lanes', 'lanes', LINKMODE_ATTRS.lanes, u32),
  param('linkmodes', 'duplex', 'duplex', LINKMODE_ATTRS.duplex, oneOf(DUPLEX)),
  param('linkmodes', 'master-slave', 'masterSlaveCfg', LINKMODE_ATTRS.masterSlaveCfg, oneOf(MASTER_SLAVE)),
  param('wol', 'wol', 'modes', 'modes', letterBits(WOL_LETTERS, WOL_MODES, 'd')),
  param('wol', 'sopass', 'sopass', 'sopass', bytes6),
  param('debug', 'msglvl', 'msgmask', 'msgmask', bitset({ forceHex: false })),
]

function deprecated(reader: ArgReader): never {
  return reader.fail(`deprecated parameter '${reader.param}' not supported by kernel`)
}

/** `ethtool -s`: up to four requests, in the kernel's order; the first refusal ends it. @kernel none */
export function changeSettings(cli: Cli): number {
  const layouts = new Map<Group, RequestLayout>()
  const parsed = parseParams(cli, '-s', PARAMS, (group) => {
    const layout = layouts.get(group) ?? new RequestLayout(cli.devname)
    layouts.set(group, layout)
    return layout
  })
  for (const group of ['linkinfo', 'linkmodes', 'wol', 'debug'] as const) {
    const change = parsed.get(group)
    if (change === undefined) continue
    const code = cli.netlink(75, () => apply(cli, group, change), layouts.get(group))
    if (code !== 0) return code
  }
  return 0
}

function apply(cli: Cli, group: Group, change: Readonly<Record<string, unknown>>): void {
  const full: Readonly<Record<string, unknown>> =
    group === 'linkmodes' ? { ...advertiseAll(cli, change) } : change
  cli.needAdmin()
  const dev = cli.netlinkDev()
  if (group === 'linkinfo') ethtoolSetLinkinfo(dev, full as EthtoolLinkinfoChange)
  else if (group === 'linkmodes') ethtoolSetLinkmodes(dev, full as EthtoolLinkmodesChange)
  else if (group === 'wol') ethtoolSetWol(dev, full as EthtoolWolChange)
  else ethtoolSetMsglevel(dev, full['msgmask'] as BitsetChange)
}

/** `autoneg on` alone offers everything the card can do: so the tool asks first what that is. */
function advertiseAll(cli: Cli, change: EthtoolLinkmodesChange): EthtoolLinkmodesChange {
  const { autoneg, advertising, speed, duplex, lanes } = change
  if (autoneg !== true || [advertising, speed, duplex, lanes].some((field) => field !== undefined))
    return change
  const { supported } = ethtoolGetLinkKsettings(cli.netlinkDev())
  let real = 0n
  for (const [index, mode] of LINK_MODES.entries()) if (mode.kind === 'real') real |= 1n << BigInt(index)
  const all = supported & real
  return { ...change, advertising: { value: all, mask: all } }
}
