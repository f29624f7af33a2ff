import type { Backend } from '@vnet/backend'
import { Errno, type Kernel } from '@vnet/kernel'
import { registerNetdeviceNotifier, type NetDevice } from '@vnet/netdev'
import { moduleCable, type VnetCard } from '@vnet/vnet'
import { CardCable } from './card-cable.ts'
import { FrameTap } from './frame-tap.ts'
import type { CableHost } from './host.ts'
import { SharedCables } from './shared-cables.ts'

/** What the module `vnet` makes by itself. */
const PLAIN: readonly string[] = ['null', 'loopback', 'generator']
/** The generator of a card that no module with parameters made: a frame a second. */
const NO_PARAMS = { params: { interval_us: 1_000_000, count: 0, frame: 'hello' } }

type Params = Parameters<typeof moduleCable>[2]

/** One card that is registered, and what ends its being served. */
interface Entry {
  readonly cable: CardCable
  unserve: () => void
}

/**
 * The vnet cards of a machine, each with what is plugged into it. Get it with {@link cablesOf}.
 *
 * @kernel none
 */
export class Cables {
  readonly kernel: Kernel
  readonly #entries: Entry[] = []
  #host: CableHost = {}
  #shared: SharedCables | null = null
  #endWatch: (() => void) | null = null

  constructor(kernel: Kernel) {
    this.kernel = kernel
  }

  /** Says what the world around the machine can give; the first to say it counts. */
  useHost(host: CableHost): void {
    if (Object.keys(this.#host).length === 0) this.#host = host
  }

  /** Those of registered devices, in the order they came. */
  list(): readonly CardCable[] {
    return this.#entries.map(({ cable }) => cable)
  }

  /** @throws Errno ENODEV */
  get(name: string): CardCable {
    const found = this.#entries.find(({ cable }) => cable.name === name)
    if (found === undefined) throw new Errno('ENODEV', `there is no vnet device "${name}"`)
    return found.cable
  }

  /** The cables that several cards share. */
  get shared(): SharedCables {
    return this.#host.shared ?? (this.#shared ??= new SharedCables(this.kernel))
  }

  /** The cable of a card that is yet to be made. */
  prepare(params: Params = NO_PARAMS): CardCable {
    const tap = this.#host.wire === undefined ? null : new FrameTap(this.kernel)
    return new CardCable(this.kernel, (spec) => this.#make(spec, params), tap)
  }

  /** The device of the card is registered: it is listed, and served, until it goes. */
  add(cable: CardCable, card: VnetCard, dev: NetDevice<any>): void {
    cable.bind(card, dev)
    const entry = { cable, unserve: () => {} }
    this.#entries.push(entry)
    this.#serve(entry)
    this.#endWatch ??= registerNetdeviceNotifier(this.kernel, (event, which) => {
      if (event === 'NETDEV_UNREGISTER') this.#gone(which)
      else if (event === 'NETDEV_CHANGENAME') this.#renamed(which)
    })
  }

  #make(spec: string, params: Params): Backend {
    const refusal = cableRefusal(spec, this.#host)
    if (refusal !== undefined) throw new Errno('EINVAL', `"${spec}" is no cable: ${refusal}`)
    if (PLAIN.includes(spec)) return moduleCable(this.kernel, spec, params)
    if (SharedCables.knows(spec)) return this.shared.plug(spec, this.kernel)
    return this.#host.cable!(spec, this.kernel)
  }

  #serve(entry: Entry): void {
    const { tap, name } = entry.cable
    if (tap !== null) entry.unserve = this.#host.wire?.(name, tap) ?? entry.unserve
  }

  #renamed(dev: NetDevice<any>): void {
    const entry = this.#entries.find(({ cable }) => cable.dev === dev)
    if (entry === undefined) return
    entry.unserve()
    this.#serve(entry)
  }

  #gone(dev: NetDevice<any>): void {
    const at = this.#entries.findIndex(({ cable }) => cable.dev === dev)
    if (at < 0) return
    const [entry] = this.#entries.splice(at, 1)
    entry!.unserve()
    entry!.cable.remove()
    if (this.#entries.length > 0) return
    this.#endWatch?.()
    this.#endWatch = null
  }
}

/** A sentence when no cable has such a name; a host may still refuse it when it is made. @kernel none */
export function cableRefusal(spec: string, host: CableHost): string | undefined {
  const known = PLAIN.includes(spec) || SharedCables.knows(spec) || host.cable !== undefined
  return known ? undefined : `one of ${PLAIN.join(', ')}, switch:NAME, patch:NAME`
}

/** The cables of a kernel. @kernel none */
export function cablesOf(kernel: Kernel): Cables {
  return kernel.subsys('vnet.cables', (owner) => new Cables(owner))
}
