/**
 * The cable behind a simulated card: a contract of one page, six backends, and middleware that goes around any of them.
 *
 * A backend takes frames from a card with `transmit` and brings it frames through the port the card plugged in. It
 * never calls the card from inside a call of the card, so a card need not expect to be re-entered. Backends: nothing,
 * a loop, a patch cable, a learning switch, a generator, the replay of a capture file. Middleware: seeded faults, a
 * rate limit, a tracer, a capture writer. Every frame is accounted for: `accounts()` adds up a chain.
 *
 * @packageDocumentation
 */

export { compose, layers } from './contract.ts'
export type { Backend, BackendPort, Middleware } from './contract.ts'
export { BackendCounters } from './counters.ts'
export { accounts } from './accounts.ts'
export type { Accounts, LayerAccount } from './accounts.ts'

export { BaseBackend } from './base.ts'
export { Wrapper } from './wrapper.ts'
export { DelayLine } from './delay-line.ts'
export type { DelayTarget } from './delay-line.ts'
export { FrameStore } from './frame-store.ts'
export type { FrameStoreSize } from './frame-store.ts'

export { nullBackend } from './null.ts'
export { loopback } from './loopback.ts'
export { patchCable } from './patch-cable.ts'
export type { PatchCable, PatchCableOptions } from './patch-cable.ts'
export { switchBackend, SwitchCounters } from './switch.ts'
export type { Switch, SwitchOptions } from './switch.ts'
export type { FdbEntry } from './fdb.ts'
export { generator } from './generator.ts'
export type { FrameGenerator, GeneratorOptions } from './generator.ts'
export { framesInTurn } from './frame-source.ts'
export type { FrameSource } from './frame-source.ts'
export type { BuiltInFrame, FrameAddresses } from './built-in-frames.ts'
export { captureReplay, ReplayProgress } from './capture-replay.ts'
export type { CaptureReplay, CaptureReplayOptions } from './capture-replay.ts'
export { CaptureFeed } from './capture-feed.ts'

export { faultInjector, FaultInjector } from './fault-injector.ts'
export { FaultCounts } from './fault-lane.ts'
export { parseFaults } from './fault-options.ts'
export type { Direction, FaultOptions } from './fault-options.ts'
export { parseDuration } from './parse-value.ts'
export type { Rate } from './rate.ts'
export { rateLimit } from './rate-limit.ts'
export type { RateLimitOptions } from './rate-limit.ts'
export { tracer } from './tracer.ts'
export type { TracerOptions } from './tracer.ts'
export { pcapWriter } from './pcap-writer.ts'
export type { PcapSinkOptions } from './pcap-writer.ts'
