import {
  ArgReader,
  argBitset as bitset,
  argBool as bool,
  argBytes6 as bytes6,
  COALESCE_ATTRS,
  LINK_MODES,
  argLetterBits as letterBits,
  argOneOf as oneOf,
  parseParams,
  Port,
  RequestLayout,
  argU32 as u32,
  argU8 as u8,
  WOL_LETTERS,
  WOL_MODES,
} from '@vnet/ethtool'
import type { ArgParam as Param, BitsetChange } from '@vnet/ethtool'
import { EthMsg } from '@vnet/netlink'
import type { NlWriter } from '@vnet/netlink'
import type { Syscalls } from '../proc/process.ts'
import { putBits } from './bits.ts'
import type { EthtoolRun } from './context.ts'
import type { EthtoolCommand } from './get.ts'
import { Linkinfo, Linkmodes, parseLinkmodes } from './settings.ts'

type Group = 'linkinfo' | 'linkmodes' | 'wol' | 'debug' | ''

/** A word and the attribute it becomes. */
interface Word extends Param<Group> {
  readonly type: number
  readonly wide: boolean
}

function param(word: string, type: number, read: Param['read'], wide = false, group: Group = ''): Word {
  return { word, group, key: word, attr: word, read, type, wide }
}

/** Values of 32 bits where the kernel wants as many, else of 8. */
function putValue(w: NlWriter, word: Word, value: unknown): void {
  if (typeof value === 'boolean') w.putU8(word.type, value ? 1 : 0)
  else if (typeof value === 'number' && word.wide) w.putU32(word.type, value)
  else if (typeof value === 'number') w.putU8(word.type, value)
  else if (value instanceof Uint8Array) w.putBinary(word.type, value)
  else putBits(w, word.type, value as BitsetChange)
}

function putValues(w: NlWriter, words: readonly Word[], values: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(values)) {
    const word = words.find((one) => one.key === key)
    if (word !== undefined) putValue(w, word, value)
  }
}

/** A set command: reads its words, asks, and answers a refusal with `exitCode`. */
function setter(name: string, cmd: number, exitCode: number, words: readonly Word[]): EthtoolCommand {
  return function* (run) {
    const values = parseParams(run, name, words, () => new RequestLayout(run.devname)).get('') ?? {}
    return yield* run.netlink(exitCode, function* () {
      const genl = yield* run.genl()
      yield* genl.ask({ cmd, dev: run.devname, fill: (w) => putValues(w, words, values) })
    })
  }
}

/** `ethtool -G` @kernel none */
export const setRing = setter('-G', EthMsg.RINGS_SET, 81, [
  param('rx', 6, u32, true),
  param('rx-mini', 7, u32, true),
  param('rx-jumbo', 8, u32, true),
  param('tx', 9, u32, true),
  param('rx-buf-len', 10, u32, true),
  param('cqe-size', 12, u32, true),
  param('tx-push', 13, bool),
])

/** `ethtool -L` @kernel none */
export const setChannels = setter('-L', EthMsg.CHANNELS_SET, 1, [
  param('rx', 6, u32, true),
  param('tx', 7, u32, true),
  param('other', 8, u32, true),
  param('combined', 9, u32, true),
])

/** `ethtool -A` @kernel none */
export const setPause = setter('-A', EthMsg.PAUSE_SET, 76, [
  param('autoneg', 2, bool),
  param('rx', 3, bool),
  param('tx', 4, bool),
])

