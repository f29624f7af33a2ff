import { prInfo, type Kernel, type ModuleDefinition } from '@vnet/kernel'
import { cablesOf } from '@vnet/machine'
import { Lab } from './lab.ts'

/** How the lab's devices are joined. */
export interface LabModuleOptions {
  readonly namespaces: readonly [string, string]
  /** The name of the patch cable. */
  readonly cable: string
  /** What it does to frames, as `parseFaults` takes it. */
  readonly faults: string
  readonly delayNs: number
}

/** The lab as a module of its machine: loaded it is there, removed it is gone. */
export function labModule(options: LabModuleOptions): ModuleDefinition {
  return {
    name: 'vnet_lab',
    license: 'Dual MIT/GPL',
    description: 'Two devices between two network namespaces of the host',
    init(ctx) {
      ctx.data = buildLab(ctx.kernel, options)
      prInfo(ctx.kernel, `vnet_lab: ${options.namespaces.join(' and ')} are joined`)
    },
    exit: (ctx) => (ctx.data as Lab).close(),
  }
}

function buildLab(kernel: Kernel, { namespaces, cable, faults, delayNs }: LabModuleOptions): Lab {
  const cables = cablesOf(kernel)
  cables.shared.describePatch(cable, { delayNs })
  const [a, b] = [cables.prepare(), cables.prepare()]
  try {
    // One end is enough: it acts on both directions.
    const ends = [a.first(`patch:${cable}`, faults), b.first(`patch:${cable}`)] as const
    const lab = new Lab(kernel, { namespaces, ends })
    for (const [i, slot] of [a, b].entries()) cables.add(slot, lab.sides[i]!.card, lab.sides[i]!.dev)
    return lab
  } catch (error) {
    a.remove()
    b.remove()
    throw error
  }
}
