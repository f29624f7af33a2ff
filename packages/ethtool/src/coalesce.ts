import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { ethnlOps, requireOps } from './core.ts'
import type { OpsWith } from './core.ts'
import { ethtoolNotify } from './notify.ts'
import { ethtoolOps } from './ops.ts'
import { checkReadBack, ethnlUpdate } from './update.ts'

/**
 * When the card interrupts: after so many microseconds, or so many frames, whichever comes first.
 *
 * The `…Irq` values count while an interrupt is being handled; `…Low` and `…High` below and above a packet rate.
 *
 * @kernel struct ethtool_coalesce include/uapi/linux/ethtool.h
 */
export interface EthtoolCoalesce {
  readonly rxCoalesceUsecs: number
  readonly rxMaxCoalescedFrames: number
  readonly rxCoalesceUsecsIrq: number
  readonly rxMaxCoalescedFramesIrq: number
  readonly txCoalesceUsecs: number
  readonly txMaxCoalescedFrames: number
  readonly txCoalesceUsecsIrq: number
  readonly txMaxCoalescedFramesIrq: number
  readonly statsBlockCoalesceUsecs: number
  readonly useAdaptiveRxCoalesce: boolean
  readonly useAdaptiveTxCoalesce: boolean
  readonly pktRateLow: number
  readonly rxCoalesceUsecsLow: number
  readonly rxMaxCoalescedFramesLow: number
  readonly txCoalesceUsecsLow: number
  readonly txMaxCoalescedFramesLow: number
  readonly pktRateHigh: number
  readonly rxCoalesceUsecsHigh: number
  readonly rxMaxCoalescedFramesHigh: number
  readonly txCoalesceUsecsHigh: number
  readonly txMaxCoalescedFramesHigh: number
  readonly rateSampleInterval: number
  readonly useCqeModeTx: boolean
  readonly useCqeModeRx: boolean
}

/** What can be asked for; what is not mentioned stays. */
export type EthtoolCoalesceChange = {
  readonly [K in keyof EthtoolCoalesce]?: EthtoolCoalesce[K] | undefined
}

/**
 * All coalescing parameters by their names in a request, in the order the kernel looks at them.
 *
 * @kernel ETHTOOL_A_COALESCE_RX_USECS include/uapi/linux/ethtool_netlink.h
 */
export const COALESCE_ATTRS = {
  rxCoalesceUsecs: 'rx-usecs',
  rxMaxCoalescedFrames: 'rx-max-frames',
  rxCoalesceUsecsIrq: 'rx-usecs-irq',
  rxMaxCoalescedFramesIrq: 'rx-max-frames-irq',
  txCoalesceUsecs: 'tx-usecs',
  txMaxCoalescedFrames: 'tx-max-frames',
  txCoalesceUsecsIrq: 'tx-usecs-irq',
  txMaxCoalescedFramesIrq: 'tx-max-frames-irq',
  statsBlockCoalesceUsecs: 'stats-block-usecs',
  useAdaptiveRxCoalesce: 'use-adaptive-rx',
  useAdaptiveTxCoalesce: 'use-adaptive-tx',
  pktRateLow: 'pkt-rate-low',
  rxCoalesceUsecsLow: 'rx-usecs-low',
  rxMaxCoalescedFramesLow: 'rx-max-frames-low',
  txCoalesceUsecsLow: 'tx-usecs-low',
  txMaxCoalescedFramesLow: 'tx-max-frames-low',
  pktRateHigh: 'pkt-rate-high',
  rxCoalesceUsecsHigh: 'rx-usecs-high',
  rxMaxCoalescedFramesHigh: 'rx-max-frames-high',
  txCoalesceUsecsHigh: 'tx-usecs-high',
  txMaxCoalescedFramesHigh: 'tx-max-frames-high',
  rateSampleInterval: 'rate-sample-interval',
  useCqeModeTx: 'use-cqe-mode-tx',
  useCqeModeRx: 'use-cqe-mode-rx',
} as const satisfies Record<keyof EthtoolCoalesce, string>

const KEYS = Object.keys(COALESCE_ATTRS) as (keyof EthtoolCoalesce)[]

const BOOLS: ReadonlySet<keyof EthtoolCoalesce> = new Set<keyof EthtoolCoalesce>([
  'useAdaptiveRxCoalesce',
  'useAdaptiveTxCoalesce',
  'useCqeModeTx',
  'useCqeModeRx',
])

/** Every parameter at zero, for what a driver does not mention. */
function empty(): EthtoolCoalesce {
  const all: Partial<Record<keyof EthtoolCoalesce, number | boolean>> = {}
  for (const key of KEYS) all[key] = BOOLS.has(key) ? false : 0
  return all as unknown as EthtoolCoalesce
}

/**
 * Reads the coalescing parameters; those the driver does not know are 0 or false.
 *
 * @throws Errno EOPNOTSUPP the driver does not tell; ENODEV; whatever the driver throws
 * @kernel coalesce_prepare_data() net/ethtool/coalesce.c
 * @rule ETH-01
 */
export function ethtoolGetCoalesce(dev: NetDevice<any>): EthtoolCoalesce {
  const ops = requireOps(dev, 'getCoalesce')
  return ethnlOps(dev, () => read(dev, ops))
}

function read(dev: NetDevice<any>, ops: OpsWith<'getCoalesce'>): EthtoolCoalesce {
  return { ...empty(), ...ops.getCoalesce(dev) }
}

/**
 * The parameters worth showing: declared by the driver, or not zero.
 *
 * @kernel coalesce_put_u32() net/ethtool/coalesce.c
 */
export function coalesceShown(dev: NetDevice<any>, coalesce: EthtoolCoalesce): Set<keyof EthtoolCoalesce> {
  const declared = ethtoolOps(dev).supportedCoalesceParams
  return new Set(KEYS.filter((key) => Boolean(coalesce[key]) || declared?.has(key) === true))
}

/**
 * Changes coalescing parameters; only those the driver declared.
 *
 * @returns true when something changed; then one `coalesce-ntf` was sent
 * @throws Errno EINVAL a parameter the driver did not declare; EOPNOTSUPP; whatever the driver throws
 * @kernel ethnl_set_coalesce() net/ethtool/coalesce.c
 * @rule ETH-02 ETH-03 ETH-08 ETH-09
 */
export function ethtoolSetCoalesce(dev: NetDevice<any>, change: EthtoolCoalesceChange): boolean {
  const ops = requireOps(dev, 'getCoalesce', 'setCoalesce')
  for (const key of KEYS) {
    if (change[key] !== undefined && ops.supportedCoalesceParams?.has(key) !== true) {
      throw new Errno('EINVAL', 'cannot modify an unsupported parameter', COALESCE_ATTRS[key])
    }
  }
  return ethnlOps(dev, () => {
    const next = ethnlUpdate(read(dev, ops), change, COALESCE_ATTRS)
    if (next === null) return false
    ops.setCoalesce(dev, next)
    if (dev.kernel.checks) checkReadBack(dev, 'coalesce', next, read(dev, ops), COALESCE_ATTRS)
    ethtoolNotify(dev, 'coalesce-ntf')
    return true
  })
}
