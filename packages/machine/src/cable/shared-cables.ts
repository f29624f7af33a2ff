import { Wrapper, patchCable, switchBackend } from '@vnet/backend'
import type { Backend, PatchCableOptions } from '@vnet/backend'
import { Errno, type Kernel } from '@vnet/kernel'
import { Crossing } from './crossing.ts'

/** Cards that one switch takes. */
const SWITCH_PORTS = 64
const SPEC = /^(switch|patch):([A-Za-z0-9][A-Za-z0-9_.-]{0,31})$/

/** What several cards are plugged into, and which of its places are free. */
interface Joint {
  readonly places: readonly Backend[]
  readonly taken: Set<Backend>
}

/** One place of a cable that several cards share; `close()` frees it. @kernel none */
export class SharedPlug extends Wrapper {
  #free: (() => void) | null

  constructor(lower: Backend, free: () => void) {
    super(lower.name, lower)
    this.#free = free
  }

  /** Gives the place back. The card is unplugged first. */
  close(): void {
    this.attach(null)
    this.#free?.()
    this.#free = null
  }
}

/**
 * The switches and patch cables that cards of one process share, by name: `switch:lan`, `patch:ab`.
 *
 * One is made when the first card is plugged in and is gone with the last. The cards may be of several kernels.
 *
 * @kernel none
 */
export class SharedCables {
  readonly #kernel: Kernel
  readonly #joints = new Map<string, Joint>()
  readonly #patches = new Map<string, PatchCableOptions>()

  /** @param kernel - in whose time the cables are */
  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** Says whether a text names such a cable. */
  static knows(spec: string): boolean {
    return /^(switch|patch):/.test(spec)
  }

  /** Says how a patch cable will be when it is made. */
  describePatch(name: string, options: PatchCableOptions): void {
    this.#patches.set(name, options)
  }

  /**
   * Takes a free place.
   *
   * @param kernel - that of the card
   * @throws Errno EINVAL for what is no such name; EBUSY when every place is taken
   */
  plug(spec: string, kernel: Kernel = this.#kernel): SharedPlug {
    const [, kind, name] = SPEC.exec(spec) ?? []
    if (kind === undefined || name === undefined)
      throw new Errno('EINVAL', `"${spec}" is no shared cable: write switch:NAME or patch:NAME`)
    const joint = this.#joints.get(spec) ?? this.#make(kind, name)
    const place = joint.places.find((free) => !joint.taken.has(free))
    if (place === undefined)
      throw new Errno('EBUSY', `${spec} has ${joint.places.length} places, and all are taken`)
    this.#joints.set(spec, joint)
    joint.taken.add(place)
    const end = kernel === this.#kernel ? place : new Crossing(kernel, this.#kernel, place)
    return new SharedPlug(end, () => this.#leave(spec, joint, place))
  }

  #make(kind: string, name: string): Joint {
    if (kind === 'patch') {
      const { a, b } = patchCable(this.#kernel, { ...this.#patches.get(name), name })
      return { places: [a, b], taken: new Set() }
    }
    const fabric = switchBackend(this.#kernel, { ports: SWITCH_PORTS, name })
    return { places: Array.from({ length: SWITCH_PORTS }, (_, i) => fabric.port(i)), taken: new Set() }
  }

  #leave(spec: string, joint: Joint, place: Backend): void {
    joint.taken.delete(place)
    if (joint.taken.size === 0) this.#joints.delete(spec)
  }
}
