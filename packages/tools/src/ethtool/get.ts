import {
  COALESCE_ATTRS,
  formatChannels,
  formatCoalesce,
  formatJson,
  formatPermAddr,
  formatPrivFlags,
  formatRings,
  formatTsInfo,
} from '@vnet/ethtool'
import type { EthtoolCoalesce } from '@vnet/ethtool'
import { EthMsg, EthSs, Ifla, NetlinkProtocolNr, NlmF, RtextFilter, Rtm } from '@vnet/netlink'
import { openNetlink } from '../nl/client.ts'
import type { AttrMap } from '../nl/attrs.ts'
import { putIfinfo } from '../ip/context.ts'
import type { Syscalls } from '../proc/process.ts'
import { parseBits } from './bits.ts'
import type { EthtoolRun } from './context.ts'
import { stringSet } from './strings.ts'

/** A command of the tool: what it does, as its exit code. @throws CliExit */
export type EthtoolCommand = (run: EthtoolRun) => Syscalls<number>

/** A query without words of its own: prints what `show` makes of the answer; 1 when it is refused. */
export function query(
  cmd: number,
  show: (run: EthtoolRun, tb: AttrMap) => Syscalls<string> | string,
): EthtoolCommand {
  return function* (run) {
    if (run.args.length > 0) {
      run.err(`ethtool: unexpected parameter '${run.args[0]}'\n`)
      return 1
    }
    const code = yield* run.netlink(1, function* () {
      const genl = yield* run.genl()
      const tb = yield* genl.ask({ cmd, dev: run.devname })
      const shown = show(run, tb)
      run.out(typeof shown === 'string' ? shown : yield* shown)
    })
    if (code !== 0 && run.json) run.out(formatJson([]))
    return code
  }
}

const A_HEADER = 1
const HEADER_DEV_NAME = 2

/** The name the kernel calls the device by. */
export function nameIn(tb: AttrMap, header = A_HEADER): string {
  return tb.nest(header).text(HEADER_DEV_NAME) ?? '(null)'
}

/** `ethtool -g` @kernel none */
export const showRing = query(EthMsg.RINGS_GET, (_run, tb) => {
  const split = tb.u8(11) ?? 0
  return formatRings(nameIn(tb), {
    rxMaxPending: tb.u32(2) ?? 0,
    rxMiniMaxPending: tb.u32(3) ?? 0,
    rxJumboMaxPending: tb.u32(4) ?? 0,
    txMaxPending: tb.u32(5) ?? 0,
    rxPending: tb.u32(6) ?? 0,
    rxMiniPending: tb.u32(7) ?? 0,
    rxJumboPending: tb.u32(8) ?? 0,
    txPending: tb.u32(9) ?? 0,
    rxBufLen: tb.u32(10) ?? 0,
    tcpDataSplit: split === 1 || split === 2 ? split : 0,
    cqeSize: tb.u32(12) ?? 0,
    txPush: (tb.u8(13) ?? 0) !== 0,
  })
})

/** `ethtool -l` @kernel none */
export const showChannels = query(EthMsg.CHANNELS_GET, (_run, tb) =>
  formatChannels(nameIn(tb), {
    maxRx: tb.u32(2) ?? 0,
    maxTx: tb.u32(3) ?? 0,
    maxOther: tb.u32(4) ?? 0,
    maxCombined: tb.u32(5) ?? 0,
    rxCount: tb.u32(6) ?? 0,
    txCount: tb.u32(7) ?? 0,
    otherCount: tb.u32(8) ?? 0,
    combinedCount: tb.u32(9) ?? 0,
  }),
)

/** The coalescing parameters in the order of their attributes. */
export const COALESCE_KEYS = Object.keys(COALESCE_ATTRS) as (keyof EthtoolCoalesce)[]
/** The first parameter is the second attribute; the others follow. */
export const COALESCE_FIRST = 2

