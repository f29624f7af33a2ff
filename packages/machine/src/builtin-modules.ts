import { vnetModule } from './cable/vnet-module.ts'
import type { MachineHost } from './host.ts'
import type { ModuleSource } from './module-source.ts'

const NAME = 'vnet'

/**
 * The modules that come with every machine: `vnet`. A name may have a path in front and `.ko` behind.
 *
 * The parameter `backend` also takes `switch:NAME` and `patch:NAME`, which join cards, and with a host that has cables
 * what it knows, such as `tap:vnet0`.
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
