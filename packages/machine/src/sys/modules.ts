import type { Kernel, LoadedModule, ModuleParam, ModuleParamValue } from '@vnet/kernel'
import { attribute, link, liveDir, staticDir } from '../vfs/dirs.ts'
import type { VfsDir, VfsNode } from '../vfs/node.ts'
import { moduleSize, moduleTaints } from '../module-text.ts'
import { ueventFile } from './uevent.ts'

/** /sys/module: a directory for each loaded module. @kernel mod_sysfs_setup() kernel/module/sysfs.c */
export function modulesDir(kernel: Kernel): VfsDir {
  return liveDir(
    () => kernel.modules.list().map((module) => module.name),
    (name) => {
      const module = kernel.modules.get(name)
      return module === undefined ? undefined : moduleDir(kernel, module)
    },
  )
}

function moduleDir(kernel: Kernel, module: LoadedModule): VfsDir {
  const entries: Record<string, VfsNode | (() => VfsNode)> = {
    coresize: attribute(() => `${moduleSize(module.def)}\n`),
    holders: () => holdersDir(module),
    initsize: attribute(() => '0\n'),
    initstate: attribute(() => `${module.state}\n`),
    refcnt: attribute(() => `${module.refcnt}\n`),
    taint: attribute(() => `${moduleTaints(module.def)}\n`),
    uevent: ueventFile(kernel, `/module/${module.name}`, () => ''),
  }
  if (module.def.version !== undefined) entries['version'] = attribute(() => `${module.def.version}\n`)
  if (Object.keys(module.def.params ?? {}).length > 0) entries['parameters'] = () => parametersDir(module)
  return staticDir(entries)
}

function holdersDir(module: LoadedModule): VfsDir {
  return liveDir(
    () => module.holders,
    (name) => (module.holders.includes(name) ? link(`../../${name}`) : undefined),
  )
}

/** The parameters as they are; a driver here reads them once, so they cannot be set. @kernel module_param_sysfs_setup() kernel/params.c */
function parametersDir(module: LoadedModule): VfsDir {
  const params = module.def.params ?? {}
  return liveDir(
    () => Object.keys(params),
    (name) =>
      Object.hasOwn(params, name)
        ? attribute(() => `${paramText(params[name]!, module.params[name]!)}\n`)
        : undefined,
  )
}

/** @kernel param_get_bool() kernel/params.c */
function paramText(param: ModuleParam, value: ModuleParamValue): string {
  return param.type === 'bool' ? (value === true ? 'Y' : 'N') : String(value)
}
