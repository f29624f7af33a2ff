import type { BitsetChange } from '../bitset.ts'
import { CHANNEL_ATTRS, ethtoolSetChannels } from '../channels.ts'
import { COALESCE_ATTRS, ethtoolSetCoalesce } from '../coalesce.ts'
import { unsupported } from '../core.ts'
import { ethtoolSetFeatures } from '../features.ts'
import type { EthtoolFeaturesResult } from '../features.ts'
import { formatFeaturesResult } from '../format/features.ts'
import { ethtoolSetPauseparam, PAUSE_ATTRS } from '../pause.ts'
import { ethtoolSetPrivFlags } from '../privflags.ts'
import { ethtoolSetRingparam, RING_ATTRS } from '../rings.ts'
import type { NetDevice } from '@vnet/netdev'
import type { Cli } from './context.ts'
import { RequestLayout } from './layout.ts'
import { ArgReader, bitset, bool, parseParams, u32 } from './parser.ts'
import type { Param } from './parser.ts'
import { featureRequest } from './words.ts'

/** Parameters whose words and readers are listed by field. */
function params(
  attrs: Readonly<Record<string, string>>,
  words: Readonly<Record<string, string>>,
  bools: readonly string[] = [],
): Param[] {
  return Object.entries(words).map(([word, key]) => ({
    word,
    key,
    attr: attrs[key] ?? key,
    read: bools.includes(key) ? bool : u32,
  }))
}

/** A set command: reads its parameters, asks, and answers a refusal with `exitCode`. */
function setter(
  cmd: string,
  exitCode: number,
  list: readonly Param[],
  apply: (dev: NetDevice<any>, change: Readonly<Record<string, never>>) => void,
): (cli: Cli) => number {
  return (cli) => {
    const layout = new RequestLayout(cli.devname)
    const change = parseParams(cli, cmd, list, () => layout).get('') ?? {}
    return cli.netlink(
      exitCode,
      () => {
        cli.needAdmin()
        apply(cli.netlinkDev(), change as Readonly<Record<string, never>>)
      },
      layout,
    )
  }
}

const RING_PARAMS = params(
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

/** `ethtool -G` @kernel none */
export const setRing = setter('-G', 81, RING_PARAMS, ethtoolSetRingparam)

const CHANNEL_PARAMS = params(CHANNEL_ATTRS, {
  rx: 'rxCount',
  tx: 'txCount',
  other: 'otherCount',
  combined: 'combinedCount',
})

/** `ethtool -L` @kernel none */
export const setChannels = setter('-L', 1, CHANNEL_PARAMS, ethtoolSetChannels)

const PAUSE_PARAMS = params(
  PAUSE_ATTRS,
  { autoneg: 'autoneg', rx: 'rxPause', tx: 'txPause' },
  Object.keys(PAUSE_ATTRS),
)

/** `ethtool -A` @kernel none */
export const setPause = setter('-A', 76, PAUSE_PARAMS, ethtoolSetPauseparam)

const COALESCE_PARAMS = params(
  COALESCE_ATTRS,
  {
    'adaptive-rx': 'useAdaptiveRxCoalesce',
    'adaptive-tx': 'useAdaptiveTxCoalesce',
    'sample-interval': 'rateSampleInterval',
    'stats-block-usecs': 'statsBlockCoalesceUsecs',
    'pkt-rate-low': 'pktRateLow',
    'pkt-rate-high': 'pktRateHigh',
    'rx-usecs': 'rxCoalesceUsecs',
    'rx-frames': 'rxMaxCoalescedFrames',
    'rx-usecs-irq': 'rxCoalesceUsecsIrq',
    'rx-frames-irq': 'rxMaxCoalescedFramesIrq',
    'tx-usecs': 'txCoalesceUsecs',
    'tx-frames': 'txMaxCoalescedFrames',
    'tx-usecs-irq': 'txCoalesceUsecsIrq',
    'tx-frames-irq': 'txMaxCoalescedFramesIrq',
    'rx-usecs-low': 'rxCoalesceUsecsLow',
    'rx-frames-low': 'rxMaxCoalescedFramesLow',
    'tx-usecs-low': 'txCoalesceUsecsLow',
    'tx-frames-low': 'txMaxCoalescedFramesLow',
    'rx-usecs-high': 'rxCoalesceUsecsHigh',
    'rx-frames-high': 'rxMaxCoalescedFramesHigh',
    'tx-usecs-high': 'txCoalesceUsecsHigh',
    'tx-frames-high': 'txMaxCoalescedFramesHigh',
    'cqe-mode-rx': 'useCqeModeRx',
    'cqe-mode-tx': 'useCqeModeTx',
  },
  ['useAdaptiveRxCoalesce', 'useAdaptiveTxCoalesce', 'useCqeModeRx', 'useCqeModeTx'],
)

/** `ethtool -C` @kernel none */
export const setCoalesce = setter('-C', 1, COALESCE_PARAMS, ethtoolSetCoalesce)

const EEE_PARAMS: readonly Param[] = [
  { word: 'advertise', key: 'advertise', attr: 'modes-ours', read: bitset({ forceHex: true }) },
  ...params({}, { 'tx-lpi': 'tx-lpi', 'tx-timer': 'tx-timer', eee: 'eee' }, ['tx-lpi', 'eee']),
]

/** `ethtool --set-eee` @kernel none */
export function setEee(cli: Cli): number {
  if (cli.args.length === 0) {
    cli.err('ethtool (--set-eee): parameters missing\n')
    return 1
  }
  return setter('--set-eee', 76, EEE_PARAMS, () => {
    throw unsupported()
  })(cli)
}

/** `ethtool --set-priv-flags` @kernel none */
export function setPrivFlags(cli: Cli): number {
  const layout = new RequestLayout(cli.devname)
  const reader = new ArgReader(cli, '--set-priv-flags')
  reader.param = '(null)'
  const change = bitset({ forceHex: false })(reader, 'flags', layout) as BitsetChange
  return cli.netlink(
    1,
    () => {
      cli.needAdmin()
      ethtoolSetPrivFlags(cli.netlinkDev(), change)
    },
    layout,
  )
}

/** `ethtool -K` @kernel none */
export function setFeatures(cli: Cli): number {
  const request = featureRequest(cli)
  const layout = new RequestLayout(cli.devname, true)
  layout.putBits('wanted', request)
  let result: EthtoolFeaturesResult | undefined
  const code = cli.netlink(
    92,
    () => {
      cli.needAdmin()
      result = ethtoolSetFeatures(cli.netlinkDev(), request)
      cli.out(formatFeaturesResult(result))
    },
    layout,
  )
  if (result === undefined || result.wantedMask !== result.requested) return code
  cli.err('Could not change any device features\n')
  return 1
}
