import { featureRequest, formatFeatures, formatFeaturesJson, formatFeaturesResult } from '@vnet/ethtool'
import type { EthtoolFeaturesResult, FeatureRequest } from '@vnet/ethtool'
import { featureByName } from '@vnet/netdev'
import { EthFlag, EthMsg, EthSs } from '@vnet/netlink'
import type { AttrMap } from '../nl/attrs.ts'
import type { Syscalls } from '../proc/process.ts'
import { parseBits, putBits } from './bits.ts'
import type { EthtoolRun } from './context.ts'
import { nameIn, query } from './get.ts'
import { stringSet } from './strings.ts'

const Features = { HW: 2, WANTED: 3, ACTIVE: 4, NOCHANGE: 5 } as const

/** The kernel's bits, which count as its names do, as the bits of the netdev package; a name nobody knows is left out. */
function ownBits(bits: bigint, names: readonly string[]): bigint {
  let own = 0n
  for (const [i, name] of names.entries()) {
    if (((bits >> BigInt(i)) & 1n) === 1n) own |= featureByName(name)?.mask ?? 0n
  }
  return own
}

/** `ethtool -k` @kernel none */
export const showFeatures = query(
  EthMsg.FEATURES_GET,
  function* (run, tb) {
    const names = yield* stringSet(yield* run.genl(), EthSs.FEATURES)
    const set = (type: number) => ownBits(parseBits(tb, type)?.value ?? 0n, names)
    const features = {
      hw: set(Features.HW),
      wanted: set(Features.WANTED),
      active: set(Features.ACTIVE),
      nochange: set(Features.NOCHANGE),
    }
    const print = run.json ? formatFeaturesJson : formatFeatures
    return print(nameIn(tb), features)
  },
  () => EthFlag.COMPACT_BITSETS,
)

/** `ethtool -K` @kernel none */
export function* setFeatures(run: EthtoolRun): Syscalls<number> {
  const request = featureRequest(run)
  let result: EthtoolFeaturesResult | undefined
  const code = yield* run.netlink(92, function* () {
    const genl = yield* run.genl()
    const names = yield* stringSet(genl, EthSs.FEATURES)
    const tb = yield* genl.ask({
      cmd: EthMsg.FEATURES_SET,
      dev: run.devname,
      flags: EthFlag.COMPACT_BITSETS,
      fill: (w) => putBits(w, Features.WANTED, { bits: request }),
    })
    result = resultOf(tb, names, request)
    run.out(formatFeaturesResult(result))
  })
  if (result === undefined || result.wantedMask !== result.requested) return code
  run.err('Could not change any device features\n')
  return 1
}

function resultOf(
  tb: AttrMap,
  names: readonly string[],
  request: readonly FeatureRequest[],
): EthtoolFeaturesResult {
  const wanted = parseBits(tb, Features.WANTED)
  const active = parseBits(tb, Features.ACTIVE)
  return {
    wantedMask: ownBits(wanted?.mask ?? 0n, names),
    wanted: ownBits(wanted?.value ?? 0n, names),
    activeMask: ownBits(active?.mask ?? 0n, names),
    active: ownBits(active?.value ?? 0n, names),
    requested: request.reduce((bits, { name }) => bits | (featureByName(name)?.mask ?? 0n), 0n),
  }
}
