import { statSync } from 'node:fs'
import { vnetMain7 } from '@vnet/example-vnet-main'
import { builtinModules, moduleName, type MachineHost, type ModuleSource } from '@vnet/machine'
import { loadModuleFile } from '../module-file.ts'

/** What the machine can load: vnet and the original's port by name, and files of other authors by their path. */
export function hostModules(host: MachineHost): ModuleSource {
  const builtIn = builtinModules(host)
  return {
    names: () => [...builtIn.names(), vnetMain7.name],
    find(nameOrPath, done) {
      if (!isFile(nameOrPath)) {
        if (moduleName(nameOrPath) === vnetMain7.name) done(vnetMain7)
        else builtIn.find(nameOrPath, done)
        return
      }
      loadModuleFile(nameOrPath).then(
        (def) => done(def),
        (error: unknown) => done(null, reason(error as Error)),
      )
    },
  }
}

function isFile(path: string): boolean {
  return path.startsWith('/') && statSync(path, { throwIfNoEntry: false }) !== undefined
}

/** What is wrong with the file, without insmod's words in front: the log's line begins with the path. */
function reason({ message }: Error): string {
  return message.replace(/^insmod: ERROR: could not load module .*?: /, '')
}
