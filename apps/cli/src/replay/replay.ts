import { createWriteStream, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  accounts,
  captureReplay,
  compose,
  faultInjector,
  pcapWriter,
  tracer,
  type Accounts,
  type CaptureReplay,
  type Middleware,
} from '@vnet/backend'
import { createKernel, type Kernel } from '@vnet/kernel'
import { runEthtool } from '@vnet/ethtool'
import {
  ETH_P_ALL,
  NET_RX_SUCCESS,
  PACKET_OUTGOING,
  consumeSkb,
  devAddPack,
  devGetStats,
  devSetPromiscuity,
  runIpLink,
  type RtnlLinkStats64,
} from '@vnet/netdev'
import { insmodVnet, leftovers, linkUp, unloadAll } from '../session.ts'
import type { Progress } from '../ui/progress.ts'
import type { ReplayOptions } from './options.ts'
import { CaptureFile } from './source.ts'
import { Tally } from './tally.ts'

/** Simulated time of one slice between two looks at progress and signals. */
const SLICE_NS = 1_000_000

/** What a replay came to. */
export interface ReplayResult {
  readonly offered: { readonly frames: number; readonly bytes: number }
  readonly tally: Tally
  readonly stats: RtnlLinkStats64
  readonly accounts: Accounts
  /** `ip -s link show vnet0` before the module was removed. */
  readonly ipLink: string
  /** What was wrong with the file, with the byte; frames before it were replayed. */
  readonly damage: string | null
  /** Broken rules and things left behind; both empty when all is well. */
  readonly violations: readonly string[]
  readonly leaked: readonly string[]
  readonly interrupted: boolean
}

/** One replay: a kernel, vnet in promiscuous mode, and the file as its cable. */
export class Replay {
  private readonly options: ReplayOptions
  private readonly kernel: Kernel
  private readonly tally = new Tally()
  private readonly line: (text: string) => void
  private file: CaptureFile | null = null
  private stopped = false

  constructor(options: ReplayOptions, line: (text: string) => void) {
    this.options = options
    this.line = line
    this.kernel = createKernel({ strict: false, checks: true, seed: options.seed })
  }

  /** Ends the replay at the next slice; what was replayed is still accounted for. */
  stop(): void {
    this.stopped = true
  }

  /** Bytes of the file, before anything is read. @throws CommandError */
  open(): number {
    this.file = new CaptureFile(this.options.file)
    return this.file.size
  }

  async run(progress: Progress): Promise<ReplayResult> {
    const { kernel, options } = this
    const replay = this.source()
    const output = options.write === null ? null : createWriteStream(options.write)
    const cable = compose(replay, ...this.middleware(output))
    insmodVnet(kernel, { backend: () => cable }, [`rx_ring=${options.rxRing}`])
    this.listen()
    const dev = linkUp(kernel, 'vnet0')
    kernel.rtnl.run(() => devSetPromiscuity(dev, 1))
    // GRO would hand the tap several frames as one.
    runEthtool(kernel, ['-K', 'vnet0', 'gro', 'off'])
    await this.pump(replay, progress)
    const stats = devGetStats(dev)
    const ipLink = runIpLink(kernel, ['-s', 'link', 'show', 'vnet0']).stdout
    unloadAll(kernel)
    this.file?.close()
    if (output !== null) {
      output.end()
      await once(output, 'finish')
    }
    return {
      offered: { frames: replay.progress.frames, bytes: replay.progress.bytes },
      tally: this.tally,
      stats,
      accounts: accounts(cable),
      ipLink,
      damage: replay.error === null ? null : replay.error.message,
      violations: kernel.violations.map((v) => v.message),
      leaked: leftovers(kernel).map((e) => `${e.kind} ${e.name}`),
      interrupted: this.stopped,
    }
  }

  /** The capture as a cable: streamed once, or read whole when it is to be repeated. */
  private source(): CaptureReplay {
    const { options, kernel } = this
    const timing = { timing: options.speed, pauseless: !options.pauses }
    if (options.loop === 1) return captureReplay(kernel, { ...timing, capture: this.file!.feed })
    return captureReplay(kernel, { ...timing, capture: readFileSync(options.file), loop: options.loop })
  }

  private middleware(output: NodeJS.WritableStream | null): Middleware[] {
    const { kernel, options } = this
    const chain: Middleware[] = []
    if (options.faults !== null) chain.push(faultInjector(kernel, options.faults))
    if (options.frames) chain.push(tracer(kernel, { print: this.line }))
    if (output !== null) {
      const format = options.write!.endsWith('.pcapng') ? 'pcapng' : 'pcap'
      chain.push(pcapWriter(kernel, (chunk) => void output.write(chunk), { format }))
    }
    return chain
  }

  /** A tap, as tcpdump has it; frames are not merged, so that each is counted. */
  private listen(): void {
    const { kernel, tally } = this
    devAddPack(kernel, {
      type: ETH_P_ALL,
      func: (skb) => {
        if (skb.pktType !== PACKET_OUTGOING) tally.add(skb)
        consumeSkb(skb)
        return NET_RX_SUCCESS
      },
    })
  }

  private async pump(replay: CaptureReplay, progress: Progress): Promise<void> {
    const { kernel, file } = this
    while (!replay.done && !this.stopped) {
      if (this.options.loop === 1) file!.pump()
      kernel.runUntil(() => replay.done, SLICE_NS)
      if (!replay.done && this.options.speed === 'original') kernel.step()
      progress.at(file!.read, file!.size, replay.progress.frames)
      await nextTurn()
    }
    // Frames that the fault injector still holds, and the last interrupts.
    kernel.runFor(this.options.faults === null ? SLICE_NS : 10e9)
    progress.end()
  }
}