/** What the command line calls some parameters of COALESCE_ATTRS. */
const COALESCE_WORDS: Readonly<Record<string, string>> = {
  rxMaxCoalescedFrames: 'rx-frames',
  rxMaxCoalescedFramesIrq: 'rx-frames-irq',
  txMaxCoalescedFrames: 'tx-frames',
  txMaxCoalescedFramesIrq: 'tx-frames-irq',
  statsBlockCoalesceUsecs: 'stats-block-usecs',
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

/** `ethtool -C` @kernel none */
export const setCoalesce = setter(
  '-C',
  EthMsg.COALESCE_SET,
  1,
  Object.entries(COALESCE_ATTRS).map(([key, attr], i) => {
    const yesNo = key.startsWith('use')
    return param(COALESCE_WORDS[key] ?? attr, 2 + i, yesNo ? bool : u32, !yesNo)
  }),
)

const setEeeWords = setter('--set-eee', EthMsg.EEE_SET, 76, [
  param('advertise', 2, bitset({ forceHex: true })),
  param('tx-lpi', 6, bool),
  param('tx-timer', 7, u32, true),
  param('eee', 5, bool),
])

/** `ethtool --set-eee` @kernel none */
export function* setEee(run: EthtoolRun): Syscalls<number> {
  if (run.args.length > 0) return yield* setEeeWords(run)
  run.err('ethtool (--set-eee): parameters missing\n')
  return 1
}

/** `ethtool --set-priv-flags` @kernel none */
export function* setPrivFlags(run: EthtoolRun): Syscalls<number> {
  const reader = new ArgReader(run, '--set-priv-flags')
  reader.param = '(null)'
  const change = bitset({ forceHex: false })(reader, 'flags', new RequestLayout(run.devname)) as BitsetChange
  return yield* run.netlink(1, function* () {
    const genl = yield* run.genl()
    yield* genl.ask({ cmd: EthMsg.PRIVFLAGS_SET, dev: run.devname, fill: (w) => putBits(w, 2, change) })
  })
}

// ── ethtool -s

const PORTS = { tp: Port.TP, aui: Port.AUI, mii: Port.MII, fibre: Port.FIBRE, bnc: Port.BNC, da: Port.DA }
const MASTER_SLAVE = { 'preferred-master': 2, 'preferred-slave': 3, 'forced-master': 4, 'forced-slave': 5 }
const AUTONEG = 'autoneg'
const ADVERTISE = 'advertise'

const WORDS: readonly Word[] = [
  param('port', Linkinfo.PORT, oneOf(PORTS), false, 'linkinfo'),
  param('mdix', Linkinfo.TP_MDIX_CTRL, oneOf({ auto: 3, on: 2, off: 1 }), false, 'linkinfo'),
  param('phyad', Linkinfo.PHYADDR, u8, false, 'linkinfo'),
  param('xcvr', 0, deprecated, false, 'linkinfo'),
  param(AUTONEG, Linkmodes.AUTONEG, bool, false, 'linkmodes'),
  param(ADVERTISE, Linkmodes.OURS, bitset({ forceHex: true }), false, 'linkmodes'),
  param('speed', Linkmodes.SPEED, u32, true, 'linkmodes'),
  param('lanes', Linkmodes.LANES, u32, true, 'linkmodes'),
  param('duplex', Linkmodes.DUPLEX, oneOf({ half: 0, full: 1 }), false, 'linkmodes'),
  param('master-slave', Linkmodes.MS_CFG, oneOf(MASTER_SLAVE), false, 'linkmodes'),
  param('wol', 2, letterBits(WOL_LETTERS, WOL_MODES, 'd'), false, 'wol'),
  param('sopass', 3, bytes6, false, 'wol'),
  param('msglvl', 2, bitset({ forceHex: false }), false, 'debug'),
]

const COMMANDS = {
  linkinfo: EthMsg.LINKINFO_SET,
  linkmodes: EthMsg.LINKMODES_SET,
  wol: EthMsg.WOL_SET,
  debug: EthMsg.DEBUG_SET,
} as const

function deprecated(reader: ArgReader): never {
  return reader.fail(`deprecated parameter '${reader.param}' not supported by kernel`)
}

/** `ethtool -s`: up to four requests, in the kernel's order; the first refusal ends it. @kernel none */
export function* changeSettings(run: EthtoolRun): Syscalls<number> {
  const parsed = parseParams(run, '-s', WORDS, () => new RequestLayout(run.devname))
  for (const group of ['linkinfo', 'linkmodes', 'wol', 'debug'] as const) {
    const values = parsed.get(group)
    if (values === undefined) continue
    const code = yield* run.netlink(75, () => change(run, group, values))
    if (code !== 0) return code
  }
  return 0
}

function* change(
  run: EthtoolRun,
  group: keyof typeof COMMANDS,
  values: Readonly<Record<string, unknown>>,
): Syscalls<void> {
  const genl = yield* run.genl()
  const all = group === 'linkmodes' ? yield* advertiseAll(run, values) : null
  const words = WORDS.filter((word) => word.group === group)
  yield* genl.ask({
    cmd: COMMANDS[group],
    dev: run.devname,
    fill: (w) => {
      putValues(w, words, values)
      if (all !== null) putBits(w, Linkmodes.OURS, { value: all, mask: all })
    },
  })
}

/** `autoneg on` alone offers everything the card can do: so it is asked first what that is. */
function* advertiseAll(run: EthtoolRun, values: Readonly<Record<string, unknown>>): Syscalls<bigint | null> {
  const others = [ADVERTISE, 'speed', 'duplex', 'lanes']
  if (values[AUTONEG] !== true || others.some((key) => values[key] !== undefined)) return null
  const genl = yield* run.genl()
  const tb = yield* genl.ask({ cmd: EthMsg.LINKMODES_GET, dev: run.devname })
  let real = 0n
  for (const [index, mode] of LINK_MODES.entries()) if (mode.kind === 'real') real |= 1n << BigInt(index)
  return parseLinkmodes(tb).supported & real
}
