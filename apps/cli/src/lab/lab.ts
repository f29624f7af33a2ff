import {
  compose,
  faultInjector,
  FaultInjector,
  patchCable,
  type Backend,
  type FaultOptions,
} from '@vnet/backend'
import { tapBackend, type TapBackend } from '@vnet/backend-tap'
import type { Kernel } from '@vnet/kernel'
import { Netns } from '@vnet/linux'
import { devOpen, type NetDevice } from '@vnet/netdev'
import { createCard, createVnet, destroyVnet, type VnetCard } from '@vnet/vnet'
import { HostStack } from './host-stack.ts'

/** The interface inside each namespace. */
export const LAB_IFNAME = 'vnet0'

/** How a lab is put together. */
export interface LabOptions {
  /** Two namespaces of the host, by name. */
  readonly namespaces: readonly [string, string]
  /** What the cable does to frames, each way. */
  readonly faults?: FaultOptions
  readonly delayNs?: number
  /** The end of a cable for each side; instead of a patch cable of the lab's own. */
  readonly ends?: readonly [Backend, Backend]
}

/** One half: a namespace's stack, a device, its card, its end of the cable. */
export interface LabSide {
  readonly namespace: string
  readonly tap: TapBackend
  readonly stack: HostStack
  readonly card: VnetCard
  readonly dev: NetDevice<any>
  readonly cable: Backend
}

/**
 * Two namespaces of the host joined by two drivers, two cards and a patch cable: what one sends goes through a TAP into
 * the first device, over the cable, up through the second device and out of the other TAP.
 */
export class Lab {
  readonly sides: readonly LabSide[]
  readonly faults: FaultInjector | null

  constructor(kernel: Kernel, options: LabOptions) {
    const ends = options.ends ?? ownCable(kernel, options)
    this.faults = ends[0] instanceof FaultInjector ? ends[0] : null
    const built: LabSide[] = []
    this.sides = built
    try {
      for (const [i, end] of ends.entries()) built.push(buildSide(kernel, i, options.namespaces[i]!, end))
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    for (const { stack, tap, card, dev } of [...this.sides].reverse()) {
      stack.close()
      tap.close()
      destroyVnet(dev)
      card.destroy()
    }
  }
}

function ownCable(kernel: Kernel, options: LabOptions): [Backend, Backend] {
  const { a, b } = patchCable(kernel, { name: 'lab', delayNs: options.delayNs ?? 0 })
  return [options.faults === undefined ? a : compose(a, faultInjector(kernel, options.faults)), b]
}

function buildSide(kernel: Kernel, index: number, namespace: string, cable: Backend): LabSide {
  const card = createCard(kernel, {
    name: `lab-card${index}`,
    macAddress: address(index, 0),
    queues: 1,
    backend: cable,
  })
  let dev: NetDevice<any> | null = null
  const netns = Netns.named(namespace)
  try {
    dev = createVnet(kernel, { hw: card })
    const opened = dev
    kernel.rtnl.run(() => devOpen(opened))
    const tap = tapBackend(kernel, {
      name: LAB_IFNAME,
      mode: 'new',
      netns,
      offload: true,
      macAddress: address(index, 1),
    })
    const stack = new HostStack(dev, tap)
    return { namespace, tap, stack, card, dev, cable }
  } catch (error) {
    if (dev !== null) destroyVnet(dev)
    card.destroy()
    throw error
  } finally {
    netns.close()
  }
}

/** The card's own address, which nobody uses: the host's stack above has one of its own. */
function address(side: number, what: number): Uint8Array {
  return Uint8Array.of(2, 0x76, 0x6e, 0, side, what)
}
