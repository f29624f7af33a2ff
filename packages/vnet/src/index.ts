/**
 * `@vnet/vnet` is vnet0: a Linux network driver, the card it drives, and the module that loads both.
 *
 * The three parts can each be replaced: the driver talks to the card through {@link VnetHw}, the card to the cable
 * through `Backend` of `@vnet/backend`.
 *
 * @packageDocumentation
 */
export * from './card.ts'
export * from './device.ts'
export * from './driver.ts'
export * from './ethtool-ops.ts'
export * from './hw.ts'
export * from './module.ts'
export * from './queue.ts'
export * from './regs.ts'
export * from './ring-size.ts'
export * from './stats.ts'
export * from './steer.ts'
export { type CardHostOptions, hostCard } from './worker/card-host.ts'
export { type CardChannel } from './worker/control.ts'
export { RemoteCard, type RemoteCardOptions, createRemoteCard } from './worker/remote-card.ts'
