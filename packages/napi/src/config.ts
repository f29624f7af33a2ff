import type { NapiOwner, NapiStruct } from './napi-struct.ts'
import { napiList, softnet } from './softnet.ts'

/** Settings of one instance that survive its deletion. @kernel struct napi_config include/linux/netdevice.h */
export interface NapiConfig {
  napiId: number
  deferHardIrqs: number
  groFlushTimeout: number
  irqSuspendTimeout: number
  threaded: boolean
}

/** Settings of an owner: those of a new instance, and those saved by index. */
export interface OwnerConfig {
  deferHardIrqs: number
  groFlushTimeout: number
  readonly saved: Map<number, NapiConfig>
}

/** Returns the owner's settings, made at first use. */
export function ownerConfig(owner: NapiOwner): OwnerConfig {
  const { configs } = softnet(owner.kernel)
  let config = configs.get(owner)
  if (config === undefined) {
    config = { deferHardIrqs: 0, groFlushTimeout: 0, saved: new Map() }
    configs.set(owner, config)
  }
  return config
}

/** Keeps the settings of an instance that has an index, id included. */
export function saveConfig(n: NapiStruct): void {
  if (n.index < 0) return
  ownerConfig(n.owner).saved.set(n.index, {
    napiId: n.napiId,
    deferHardIrqs: n.deferHardIrqs,
    groFlushTimeout: n.groFlushTimeout,
    irqSuspendTimeout: n.irqSuspendTimeout,
    threaded: n.threaded,
  })
}

/**
 * Sets how many empty polls are waited for before interrupts come back, for all instances of an owner, also new ones.
 *
 * Without a flush timeout it does nothing. `napi.deferHardIrqs` sets it for one instance.
 *
 * @kernel netdev_set_defer_hard_irqs() net/core/dev.h
 * @rule COAL-03 COAL-04
 */
export function netdevSetDeferHardIrqs(owner: NapiOwner, defer: number): void {
  const config = ownerConfig(owner)
  config.deferHardIrqs = defer
  for (const saved of config.saved.values()) saved.deferHardIrqs = defer
  for (const n of napiList(owner)) n.deferHardIrqs = defer
}

/**
 * Sets how long, in nanoseconds, packets may be held and interrupts deferred, for all instances of an owner, also new
 * ones. `napi.groFlushTimeout` sets it for one instance.
 *
 * @kernel netdev_set_gro_flush_timeout() net/core/dev.h
 * @rule COAL-03 COAL-04
 */
export function netdevSetGroFlushTimeout(owner: NapiOwner, timeoutNs: number): void {
  const config = ownerConfig(owner)
  config.groFlushTimeout = timeoutNs
  for (const saved of config.saved.values()) saved.groFlushTimeout = timeoutNs
  for (const n of napiList(owner)) n.groFlushTimeout = timeoutNs
}
