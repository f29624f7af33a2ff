import type { Kernel } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import type { TestCable } from './cable.ts'
import type { RingsUnderTest } from './rings.ts'

/**
 * What a driver can do beyond the least. A check that needs what is missing is skipped; where a rule says how a
 * missing thing is refused, the refusal is checked instead.
 *
 * @kernel none
 */
export interface Supports {
  /** It has a transmit ring that can fill, and stops its queue before. */
  readonly txRing?: boolean
  /** Its receive ring can run dry; what is lost then counts as missed. */
  readonly rxRing?: boolean
  /** It completes transmits by interrupt or poll, later than `ndoStartXmit`. */
  readonly completion?: boolean
  readonly napi?: boolean
  /** It reports to the byte queue limits. */
  readonly bql?: boolean
  /** It has `ndoTxTimeout`. */
  readonly watchdog?: boolean
  /** Its carrier follows the cable. */
  readonly carrier?: boolean
  /** It pads short frames to 60 bytes. */
  readonly padding?: boolean
  /** It drops frames for others unless promiscuous. */
  readonly rxFilter?: boolean
  /** Ring sizes can be set with `ethtool -G`. */
  readonly ringparam?: boolean
  /** Coalescing can be set with `ethtool -C`. */
  readonly coalesce?: boolean
  /** It can be made with several queues (`CreateOptions.queues`). */
  readonly queues?: boolean
  /** It has counters of its own for `ethtool -S`. */
  readonly ethtoolStats?: boolean
  /** It rings its doorbell once a burst; `CardControls.doorbells` counts. */
  readonly xmitMore?: boolean
  /** The longest MTU it takes. Default 1500. */
  readonly maxMtu?: number
}

/** What the kit asks of a new driver. A size the driver cannot have it may round to the nearest. @kernel none */
export interface CreateOptions {
  readonly txRing?: number
  readonly rxRing?: number
  readonly queues?: number
}

/** What a card lets a test do to it. Each is optional; checks that need it are skipped without it. @kernel none */
export interface CardControls {
  /** Each frame takes so long on the wire, in ns; 0: no time. */
  slow?(frameNs: number): void
  /** Sends and completes nothing until `recover`, or until the driver resets it. */
  hang?(): void
  recover?(): void
  /** Doorbells rung so far. */
  doorbells?(): number
  /** Interrupts raised so far. */
  interrupts?(): number
  /** Until set back to null, each receive buffer the driver wants is refused while this returns true. */
  failAlloc?(fail: (() => boolean) | null): void
}

/** A driver on a kernel, with its card and the kit's cable. @kernel none */
export interface DriverUnderTest {
  readonly dev: NetDevice<any>
  readonly card?: CardControls
  /** Unregisters and frees all, the card too. */
  destroy(): void
}

/**
 * A driver as the kit sees it: a name, a way to make it, and what it can do.
 *
 * @kernel none
 */
export interface DriverSpec {
  readonly name: string
  /** Makes a registered device that is down, on a card with `cable` plugged in. Called for each check. */
  create(kernel: Kernel, cable: TestCable, options: CreateOptions): DriverUnderTest
  readonly supports?: Supports
  /** The rings it is built on, for the rules about rings. */
  readonly rings?: RingsUnderTest
}
