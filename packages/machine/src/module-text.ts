import type { Kernel, LoadedModule, ModuleDefinition } from '@vnet/kernel'

/** What a module of this kernel is said to weigh: JavaScript has no sections to measure. */
const MODULE_BYTES = 16_384

/** Bytes that lsmod shows. @kernel struct module_layout include/linux/module.h */
export function moduleSize(_def: ModuleDefinition): number {
  return MODULE_BYTES
}

const GPL = /^(GPL( v2| and additional rights)?|Dual (BSD|MIT|MPL)\/GPL)$/

/** The letters of what a module taints the kernel with. @kernel module_flags_taint() kernel/module/main.c */
export function moduleTaints(def: ModuleDefinition): string {
  return (GPL.test(def.license) ? '' : 'P') + (def.intree === true ? '' : 'O')
}

const STATES: Readonly<Record<LoadedModule['state'], string>> = {
  live: 'Live',
  coming: 'Loading',
  going: 'Unloading',
}

/** /proc/modules. @kernel m_show() kernel/module/procfs.c */
export function procModules(kernel: Kernel): string {
  return kernel.modules.list().map(moduleLine).join('')
}

function moduleLine(module: LoadedModule): string {
  const { name, def, refcnt, holders, state } = module
  const users =
    holders.map((holder) => `${holder},`).join('') + (def.exit === undefined ? '[permanent],' : '')
  const taints = moduleTaints(def)
  const suffix = taints === '' ? '' : ` (${taints})`
  return `${name} ${moduleSize(def)} ${refcnt} ${users === '' ? '-' : users} ${STATES[state]} 0x0000000000000000${suffix}\n`
}
