import type { Kernel, ModuleDefinition } from '@vnet/kernel'
import { createVnetModule } from '@vnet/vnet'
import type { MachineHost } from './host.ts'
import type { ModuleSource } from './module-source.ts'

const NAME = 'vnet'

/**
 * The modules that come with every machine: `vnet`. A name may have a path in front and `.ko` behind.
 *
 * With a host that has cables, the parameter `backend` also takes what the host knows, such as `tap:vnet0`.
 *
 * @kernel none
 */
export function builtinModules(host: MachineHost = {}): ModuleSource {
  return {
    find: (nameOrPath, done) => done(moduleName(nameOrPath) === NAME ? vnetModule(host) : null),
    names: () => [NAME],
  }
}

/** The name of a module out of what stands on a command line: without folder and `.ko`, `-` as `_`. @kernel none */
export function moduleName(nameOrPath: string): string {
  return nameOrPath.replace(/^.*\//, '').replace(/\.ko$/, '').replaceAll('-', '_')
}

function vnetModule(host: MachineHost): ModuleDefinition {
  const plain = createVnetModule()
  const cable = host.cable?.bind(host)
  const backend = plain.params?.['backend']
  if (cable === undefined || backend === undefined) return plain
  const own = (spec: string): boolean => backend.check?.(spec) === undefined
  return {
    ...plain,
    params: {
      ...plain.params,
      backend: { type: 'charp', default: backend.default, description: backend.description },
    },
    init(ctx) {
      const spec = String(ctx.params['backend'])
      const make = (kernel: Kernel) => cable(spec, kernel)
      if (own(spec)) plain.init(ctx)
      else createVnetModule({ backend: make }).init(ctx)
    },
  }
}