/** `ethtool -c` @kernel none */
export const showCoalesce = query(EthMsg.COALESCE_GET, (_run, tb) => {
  const values: Partial<Record<keyof EthtoolCoalesce, number | boolean>> = {}
  const shown = new Set<keyof EthtoolCoalesce>()
  for (const [i, key] of COALESCE_KEYS.entries()) {
    const value = key.startsWith('use') ? tb.u8(COALESCE_FIRST + i) : tb.u32(COALESCE_FIRST + i)
    values[key] = key.startsWith('use') ? value === 1 : (value ?? 0)
    if (value !== undefined) shown.add(key)
  }
  return formatCoalesce(nameIn(tb), values as unknown as EthtoolCoalesce, shown)
})

/** `ethtool -T` @kernel none */
export const showTimeStamping = query(EthMsg.TSINFO_GET, (_run, tb) => {
  const bits = (type: number) => Number((parseBits(tb, type)?.value ?? 0n) & 0xffffffffn)
  return formatTsInfo(nameIn(tb), {
    soTimestamping: bits(2),
    txTypes: bits(3),
    rxFilters: bits(4),
    phcIndex: tb.u32(5) ?? -1,
  })
})

/** `ethtool --show-priv-flags` @kernel none */
export const showPrivFlags = query(EthMsg.PRIVFLAGS_GET, function* (run, tb) {
  const flags = parseBits(tb, 2)?.value ?? 0n
  const names = yield* stringSet(yield* run.genl(), EthSs.PRIV_FLAGS, run.devname)
  return formatPrivFlags(
    nameIn(tb),
    names.map((name, i) => ({ name, value: ((flags >> BigInt(i)) & 1n) === 1n })),
  )
})

/** `ethtool --show-module`: nothing to tell about a transceiver is no error. @kernel none */
export const showModule = query(EthMsg.MODULE_GET, (run, tb) =>
  run.json ? formatJson([[['ifname', nameIn(tb)]]]) : `Module parameters for ${nameIn(tb)}:\n`,
)

/** What no device here answers: only the refusal is printed. */
export const showEee = query(EthMsg.EEE_GET, (_run, tb) => `EEE settings for ${nameIn(tb)}:\n`)
export const showFec = query(EthMsg.FEC_GET, (_run, tb) => `FEC parameters for ${nameIn(tb)}:\n`)
export const showTunnels = query(
  EthMsg.TUNNEL_INFO_GET,
  (_run, tb) => `Tunnel information for ${nameIn(tb)}:\n`,
)

/** Where the description of a module's memory begins. */
const MODULE_PAGE = { OFFSET: 2, LENGTH: 3, PAGE: 4, BANK: 5, I2C: 6 } as const
const SFF8024_I2C = 0x50

/** `ethtool -m`: the first byte tells what kind of module it is. @kernel none */
export function* moduleEeprom(run: EthtoolRun): Syscalls<number> {
  return yield* run.netlink(1, function* () {
    const genl = yield* run.genl()
    yield* genl.ask({
      cmd: EthMsg.MODULE_EEPROM_GET,
      dev: run.devname,
      fill: (w) => {
        w.putU32(MODULE_PAGE.LENGTH, 1)
        w.putU32(MODULE_PAGE.OFFSET, 0)
        w.putU8(MODULE_PAGE.PAGE, 0)
        w.putU8(MODULE_PAGE.BANK, 0)
        w.putU8(MODULE_PAGE.I2C, SFF8024_I2C)
      },
    })
  })
}

/** `ethtool -P`: asked of rtnetlink. @kernel none */
export function* showPermAddr(run: EthtoolRun): Syscalls<number> {
  return yield* run.netlink(1, function* () {
    const client = yield* openNetlink(run.process, NetlinkProtocolNr.ROUTE)
    const [reply] = yield* client.ask(Rtm.GETLINK, NlmF.ACK, (w) => {
      putIfinfo(w, {})
      w.putString(Ifla.IFNAME, run.devname)
      w.putU32(Ifla.EXT_MASK, RtextFilter.SKIP_STATS)
    })
    run.out(formatPermAddr(reply?.attrs(16).binary(Ifla.PERM_ADDRESS) ?? null))
  })
}
