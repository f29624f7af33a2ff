import { createKernel, type CensusEntry, type Kernel } from '@vnet/kernel'
import {
  ETH_P_ALL,
  NET_RX_SUCCESS,
  PACKET_OUTGOING,
  consumeSkb,
  devAddPack,
  devClose,
  devGetStats,
  devOpen,
  devQueueXmit,
  netdevAllocSkb,
  registerNetdeviceNotifier,
  skbPut,
  type NetDevice,
  type RtnlLinkStats64,
  type SkBuff,
} from '@vnet/netdev'
import { TestCable } from './cable.ts'
import { testFrame } from './frames.ts'
import type { CardControls, CreateOptions, DriverSpec, DriverUnderTest, Supports } from './spec.ts'

/** Nanoseconds. @kernel none */
export const US = 1_000
/** Nanoseconds. @kernel none */
export const MS = 1_000_000
/** Nanoseconds. @kernel none */
export const SECOND = 1_000_000_000
/** The module all that belongs to the driver under test is tagged with. */
const MODULE = 'dut'
/** How long the link watch may rest. */
const SETTLE = 2 * SECOND

/** A driver does not do what its rule says. @kernel none */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure'
}

/** A check finds out that it does not apply. @kernel none */
export class CheckSkipped extends Error {
  override readonly name = 'CheckSkipped'
}

/**
 * A kernel, a cable and the driver under test, fresh for each check, with what checks need again and again.
 *
 * Broken rules are recorded, not thrown: the runner reads them afterwards.
 *
 * @kernel none
 */
export class Testbed {
  readonly kernel: Kernel
  readonly spec: DriverSpec
  readonly supports: Supports
  readonly cable: TestCable
  readonly seed: number
  /** Frames the stack got, taps included, headers and all. */
  readonly received: Uint8Array[] = []
  /** Notices of the network, as 'NETDEV_UP vnet0'. */
  readonly notices: string[] = []
  /** Set by a check that broke off the driver in the middle of something: what is left over then proves nothing. */
  brokeOff = false
  private made: DriverUnderTest | null = null
  private tapped = false
  private readonly others: DriverUnderTest[] = []

  constructor(spec: DriverSpec, seed: number) {
    this.spec = spec
    this.supports = spec.supports ?? {}
    this.seed = seed
    this.kernel = createKernel({ strict: false, checks: true, seed, regionBytes: 1 << 19 })
    this.cable = new TestCable(this.kernel)
    registerNetdeviceNotifier(this.kernel, (event, dev) => {
      this.notices.push(`${event} ${dev.name}`)
    })
  }

  // ── the driver ──

  /** Makes the driver; the device is registered and down. */
  create(options: CreateOptions = {}): NetDevice<any> {
    this.made = this.asModule(() => this.spec.create(this.kernel, this.cable, options))
    this.tap()
    return this.made.dev
  }

  /** Makes the driver and brings it up. */
  start(options: CreateOptions = {}): NetDevice<any> {
    const dev = this.create(options)
    this.up()
    return dev
  }

  /** Makes one more device of the same driver, registered and down, on a cable of its own. */
  another(options: CreateOptions = {}): { dut: DriverUnderTest; cable: TestCable } {
    const cable = new TestCable(this.kernel)
    const dut = this.asModule(() => this.spec.create(this.kernel, cable, options))
    this.others.push(dut)
    return { dut, cable }
  }

  /** Takes one device apart before the others. */
  takeAway(dut: DriverUnderTest): void {
    const at = this.others.indexOf(dut)
    if (at >= 0) this.others.splice(at, 1)
    this.asModule(() => dut.destroy())
  }

  get dut(): DriverUnderTest {
    if (this.made === null) throw new Error('the check has made no driver yet')
    return this.made
  }

  get dev(): NetDevice<any> {
    return this.dut.dev
  }

  /** What can be done to the card; skips the check when the card does not have it. */
  card<K extends keyof CardControls>(control: K): NonNullable<CardControls[K]> {
    const fn = this.dut.card?.[control]
    if (fn === undefined) throw new CheckSkipped(`the card has no ${control}()`)
    return fn.bind(this.dut.card) as NonNullable<CardControls[K]>
  }

  up(): void {
    this.kernel.rtnl.run(() => devOpen(this.dev))
  }

