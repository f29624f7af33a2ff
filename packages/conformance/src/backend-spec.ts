import type { Kernel } from '@vnet/kernel'
import type { CablePort } from './cable.ts'

/** The counters of a backend; `BackendCounters` of `@vnet/backend` has this shape. @kernel none */
export interface BackendBooks {
  readonly txFrames: number
  readonly txBytes: number
  readonly rxFrames: number
  readonly rxBytes: number
  readonly rxMissed: number
  readonly dropped: number
  readonly held: number
  readonly upFrames: number
  readonly downFrames: number
  readonly made: number
}

/** A cable, a switch, whatever a card can be plugged into; `Backend` of `@vnet/backend` has this shape. @kernel none */
export interface BackendLike {
  readonly name: string
  readonly linkUp: boolean
  readonly counters: BackendBooks
  readonly lower?: BackendLike
  attach(port: CablePort | null): void
  transmit(mem: Uint8Array, offset: number, length: number): boolean
  flush?(): void
}

/**
 * A backend as the kit sees it.
 *
 * @kernel none
 */
export interface BackendSpec {
  readonly name: string
  /** Makes the backend; what else it needs (a card at the other end) is plugged in here and out in `unplug`. */
  create(kernel: Kernel): { readonly backend: BackendLike; unplug?(): void }
  /** What it sends comes back to the same card. */
  readonly echoes?: boolean
  /** It sends frames by itself. */
  readonly sends?: boolean
}
