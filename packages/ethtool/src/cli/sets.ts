import { ethtoolSetChannels } from '../channels.ts'
import { ethtoolSetCoalesce } from '../coalesce.ts'
import { unsupported } from '../core.ts'
import { ethtoolSetFeatures } from '../features.ts'
import type { EthtoolFeaturesResult } from '../features.ts'
import { formatFeaturesResult } from '../format/features.ts'
import { ethtoolSetPauseparam } from '../pause.ts'
import { ethtoolSetPrivFlags } from '../privflags.ts'
import { ethtoolSetRingparam } from '../rings.ts'
import type { NetDevice } from '@vnet/netdev'
import type { Cli } from './context.ts'
import { RequestLayout } from './layout.ts'
import { parseParams } from './parser.ts'
import type { Param } from './parser.ts'
import {
  CHANNEL_PARAMS,
  COALESCE_PARAMS,
  EEE_PARAMS,
  PAUSE_PARAMS,
  privFlagsChange,
  RING_PARAMS,
} from './set-params.ts'
import { featureRequest } from './words.ts'

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

/** `ethtool -G` @kernel none */
export const setRing = setter('-G', 81, RING_PARAMS, ethtoolSetRingparam)

/** `ethtool -L` @kernel none */
export const setChannels = setter('-L', 1, CHANNEL_PARAMS, ethtoolSetChannels)

/** `ethtool -A` @kernel none */
export const setPause = setter('-A', 76, PAUSE_PARAMS, ethtoolSetPauseparam)

/** `ethtool -C` @kernel none */
export const setCoalesce = setter('-C', 1, COALESCE_PARAMS, ethtoolSetCoalesce)

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
  const change = privFlagsChange(cli, layout)
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
