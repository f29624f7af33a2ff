import type { BitsetChange } from '../bitset.ts'
import { CHANNEL_ATTRS } from '../channels.ts'
import { COALESCE_ATTRS } from '../coalesce.ts'
import { WOL_LETTERS } from '../format/settings.ts'
import { Duplex, EthTpMdi, LINKINFO_ATTRS, LINKMODE_ATTRS, Port } from '../ksettings.ts'
import type { EthtoolLinkmodesChange } from '../ksettings.ts'
import { PAUSE_ATTRS } from '../pause.ts'
import { RING_ATTRS } from '../rings.ts'
import { WOL_MODES } from '../wol.ts'
import type { RequestLayout } from './layout.ts'
import type { CommandLine } from './line.ts'
import { ArgReader, bitset, bool, bytes6, letterBits, oneOf, u32, u8 } from './parser.ts'
import type { Param } from './parser.ts'

/** Parameters whose words and readers are listed by field. */
function params(
  attrs: Readonly<Record<string, string>>,
  words: Readonly<Record<string, string>>,
  bools: readonly string[] = [],
): readonly Param[] {
  return Object.entries(words).map(([word, key]) => ({
    word,
    key,
    attr: attrs[key] ?? key,
    read: bools.includes(key) ? bool : u32,
  }))
}

/** The parameters of `ethtool -G`. @kernel none */
export const RING_PARAMS = params(
  RING_ATTRS,
  {
    rx: 'rxPending',
    'rx-mini': 'rxMiniPending',
    'rx-jumbo': 'rxJumboPending',
    tx: 'txPending',
    'rx-buf-len': 'rxBufLen',
    'cqe-size': 'cqeSize',
    'tx-push': 'txPush',
  },
  ['txPush'],
)

/** The parameters of `ethtool -L`. @kernel none */
export const CHANNEL_PARAMS = params(CHANNEL_ATTRS, {
  rx: 'rxCount',
  tx: 'txCount',
  other: 'otherCount',
  combined: 'combinedCount',
})

/** The parameters of `ethtool -A`. @kernel none */
export const PAUSE_PARAMS = params(
  PAUSE_ATTRS,
  { autoneg: 'autoneg', rx: 'rxPause', tx: 'txPause' },
  Object.keys(PAUSE_ATTRS),
)

/** What the command line calls some parameters of COALESCE_ATTRS. */
const COALESCE_WORDS: Readonly<Record<string, string>> = {
  rxMaxCoalescedFrames: 'rx-frames',
  rxMaxCoalescedFramesIrq: 'rx-frames-irq',
  txMaxCoalescedFrames: 'tx-frames',
  txMaxCoalescedFramesIrq: 'tx-frames-irq',
  useAdaptiveRxCoalesce: 'adaptive-rx',
  useAdaptiveTxCoalesce: 'adaptive-tx',
  rxMaxCoalescedFramesLow: 'rx-frames-low',
  txMaxCoalescedFramesLow: 'tx-frames-low',
  rxMaxCoalescedFramesHigh: 'rx-frames-high',
  txMaxCoalescedFramesHigh: 'tx-frames-high',
  rateSampleInterval: 'sample-interval',
  useCqeModeTx: 'cqe-mode-tx',
  useCqeModeRx: 'cqe-mode-rx',
}

/** The parameters of `ethtool -C`. @kernel none */
export const COALESCE_PARAMS: readonly Param[] = Object.entries(COALESCE_ATTRS).map(([key, attr]) => ({
  word: COALESCE_WORDS[key] ?? attr,
  key,
  attr,
  read: key.startsWith('use') ? bool : u32,
}))

/** The parameters of `ethtool --set-eee`. @kernel none */
export const EEE_PARAMS: readonly Param[] = [
  { word: 'advertise', key: 'advertise', attr: 'modes-ours', read: bitset({ forceHex: true }) },
  ...params({}, { 'tx-lpi': 'tx-lpi', 'tx-timer': 'tx-timer', eee: 'eee' }, ['tx-lpi', 'eee']),
]

/** The flags of `ethtool --set-priv-flags`. @throws CliExit @kernel none */
export function privFlagsChange(cli: CommandLine, layout: RequestLayout): BitsetChange {
  const reader = new ArgReader(cli, '--set-priv-flags')
  reader.param = '(null)'
  return bitset({ forceHex: false })(reader, 'flags', layout) as BitsetChange
}

/** The requests of `ethtool -s`, in the kernel's order. @kernel none */
export const SETTINGS_GROUPS = ['linkinfo', 'linkmodes', 'wol', 'debug'] as const
/** A request of `ethtool -s`. */
export type SettingsGroup = (typeof SETTINGS_GROUPS)[number]

const PORTS = { tp: Port.TP, aui: Port.AUI, mii: Port.MII, fibre: Port.FIBRE, bnc: Port.BNC, da: Port.DA }
const MDIX = { auto: EthTpMdi.AUTO, on: EthTpMdi.MDI_X, off: EthTpMdi.MDI }
const DUPLEX = { half: Duplex.HALF, full: Duplex.FULL }
const MASTER_SLAVE = { 'preferred-master': 2, 'preferred-slave': 3, 'forced-master': 4, 'forced-slave': 5 }

function param(
  group: SettingsGroup,
  word: string,
  key: string,
  attr: string,
  read: Param['read'],
): Param<SettingsGroup> {
  return { group, word, key, attr, read }
}

/** The parameters of `ethtool -s`. @kernel none */
export const SETTINGS_PARAMS: readonly Param<SettingsGroup>[] = [
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

/** Says whether a change is `autoneg on` alone: then the tool asks what the card can do, and offers all of it. @kernel none */
export function offersAll({ autoneg, advertising, speed, duplex, lanes }: EthtoolLinkmodesChange): boolean {
  return autoneg === true && [advertising, speed, duplex, lanes].every((field) => field === undefined)
}
