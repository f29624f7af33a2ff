import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { ethnlOps, requireOps, unsupported } from './core.ts'
import { ethtoolNotify } from './notify.ts'
import { ethtoolState } from './state.ts'

/** The hash functions of receive-side scaling; a function's place is its bit. @kernel rss_hash_func_strings net/ethtool/common.c */
export const RSS_HASH_FUNCS: readonly string[] = ['toeplitz', 'xor', 'crc32']

/** How a card spreads what it receives over its queues. @kernel struct ethtool_rxfh_param include/linux/ethtool.h */
export interface EthtoolRxfh {
  /** The queue for each value of the low bits of the hash; empty: no such table. */
  readonly indir: readonly number[]
  /** The key of the hash; empty: none. */
  readonly key: Uint8Array
  /** One bit of {@link RSS_HASH_FUNCS}; 0: not told. */
  readonly hfunc: number
}

/** What is to change; what is not mentioned stays. */
export interface EthtoolRxfhChange {
  readonly indir?: readonly number[]
  readonly key?: Uint8Array
  readonly hfunc?: number
}

/** What can be asked for; `indir: 'default'` spreads evenly and forgets that somebody chose. */
export interface EthtoolRxfhRequest {
  readonly indir?: readonly number[] | 'default' | undefined
  readonly key?: Uint8Array | undefined
  readonly hfunc?: number | undefined
}

/** A flow rule, as far as the core must know it. */
export interface RxnfcRule {
  readonly location: number
  /** The queue it sends to, or null when it drops. */
  readonly queue: number | null
}

/**
 * The even spread that a table has until somebody sets it.
 *
 * @kernel ethtool_rxfh_indir_default() include/linux/ethtool.h
 * @rule MQ-04
 */
export function ethtoolRxfhIndirDefault(size: number, queues: number): number[] {
  return Array.from({ length: size }, (_, i) => i % queues)
}

/**
 * Reads how many queues the card can receive on.
 *
 * @throws Errno EOPNOTSUPP the driver does not tell; ENODEV
 * @kernel ethtool_get_rx_ring_count() net/ethtool/common.c
 */
export function ethtoolGetRxRingCount(dev: NetDevice<any>): number {
  const ops = requireOps(dev, 'getRxRingCount')
  return ethnlOps(dev, () => ops.getRxRingCount(dev))
}

/**
 * Reads how the card spreads what it receives.
 *
 * @throws Errno EOPNOTSUPP the driver does not tell; ENODEV
 * @kernel rss_prepare_data() net/ethtool/rss.c
 */
export function ethtoolGetRxfh(dev: NetDevice<any>): EthtoolRxfh {
  const ops = requireOps(dev, 'getRxfh')
  return ethnlOps(dev, () => ops.getRxfh(dev))
}

/**
 * Changes how the card spreads what it receives.
 *
 * @returns true when something changed; then one `rss-ntf` was sent
 * @throws Errno EINVAL a table of the wrong size or with a queue that does not exist, a key of the wrong length,
 * more than one hash function; EOPNOTSUPP; whatever the driver throws
 * @kernel ethtool_set_rxfh() net/ethtool/ioctl.c
 * @rule MQ-06 ETH-02 ETH-03
 */
export function ethtoolSetRxfh(dev: NetDevice<any>, request: EthtoolRxfhRequest): boolean {
  const ops = requireOps(dev, 'getRxfh', 'setRxfh', 'getRxRingCount')
  return ethnlOps(dev, () => {
    const before = ops.getRxfh(dev)
    const change = differences(before, request, ops.getRxRingCount(dev))
    const changed = Object.keys(change).length > 0
    if (changed) ops.setRxfh(dev, change)
    if (request.indir !== undefined) ethtoolState(dev).rxfhConfigured = request.indir !== 'default'
    if (changed) ethtoolNotify(dev, 'rss-ntf')
    return changed
  })
}

function differences(before: EthtoolRxfh, request: EthtoolRxfhRequest, queues: number): EthtoolRxfhChange {
  const change: { indir?: readonly number[]; key?: Uint8Array; hfunc?: number } = {}
  const { key, hfunc } = request
  const indir =
    request.indir === 'default' ? ethtoolRxfhIndirDefault(before.indir.length, queues) : request.indir
  if (indir !== undefined) {
    checkIndir(indir, before.indir.length, queues)
    if (indir.some((queue, i) => queue !== before.indir[i])) change.indir = indir
  }
  if (key !== undefined) {
    if (key.length !== before.key.length) throw new Errno('EINVAL', undefined, 'hkey')
    if (key.some((byte, i) => byte !== before.key[i])) change.key = key
  }
  if (hfunc !== undefined) {
    if (hfunc === 0 || (hfunc & (hfunc - 1)) !== 0) throw new Errno('EINVAL', undefined, 'hfunc')
    if (hfunc >= 1 << RSS_HASH_FUNCS.length) throw unsupported(undefined, 'hfunc')
    if (hfunc !== before.hfunc) change.hfunc = hfunc
  }
  return change
}

function checkIndir(indir: readonly number[], size: number, queues: number): void {
  if (size === 0) throw unsupported(undefined, 'indir')
  if (indir.length !== size) throw new Errno('EINVAL', undefined, 'indir')
  if (indir.some((queue) => !Number.isInteger(queue) || queue < 0 || queue >= queues)) {
    throw new Errno('EINVAL', undefined, 'indir')
  }
}
