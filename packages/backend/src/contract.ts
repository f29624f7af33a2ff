import type { BackendCounters } from './counters.ts'

/**
 * The card's side of the plug: what a backend calls.
 *
 * A backend calls these from a hardware event (`hwEventSetup`), from `kernel.hardware()`, or from a real file
 * descriptor inside `kernel.hostInterrupt()`; never from inside `transmit`, `flush` or `attach` of the same card, so a card
 * is not re-entered.
 *
 * @kernel none
 */
export interface BackendPort {
  /**
   * Offers one frame. The bytes are only valid during the call: the card copies what it keeps.
   *
   * Any length may come, 0 and 64 KiB included; what the card cannot take it counts and refuses.
   *
   * @param mem - the memory the frame lies in
   * @param offset - its first byte, in bytes from the start of `mem`
   * @param length - bytes without the frame check sequence
   * @returns false: the card missed it. The frame is gone; it is not offered again.
   */
  receive(mem: Uint8Array, offset: number, length: number): boolean
  /** The link came or went. Not called for the state found at `attach`: read `linkUp` there. */
  linkChange(up: boolean): void
  /** There is room again after `transmit` returned false. Called once per refusal, and not a promise that all will fit. */
  writable(): void
}

/**
 * What is on the other side of a card: a cable, a generator, a file, or a wrapper around another backend.
 *
 * @kernel none
 */
export interface Backend {
  /** For logs, traces and the owner of its events. */
  readonly name: string
  /** The carrier, as the card sees it now. */
  readonly linkUp: boolean
  /** One object, made once; read it at any time. */
  readonly counters: BackendCounters
  /** The backend this one wraps; none at the lowest. */
  readonly lower?: Backend
  /**
   * Plugs a card in, or with null takes it out.
   *
   * Process context. After `attach(null)` nothing is pending: frames still held are dropped and counted, events are
   * cancelled, the port is not called again. A wrapper passes it down, so it reaches the lowest.
   *
   * @throws Errno EBUSY when a card is plugged in already
   * @rule SKB-07
   */
  attach(port: BackendPort | null): void
  /**
   * Sends one frame. The bytes are only valid during the call, and are not changed. Any context.
   *
   * @param mem - the memory the frame lies in
   * @param offset - its first byte, in bytes from the start of `mem`
   * @param length - bytes without the frame check sequence
   * @returns false: full, nothing was taken; `port.writable()` follows. True says taken, not delivered.
   */
  transmit(mem: Uint8Array, offset: number, length: number): boolean
  /** The burst ends here: send what was kept back to be sent together. Any context. */
  flush?(): void
}

/**
 * Wraps a backend in another one.
 *
 * @kernel none
 */
export type Middleware = (lower: Backend) => Backend

/**
 * Puts middleware around a backend, the first nearest to it: `compose(cable, faults, trace)` gives card, trace, faults, cable.
 *
 * @kernel none
 */
export function compose(backend: Backend, ...middleware: readonly Middleware[]): Backend {
  let top = backend
  for (const wrap of middleware) top = wrap(top)
  return top
}

/**
 * Lists a backend and what it wraps, from the card downwards.
 *
 * @kernel none
 */
export function layers(backend: Backend): Backend[] {
  const found: Backend[] = []
  for (let layer: Backend | undefined = backend; layer !== undefined; layer = layer.lower) found.push(layer)
  return found
}
