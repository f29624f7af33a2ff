/**
 * ethtool for network devices: a driver attaches an `EthtoolOps` table, the core reads, merges, validates and only then
 * asks the driver, and tells everyone who listens what changed.
 *
 * One file per command. `runEthtool()` answers a command line with the text, the errors and the exit code of
 * ethtool(8) 6.1; `format*` are its printers, which take plain records.
 *
 * @packageDocumentation
 */

export * from './ops.ts'
export { ethnlOps } from './core.ts'
export * from './notify.ts'
export { bitNames, ethnlUpdateBitset } from './bitset.ts'
export type { BitsetChange } from './bitset.ts'
export * from './drvinfo.ts'
export { ETH_GSTRING_LEN, ethtoolGetStrings } from './strset.ts'
export type { StringSet } from './strset.ts'
export * from './stats.ts'
export * from './std-stats.ts'
export * from './link.ts'
export * from './link-modes.ts'
export * from './ksettings.ts'
export * from './debug.ts'
export * from './wol.ts'
export * from './rings.ts'
export * from './channels.ts'
export * from './coalesce.ts'
export * from './pause.ts'
export * from './feature-groups.ts'
export * from './features.ts'
export * from './privflags.ts'
export * from './permaddr.ts'
export * from './tsinfo.ts'
export * from './rxfh.ts'
export * from './regs.ts'
export * from './eeprom.ts'
export * from './selftest.ts'
export * from './actions.ts'

export * from './format/index.ts'
export { runEthtool } from './cli/run.ts'
export type { EthtoolOutput, RunEthtoolOptions } from './cli/run.ts'

// ── the command line, for a tool that reaches its device by messages
export { findCommand, takeFlags } from './cli/commands.ts'
export type { CommandName } from './cli/commands.ts'
export { CliExit, CommandLine } from './cli/line.ts'
export { RequestLayout } from './cli/layout.ts'
export {
  ArgReader,
  bitset as argBitset,
  bool as argBool,
  bytes6 as argBytes6,
  letterBits as argLetterBits,
  oneOf as argOneOf,
  parseParams,
  u32 as argU32,
  u8 as argU8,
} from './cli/parser.ts'
export { featureRequest, int as argInt, keyed as argKeyed, resetFlags, statsGroups } from './cli/words.ts'
export {
  CHANNEL_PARAMS,
  COALESCE_PARAMS,
  EEE_PARAMS,
  offersAll,
  PAUSE_PARAMS,
  privFlagsChange,
  RING_PARAMS,
  SETTINGS_GROUPS,
  SETTINGS_PARAMS,
} from './cli/set-params.ts'
export type { SettingsGroup } from './cli/set-params.ts'
export { parseRxfh, rxfhRequest } from './cli/rxfh-words.ts'
export type { RxfhWish } from './cli/rxfh-words.ts'
export type { Param as ArgParam, Parsed as ParsedArgs, Words as ArgWords } from './cli/parser.ts'
export { formatJson } from './format/json.ts'
export type { JsonFields } from './format/json.ts'
export { WOL_LETTERS } from './format/settings.ts'
