import { Errno, prErr, type ModuleContext, type ModuleDefinition } from '@vnet/kernel'
import { createVnetModule, type VnetInstances } from '@vnet/vnet'
import type { Backend } from '@vnet/backend'
import type { CardCable } from './card-cable.ts'
import { cableRefusal, cablesOf, type Cables } from './cables.ts'
import type { CableHost } from './host.ts'

/**
 * The module `vnet`, whose parameter `backend` also takes shared cables and what the host knows, and whose cards are
 * known to {@link cablesOf}.
 *
 * @kernel none
 */
export function vnetModule(host: CableHost): ModuleDefinition {
  const plain = createVnetModule()
  const backend = plain.params?.['backend']
  return {
    ...plain,
    params: {
      ...plain.params,
      ...(backend !== undefined && {
        backend: { ...backend, check: (spec) => cableRefusal(String(spec), host) },
      }),
    },
    init(ctx) {
      const cables = cablesOf(ctx.kernel)
      cables.useHost(host)
      load(ctx, cables)
    },
  }
}

function load(ctx: ModuleContext, cables: Cables): void {
  const spec = String(ctx.params['backend'])
  const made: CardCable[] = []
  const backend = (): Backend => {
    const cable = cables.prepare(ctx)
    made.push(cable)
    return told(ctx, spec, () => cable.first(spec))
  }
  try {
    createVnetModule({ backend }).init(ctx)
  } catch (error) {
    for (const cable of made) cable.remove()
    throw error
  }
  for (const [i, { card, dev }] of (ctx.data as VnetInstances).all.entries()) cables.add(made[i]!, card, dev)
}

/** Why it cannot be made is for the log, since insmod has no words of its own for it. */
function told<T>(ctx: ModuleContext, spec: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof Errno) prErr(ctx.kernel, `vnet: ${spec}: ${error.message}`)
    throw error
  }
}
