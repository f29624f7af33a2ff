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
  flags: (run: EthtoolRun) => number = () => 0,
): EthtoolCommand {
  return function* (run) {
    if (run.args.length > 0) {
      run.err(`ethtool: unexpected parameter '${run.args[0]}'\n`)
      return 1
    }
    const code = yield* run.netlink(1, function* () {
      const genl = yield* run.genl()
      const tb = yield* genl.ask({ cmd, dev: run.devname, flags: flags(run) })
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

/** The numbers of an answer by their attributes; 0 where one is not there. */
function numbers<K extends string>(tb: AttrMap, types: Readonly<Record<K, number>>): Record<K, number> {
  const fields = Object.entries<number>(types).map(([key, type]) => [key, tb.u32(type) ?? 0])
  return Object.fromEntries(fields) as Record<K, number>
}

/** Numbers of RINGS by their attributes. @kernel ETHTOOL_A_RINGS_RX_MAX include/uapi/linux/ethtool_netlink.h */
const RING_NUMBERS = {
  rxMaxPending: 2,
  rxMiniMaxPending: 3,
  rxJumboMaxPending: 4,
  txMaxPending: 5,
  rxPending: 6,
  rxMiniPending: 7,
  rxJumboPending: 8,
  txPending: 9,
  rxBufLen: 10,
  cqeSize: 12,
} as const
const TCP_DATA_SPLIT = 11
/** Fields of RINGS by their attributes. */
export const RING_TYPES = { ...RING_NUMBERS, txPush: 13 } as const

/** `ethtool -g` @kernel none */
export const showRing = query(EthMsg.RINGS_GET, (_run, tb) => {
  const split = tb.u8(TCP_DATA_SPLIT) ?? 0
  return formatRings(nameIn(tb), {
    ...numbers(tb, RING_NUMBERS),
    tcpDataSplit: split === 1 || split === 2 ? split : 0,
    txPush: (tb.u8(RING_TYPES.txPush) ?? 0) !== 0,
  })
})

/** Fields of CHANNELS by their attributes. @kernel ETHTOOL_A_CHANNELS_RX_MAX include/uapi/linux/ethtool_netlink.h */
export const CHANNEL_TYPES = {
  maxRx: 2,
  maxTx: 3,
  maxOther: 4,
  maxCombined: 5,
  rxCount: 6,
  txCount: 7,
  otherCount: 8,
  combinedCount: 9,
} as const

/** `ethtool -l` @kernel none */
export const showChannels = query(EthMsg.CHANNELS_GET, (_run, tb) =>
  formatChannels(nameIn(tb), numbers(tb, CHANNEL_TYPES)),
)

/** Fields of COALESCE by their attributes, which follow each other. */
export const COALESCE_TYPES = Object.fromEntries(
  Object.keys(COALESCE_ATTRS).map((key, i) => [key, i + 2]),
) as Readonly<Record<keyof EthtoolCoalesce, number>>

/** `ethtool -c` @kernel none */
export const showCoalesce = query(EthMsg.COALESCE_GET, (_run, tb) => {
  const values: Partial<Record<keyof EthtoolCoalesce, number | boolean>> = {}
  const shown = new Set<keyof EthtoolCoalesce>()
  for (const key of Object.keys(COALESCE_TYPES) as (keyof EthtoolCoalesce)[]) {
    const type = COALESCE_TYPES[key]
    const value = key.startsWith('use') ? tb.u8(type) : tb.u32(type)
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