  down(): void {
    this.kernel.rtnl.run(() => devClose(this.dev))
  }

  /** Takes the driver apart; does nothing the second time. */
  destroy(): void {
    const all = [this.made, ...this.others.splice(0)].filter((dut) => dut !== null)
    this.made = null
    for (const dut of all) this.asModule(() => dut.destroy())
  }

  /** Runs `fn` as the driver's module would, so that what it makes is tagged. */
  asModule<T>(fn: () => T): T {
    this.kernel.currentModule = MODULE
    try {
      return fn()
    } finally {
      this.kernel.currentModule = null
    }
  }

  // ── traffic ──

  /** Lets `ns` of virtual time pass. */
  run(ns: number): void {
    this.kernel.runFor(ns)
  }

  /** For preemption points: lets the hardware and timers that are due in `ns` go on, though the CPU stands still. */
  passSoon(ns: number): void {
    const { clock, events } = this.kernel
    const end = clock.ktimeGet() + ns
    for (let n = 0; n < 100 && events.runOne(end); n++);
  }

  /** Hands a frame, or a test frame of that length, to the device's queue; returns what devQueueXmit returned. */
  send(what: number | Uint8Array = 60, n = 0, dev: NetDevice<any> = this.dev): number {
    const bytes = typeof what === 'number' ? testFrame(what, n) : what
    return devQueueXmit(this.makeSkb(bytes, dev))
  }

  /** A packet to send on `dev`, with these bytes in it. */
  makeSkb(bytes: Uint8Array, dev: NetDevice<any> = this.dev): SkBuff {
    const skb = netdevAllocSkb(dev, Math.max(bytes.length, 64))
    if (skb === null) throw new Error('the kit found no sk_buff')
    if (bytes.length > 0) skb.mem.set(bytes, skbPut(skb, bytes.length))
    return skb
  }

  /** Sends `count` numbered test frames. */
  sendMany(count: number, length = 60): void {
    for (let n = 0; n < count; n++) this.send(length, n)
  }

  /** Puts frames on the wire towards the card at one moment; a number makes that many test frames of 60 bytes. */
  inject(...frames: readonly (Uint8Array | number)[]): boolean[] {
    const all = frames.flatMap((f) =>
      typeof f === 'number' ? Array.from({ length: f }, (_, n) => testFrame(60, n)) : [f],
    )
    return this.cable.inject(...all)
  }

  stats(): RtnlLinkStats64 {
    return devGetStats(this.dev)
  }

  // ── what is alive ──

  /** Everything that belongs to the driver and is alive now. */
  alive(): CensusEntry[] {
    return this.kernel.census.take().filter((e) => e.module === MODULE || e.kind === 'skb')
  }

  /** Lets the last events happen, and says what is left after `destroy`. */
  leftovers(): CensusEntry[] {
    this.kernel.preemptHook = null
    this.kernel.runFor(SETTLE)
    return this.alive()
  }

  // ── verdicts ──

  /** Fails the check unless `good`. */
  expect(good: boolean, message: string): void {
    if (!good) throw new CheckFailure(message)
  }

  /** Fails the check unless both are the same, compared as text. */
  equal(actual: unknown, expected: unknown, what: string): void {
    const [a, b] = [show(actual), show(expected)]
    if (a !== b) throw new CheckFailure(`${what}: expected ${cut(b)}, got ${cut(a)}`)
  }

  /** Runs `fn` and returns the code of the Errno it throws; 'none' when it throws nothing. */
  errnoOf(fn: () => unknown): string {
    try {
      fn()
      return 'none'
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (typeof code === 'string') return code
      throw error
    }
  }

  skip(reason: string): never {
    throw new CheckSkipped(reason)
  }

  private tap(): void {
    if (this.tapped) return
    this.tapped = true
    devAddPack(this.kernel, {
      type: ETH_P_ALL,
      func: (skb) => {
        if (skb.pktType !== PACKET_OUTGOING)
          this.received.push(skb.mem.slice(skb.macHeader, skb.data + skb.len))
        consumeSkb(skb)
        return NET_RX_SUCCESS
      },
    })
  }
}

/** Longer values are cut. */
const SHOWN = 400

function show(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v)) ?? String(value)
}

function cut(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`
}
