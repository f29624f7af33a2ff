import { runEthtool } from '@vnet/ethtool'
import type { Backend } from '@vnet/backend'
import {
  NET_RX_SUCCESS,
  consumeSkb,
  devAddPack,
  devGetStats,
  runIpLink,
  type RtnlLinkStats64,
} from '@vnet/netdev'
import type { VnetInstance } from '@vnet/vnet'
import { generator } from '@vnet/backend'
import { loadModuleFile } from '../module-file.ts'
import { insmod, insmodVnet, linkUp, unloadAll } from '../session.ts'
import { screenOf } from '../ui/style.ts'
import { DRV_VERSION } from '../version.ts'
import { showAccounts } from './accounts.ts'
import { showBurst } from './burst.ts'
import { showCapture } from './capture.ts'
import { showArrivals } from './hello.ts'
import { Interrupted, Stage } from './stage.ts'

const ARRIVALS = 5
const INTERVAL_US = 400_000
const BURST = 64
/** EtherType of the generator's frames: the first for local experiments. */
const HELLO_TYPE = 0x88b5
/** Bytes the byte queue limit always allows, so that the ring is what fills. */
const LIMIT_MIN = 4096

/** What the command line said. */
export interface DemoOptions {
  readonly virtual: boolean
  /** A module file of another author, or ''. */
  readonly insmod: string
  readonly params: readonly string[]
}

/** `vnet demo`; returns the exit code. */
export async function demoCommand(options: DemoOptions, noColour: boolean): Promise<number> {
  const stage = new Stage(screenOf(process.stdout, noColour), options.virtual)
  const interrupt = (): void => {
    stage.interrupted = true
  }
  process.on('SIGINT', interrupt)
  try {
    return await new Demo(stage).run(options)
  } finally {
    process.removeListener('SIGINT', interrupt)
    stage.kernel.shutdown()
  }
}

class Demo {
  private readonly stage: Stage
  private readonly cables: Backend[] = []
  private instance: VnetInstance | null = null
  private queued = 0

  constructor(stage: Stage) {
    this.stage = stage
  }

  async run(options: DemoOptions): Promise<number> {
    const { stage } = this
    let code = 0
    stage.say(`vnet ${DRV_VERSION}: a Linux network driver in TypeScript, and the kernel around it.`)
    stage.note('Every line below comes from the running driver.')
    try {
      await this.show(options)
    } catch (error) {
      if (!(error instanceof Interrupted)) {
        unloadAll(stage.kernel)
        throw error
      }
      stage.say('\ninterrupted: unloading')
      code = 130
    }
    return this.unload() ? code : 1
  }

  private async show(options: DemoOptions): Promise<void> {
    const { stage } = this
    stage.title('The module')
    this.load()
    if (options.insmod !== '') await this.loadForeign(options)
    const { dev, card } = this.instance!
    stage.title(`Receiving: a frame each ${INTERVAL_US / 1000} ms, through interrupt, poll and stack`)
    await showArrivals(stage, ARRIVALS)
    stage.title('Sending: a burst to a card that takes 2 ms a frame')
    await this.burst()
    stage.title('A real capture as the cable')
    stage.prompt('ethtool -K vnet0 gro off')
    runEthtool(stage.kernel, ['-K', 'vnet0', 'gro', 'off'])
    stage.prompt('ip link set vnet0 promisc on')
    runIpLink(stage.kernel, ['link', 'set', 'vnet0', 'promisc', 'on'])
    stage.newDmesg()
    const replay = await showCapture(stage, dev, card)
    if (replay !== null) this.cables.push(replay)
    stage.title('What the tools see')
    for (const argv of [
      ['ip', '-s', 'link', 'show', 'vnet0'],
      ['ethtool', '-i', 'vnet0'],
      ['ethtool', '-S', 'vnet0'],
    ])
      this.tool(argv)
  }

  private load(): void {
    const { stage } = this
    const args = ['tx_ring=16', `interval_us=${INTERVAL_US}`]
    stage.prompt(`insmod vnet.ko ${args.join(' ')}`)
    const cable = generator(stage.kernel, { everyNs: INTERVAL_US * 1000 })
    this.cables.push(cable)
    this.instance = insmodVnet(stage.kernel, { backend: () => cable }, args)[0]!
    stage.newDmesg()
    this.takeHello()
    stage.prompt('ip link set vnet0 up')
    linkUp(stage.kernel, 'vnet0')
    stage.newDmesg()
  }

  /** A protocol that takes the generator's frames: without one the stack would drop them. */
  private takeHello(): void {
    devAddPack(this.stage.kernel, {
      type: HELLO_TYPE,
      func: (skb) => {
        consumeSkb(skb)
        return NET_RX_SUCCESS
      },
    })
  }

  private async loadForeign({ insmod: path, params }: DemoOptions): Promise<void> {
    const { stage } = this
    const def = await loadModuleFile(path)
    stage.prompt(`insmod ${[path, ...params].join(' ')}`)
    insmod(stage.kernel, def, params, path)
    stage.newDmesg()
    stage.prompt('ip link')
    stage.screen.write(runIpLink(stage.kernel, ['link']).stdout)
  }

  private async burst(): Promise<void> {
    const { stage } = this
    const { dev, card } = this.instance!
    stage.prompt(`echo ${LIMIT_MIN} > /sys/class/net/vnet0/queues/tx-0/byte_queue_limits/limit_min`)
    const { dql } = dev.txq[0]!
    dql.minLimit = LIMIT_MIN
    dql.reset()
    this.queued += BURST
    await showBurst(stage, dev, card, BURST)
  }

  /** Runs one of the tools and prints what it prints. */
  private tool(argv: readonly string[]): void {
    const { stage } = this
    const run = argv[0] === 'ip' ? runIpLink : runEthtool
    stage.prompt(argv.join(' '))
    stage.screen.write(run(stage.kernel, argv.slice(1)).stdout)
  }

  private unload(): boolean {
    const { stage, instance } = this
    if (instance === null) return true
    const { dev, card } = instance
    stage.title('Unloading')
    stage.prompt('rmmod vnet')
    card.slow(0)
    const stats: RtnlLinkStats64 = devGetStats(dev)
    const stackDropped = dev.coreStats.rxDropped
    unloadAll(stage.kernel)
    stage.newDmesg()
    stage.title('The accounts')
    return showAccounts(stage, {
      cables: this.cables,
      stats,
      card: card.counters,
      stackDropped,
      queued: this.queued,
    })
  }
}
