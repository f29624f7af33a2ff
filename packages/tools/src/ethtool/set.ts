import {
  CHANNEL_PARAMS,
  COALESCE_PARAMS,
  EEE_PARAMS,
  offersAll,
  parseParams,
  PAUSE_PARAMS,
  privFlagsChange,
  REAL_LINK_MODES,
  RequestLayout,
  RING_PARAMS,
  SETTINGS_GROUPS,
  SETTINGS_PARAMS,
  argU32 as u32,
} from '@vnet/ethtool'
import type { ArgParam as Param, BitsetChange, SettingsGroup } from '@vnet/ethtool'
import { EthMsg } from '@vnet/netlink'
import type { NlWriter } from '@vnet/netlink'
import type { Syscalls } from '../proc/process.ts'
import { putBits } from './bits.ts'
import type { EthtoolRun } from './context.ts'
import { CHANNEL_TYPES, COALESCE_TYPES, RING_TYPES } from './get.ts'
import type { EthtoolCommand } from './get.ts'
import { PAUSE_TYPES } from './pause.ts'
import { Linkinfo, Linkmodes, parseLinkmodes } from './settings.ts'

/** The attribute that each field becomes. */
type Types = Readonly<Record<string, number>>
type Values = Readonly<Record<string, unknown>>

/** Numbers of 32 bits where the tool reads as many, else of 8. */
function putValue(w: NlWriter, type: number, value: unknown, read: Param['read'] | undefined): void {
  if (typeof value === 'boolean') w.putU8(type, value ? 1 : 0)
  else if (typeof value === 'number' && read === u32) w.putU32(type, value)
  else if (typeof value === 'number') w.putU8(type, value)
  else if (value instanceof Uint8Array) w.putBinary(type, value)
  else putBits(w, type, value as BitsetChange)
}

function putValues(w: NlWriter, params: readonly Param[], types: Types, values: Values): void {
  for (const [key, value] of Object.entries(values)) {
    putValue(w, types[key]!, value, params.find((param) => param.key === key)?.read)
  }
}

/** A set command: reads its words, asks, and answers a refusal with `exitCode`. */
function setter(
  name: string,
  cmd: number,
  exitCode: number,
  params: readonly Param[],
  types: Types,
): EthtoolCommand {
  return function* (run) {
    const values = parseParams(run, name, params, () => new RequestLayout(run.devname)).get('') ?? {}
    return yield* run.netlink(exitCode, function* () {
      const genl = yield* run.genl()
      yield* genl.ask({ cmd, dev: run.devname, fill: (w) => putValues(w, params, types, values) })
    })
  }
}

/** `ethtool -G` @kernel none */
export const setRing = setter('-G', EthMsg.RINGS_SET, 81, RING_PARAMS, RING_TYPES)

/** `ethtool -L` @kernel none */
export const setChannels = setter('-L', EthMsg.CHANNELS_SET, 1, CHANNEL_PARAMS, CHANNEL_TYPES)

/** `ethtool -A` @kernel none */
export const setPause = setter('-A', EthMsg.PAUSE_SET, 76, PAUSE_PARAMS, PAUSE_TYPES)

/** `ethtool -C` @kernel none */
export const setCoalesce = setter('-C', EthMsg.COALESCE_SET, 1, COALESCE_PARAMS, COALESCE_TYPES)

const setEeeWords = setter('--set-eee', EthMsg.EEE_SET, 76, EEE_PARAMS, {
  advertise: 2,
  eee: 5,
  'tx-lpi': 6,
  'tx-timer': 7,
})

/** `ethtool --set-eee` @kernel none */
export function* setEee(run: EthtoolRun): Syscalls<number> {
  if (run.args.length > 0) return yield* setEeeWords(run)
  run.err('ethtool (--set-eee): parameters missing\n')
  return 1
}

/** `ethtool --set-priv-flags` @kernel none */
export function* setPrivFlags(run: EthtoolRun): Syscalls<number> {
  const change = privFlagsChange(run, new RequestLayout(run.devname))
  return yield* run.netlink(1, function* () {
    const genl = yield* run.genl()
    yield* genl.ask({ cmd: EthMsg.PRIVFLAGS_SET, dev: run.devname, fill: (w) => putBits(w, 2, change) })
  })
}

// ── ethtool -s

const SETTINGS_TYPES: Types = {
  port: Linkinfo.PORT,
  ethTpMdixCtrl: Linkinfo.TP_MDIX_CTRL,
  phyAddress: Linkinfo.PHYADDR,
  autoneg: Linkmodes.AUTONEG,
  advertising: Linkmodes.OURS,
  speed: Linkmodes.SPEED,
  lanes: Linkmodes.LANES,
  duplex: Linkmodes.DUPLEX,
  masterSlaveCfg: Linkmodes.MS_CFG,
  modes: 2,
  sopass: 3,
  msgmask: 2,
}

const REQUESTS: Readonly<Record<SettingsGroup, number>> = {
  linkinfo: EthMsg.LINKINFO_SET,
  linkmodes: EthMsg.LINKMODES_SET,
  wol: EthMsg.WOL_SET,
  debug: EthMsg.DEBUG_SET,
}

/** `ethtool -s`: up to four requests, in the kernel's order; the first refusal ends it. @kernel none */
export function* changeSettings(run: EthtoolRun): Syscalls<number> {
  const parsed = parseParams(run, '-s', SETTINGS_PARAMS, () => new RequestLayout(run.devname))
  for (const group of SETTINGS_GROUPS) {
    const values = parsed.get(group)
    if (values === undefined) continue
    const code = yield* run.netlink(75, () => change(run, group, values))
    if (code !== 0) return code
  }
  return 0
}

function* change(run: EthtoolRun, group: SettingsGroup, values: Values): Syscalls<void> {
  const genl = yield* run.genl()
  const all = group === 'linkmodes' && offersAll(values) ? yield* allModes(run) : null
  yield* genl.ask({
    cmd: REQUESTS[group],
    dev: run.devname,
    fill: (w) => {
      putValues(w, SETTINGS_PARAMS, SETTINGS_TYPES, values)
      if (all !== null) putBits(w, Linkmodes.OURS, { value: all, mask: all })
    },
  })
}

/** Every mode the card can do. */
function* allModes(run: EthtoolRun): Syscalls<bigint> {
  const genl = yield* run.genl()
  const tb = yield* genl.ask({ cmd: EthMsg.LINKMODES_GET, dev: run.devname })
  return parseLinkmodes(tb).supported & REAL_LINK_MODES
}
