import { setEthtoolOps } from '@vnet/ethtool'
import { cancelWorkSync, workSetup, type Kernel } from '@vnet/kernel'
import { netifNapiAdd } from '@vnet/napi'
import * as nd from '@vnet/netdev'
import type { NetDevice } from '@vnet/netdev'
import { vnetNetdevOps, vnetPoll, vnetReset } from './driver.ts'
import { vnetEthtoolOps } from './ethtool-ops.ts'
import type { VnetHw } from './hw.ts'
import { VnetQueue, type VnetPriv } from './queue.ts'

/** Driver name, as `ethtool -i` prints it. */
export const DRV_NAME = 'vnet'
/** Driver version: that of this package. */
export const DRV_VERSION = '0.6.0'

/** What {@link createVnet} needs. */
export interface VnetOptions {
  hw: VnetHw
  /** Name or pattern. @defaultValue 'vnet%d' */
  name?: string
  /** Descriptors in each transmit ring: a power of two, 2 to 4096. @defaultValue 256 */
  txRing?: number
  /** Descriptors in each receive ring. @defaultValue 256 */
  rxRing?: number
  /** Largest MTU the user may set. @defaultValue 1500 */
  maxMtu?: number
}

/**
 * Allocates and registers a vnet device for a card.
 *
 * @throws Errno what registering refused; nothing is left behind then
 * @kernel none
 * @rule LIFE-01 LIFE-02 LIFE-12
 */
export function createVnet(kernel: Kernel, options: VnetOptions): NetDevice<VnetPriv> {
  const { hw } = options
  const dev: NetDevice<VnetPriv> = nd.allocEtherdevMqs<VnetPriv>(kernel, {
    name: options.name ?? 'vnet%d',
    ops: vnetNetdevOps,
    txqs: hw.queues,
    rxqs: hw.queues,
    priv: () => ({
      hw,
      queues: [],
      txPending: options.txRing ?? 256,
      rxPending: options.rxRing ?? 256,
      coalesce: { rxUsecs: 0, rxFrames: 1, txUsecs: 0, txFrames: 1 },
      resetWork: workSetup(kernel, () => vnetReset(dev), DRV_NAME),
    }),
  })
  dev.driverName = DRV_NAME
  dev.driverVersion = DRV_VERSION
  dev.busInfo = 'virtual'
  dev.maxMtu = options.maxMtu ?? dev.maxMtu
  nd.ethHwAddrSet(dev, hw.macAddress)
  setEthtoolOps(dev, vnetEthtoolOps)
  for (let i = 0; i < hw.queues; i++) {
    const q = new VnetQueue(dev, hw, i)
    q.napi = netifNapiAdd(dev, vnetPoll, { index: i })
    q.napi.data = q
    q.napi.flushHook = q.gro
    dev.priv.queues.push(q)
  }
  nd.netifCarrierOff(dev)
  try {
    nd.registerNetdev(dev)
  } catch (error) {
    nd.freeNetdev(dev)
    throw error
  }
  return dev
}

/** Unregisters and frees a vnet device; it is stopped first if it is up. @kernel none @rule LIFE-03 LIFE-05 */
export function destroyVnet(dev: NetDevice<VnetPriv>): void {
  nd.unregisterNetdev(dev)
  cancelWorkSync(dev.priv.resetWork)
  nd.freeNetdev(dev)
}
