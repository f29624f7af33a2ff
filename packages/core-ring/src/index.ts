/**
 * Rings in typed memory: descriptor rings as network cards have them, record queues between two threads, rings of
 * references, the kernel's index arithmetic, and a spinlock. No dependencies; runs in browsers and in Node.
 *
 * Start with `new SpscRing(descRingLayout(256, 4))` for a queue, or with `DescRing` for a driver and its card.
 *
 * @packageDocumentation
 */
export { circCnt, circCntToEnd, circSpace, circSpaceToEnd } from './circ.ts'
export { DescRing, type DescRingDeviceSide, type DescRingDriverSide } from './desc-ring.ts'
export { DESC_RING_INDEX_BYTES, descRingBytes, descRingLayout, type DescRingLayout } from './layout.ts'
export { PtrRing } from './ptr-ring.ts'
export { type DescRingRole, SharedDescRing, type SharedDescRingOptions } from './shared-ring.ts'
export { SharedSpscRing } from './shared-spsc-ring.ts'
export {
  type LockObserver,
  SpinLock,
  type SpinLockInit,
  spinLock,
  spinLockBh,
  spinTrylock,
  spinUnlock,
  spinUnlockBh,
} from './spinlock.ts'
export { SpscRing } from './spsc-ring.ts'
