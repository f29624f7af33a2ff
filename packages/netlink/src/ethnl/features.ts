import {
  ethtoolGetFeatures,
  ethtoolGetPrivFlags,
  ethtoolSetFeatures,
  ethtoolSetPrivFlags,
} from '@vnet/ethtool'
import type { EthtoolFeatures, FeatureRequest, PrivFlag } from '@vnet/ethtool'
import { Errno } from '@vnet/kernel'
import { FEATURE_NAMES } from '@vnet/netdev'
import type { FeatureName, NetdevFeatures } from '@vnet/netdev'
import { genlReply } from '../genl/genl.ts'
import type { GenlOp } from '../genl/genl.ts'
import { blameAttr } from '../codec/table.ts'
import { bitsetChange, ethnlParseBitset, ethnlPutBitset } from './bitset.ts'
import { attr, ethnlPolicy } from './command.ts'
import type { EthnlGet, EthnlSet } from './command.ts'
import { A_HEADER, EthFlag, EthMsg, EthReply } from './constants.ts'
import { ethnlDev, ethnlFillReplyHeader } from './header.ts'

/** Places in the kernel's list that have no feature. */
const GAPS: readonly number[] = [2, 32]

function withGaps(): (FeatureName | null)[] {
  const out: (FeatureName | null)[] = [...FEATURE_NAMES]
  for (const at of GAPS) out.splice(at, 0, null)
  return out
}

/** The features by their bit on the wire: as in Linux 6.1, two of them unused. @kernel netdev_features_strings[] net/ethtool/common.c */
const WIRE: readonly (FeatureName | null)[] = withGaps()

/** The names by bit, '' for those without. */
export const FEATURE_WIRE_NAMES: readonly (string | null)[] = WIRE.map((one) => one?.name ?? null)

const ALL = (1n << BigInt(WIRE.length)) - 1n

/** A set of netdev features as bits on the wire. */
export function featuresToWire(features: NetdevFeatures): bigint {
  let out = 0n
  for (const [bit, feature] of WIRE.entries()) {
    if (feature !== null && (features & feature.mask) !== 0n) out |= 1n << BigInt(bit)
  }
  return out
}

const Features = { HW: 2, WANTED: 3, ACTIVE: 4, NOCHANGE: 5 } as const

function set(features: NetdevFeatures): {
  value: bigint
  size: number
  names: readonly (string | null)[]
} {
  return { value: featuresToWire(features), size: WIRE.length, names: FEATURE_WIRE_NAMES }
}

/** What can be switched, what is wanted, what is on. @kernel ethnl_features_request_ops net/ethtool/features.c */
export const featuresGet: EthnlGet<EthtoolFeatures> = {
  cmd: EthMsg.FEATURES_GET,
  reply: EthReply.FEATURES,
  prepare: (dev) => ethtoolGetFeatures(dev),
  fill(w, features, { compact }) {
    ethnlPutBitset(w, Features.HW, { ...set(features.hw), mask: ALL }, compact)
    ethnlPutBitset(w, Features.WANTED, set(features.wanted), compact)
    ethnlPutBitset(w, Features.ACTIVE, set(features.active), compact)
    ethnlPutBitset(w, Features.NOCHANGE, set(features.nochange), compact)
  },
}

/** Switches features, and tells what came of it. @kernel ethnl_set_features() net/ethtool/features.c */
export const featuresSetOp: GenlOp = {
  cmd: EthMsg.FEATURES_SET,
  reply: EthReply.FEATURES_SET,
  admin: true,
  policy: ethnlPolicy({ [Features.WANTED]: attr('wanted', 'nested') }),
  doit(info) {
    const { dev, flags } = ethnlDev(info, A_HEADER)
    const tb = info.attrs
    if (!tb.has(Features.WANTED)) throw new Errno('EINVAL')
    const { value, mask } = ethnlParseBitset(tb, Features.WANTED, FEATURE_WIRE_NAMES)
    const result = blameAttr(tb, () => ethtoolSetFeatures(dev, requests(value, mask ?? ALL)))
    if ((flags & EthFlag.OMIT_REPLY) !== 0) return
    const compact = (flags & EthFlag.COMPACT_BITSETS) !== 0
    genlReply(info, EthReply.FEATURES_SET, (w) => {
      ethnlFillReplyHeader(w, dev, A_HEADER)
      const wanted = { ...set(result.wanted), mask: featuresToWire(result.wantedMask) }
      const active = { ...set(result.active), mask: featuresToWire(result.activeMask) }
      ethnlPutBitset(w, Features.WANTED, wanted, compact)
      ethnlPutBitset(w, Features.ACTIVE, active, compact)
    })
  },
}

function requests(value: bigint, mask: bigint): FeatureRequest[] {
  const out: FeatureRequest[] = []
  for (const [bit, feature] of WIRE.entries()) {
    const one = 1n << BigInt(bit)
    if (feature !== null && (mask & one) !== 0n) {
      out.push({ name: feature.name, value: (value & one) !== 0n })
    }
  }
  return out
}

const PRIVFLAGS_FLAGS = 2

/** The driver's own switches. @kernel ethnl_privflags_request_ops net/ethtool/privflags.c */
export const privflagsGet: EthnlGet<readonly PrivFlag[]> = {
  cmd: EthMsg.PRIVFLAGS_GET,
  reply: EthReply.PRIVFLAGS,
  prepare: (dev) => ethtoolGetPrivFlags(dev),
  fill(w, flags, { compact }) {
    let value = 0n
    for (const [bit, flag] of flags.entries()) if (flag.value) value |= 1n << BigInt(bit)
    const mask = (1n << BigInt(flags.length)) - 1n
    const names = flags.map((flag) => flag.name)
    ethnlPutBitset(w, PRIVFLAGS_FLAGS, { value, mask, size: flags.length, names }, compact)
  },
}

/** @kernel ethnl_set_privflags() net/ethtool/privflags.c */
export const privflagsSet: EthnlSet = {
  cmd: EthMsg.PRIVFLAGS_SET,
  attrs: { [PRIVFLAGS_FLAGS]: attr('flags', 'nested') },
  set(dev, tb) {
    if (!tb.has(PRIVFLAGS_FLAGS)) throw new Errno('EINVAL')
    const names = ethtoolGetPrivFlags(dev).map((flag) => flag.name)
    ethtoolSetPrivFlags(dev, bitsetChange(tb, PRIVFLAGS_FLAGS, names)!)
  },
}
