import { Errno } from './errno.ts'
import type { Kernel } from './kernel.ts'
import { modinfoText } from './modinfo.ts'
import { parameq, parseModuleParam, splitModuleArgs } from './module-param.ts'
import type { ModuleArgument, ModuleParam, ModuleParamValue } from './module-param.ts'
import { prErr, prWarn } from './printk.ts'

/** What a module's `init` and `exit` get. */
export interface ModuleContext {
  readonly kernel: Kernel
  readonly name: string
  readonly params: Readonly<Record<string, ModuleParamValue>>
  /** The module's own; `init` puts here what `exit` needs. */
  data: unknown
}

/** A module before it is loaded: the counterpart of a `.ko` file. */
export interface ModuleDefinition {
  readonly name: string
  readonly version?: string
  readonly license: string
  readonly author?: string
  readonly description?: string
  readonly params?: Readonly<Record<string, ModuleParam>>
  /** Modules that must be loaded first; they cannot be removed before this one. */
  readonly depends?: readonly string[]
  /** True for what belongs to the kernel itself; anything else taints it. */
  readonly intree?: boolean
  /** Where modinfo says it comes from. */
  readonly filename?: string
  /** Runs in process context. A thrown `Errno` refuses the load; what was made until then must be undone. */
  init(ctx: ModuleContext): void
  /** Without it the module cannot be removed. */
  exit?(ctx: ModuleContext): void
}

/** A module that is loaded. */
export interface LoadedModule {
  readonly name: string
  readonly def: ModuleDefinition
  readonly params: Readonly<Record<string, ModuleParamValue>>
  readonly state: 'coming' | 'live' | 'going'
  /** How many use it: `tryModuleGet()` and the modules in `holders`. */
  readonly refcnt: number
  /** The modules that depend on it. */
  readonly holders: readonly string[]
}

class Module implements LoadedModule {
  readonly name: string
  readonly def: ModuleDefinition
  readonly params: Readonly<Record<string, ModuleParamValue>>
  readonly ctx: ModuleContext
  readonly holders: string[] = []
  state: 'coming' | 'live' | 'going' = 'coming'
  gets = 0

  constructor(kernel: Kernel, def: ModuleDefinition, params: Record<string, ModuleParamValue>) {
    this.name = def.name
    this.def = def
    this.params = params
    this.ctx = { kernel, name: def.name, params, data: undefined }
  }

  get refcnt(): number {
    return this.gets + this.holders.length
  }
}

const TAINT_PROPRIETARY_MODULE = 1 << 0
const TAINT_OOT_MODULE = 1 << 12

const GPL_COMPATIBLE: readonly string[] = [
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]

/**
 * Loads and removes modules, and checks that a removed one left nothing behind.
 *
 * @kernel load_module() kernel/module/main.c
 */
export class ModuleLoader {
  readonly #kernel: Kernel
  readonly #modules = new Map<string, Module>()
  #tainted = 0

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** The bits of /proc/sys/kernel/tainted that loading modules sets. */
  get tainted(): number {
    return this.#tainted
  }

  /** The loaded modules, the newest first, as lsmod lists them. */
  list(): readonly LoadedModule[] {
    return [...this.#modules.values()].reverse()
  }

  /** The loaded module of this name. */
  get(name: string): LoadedModule | undefined {
    return this.#modules.get(name)
  }

  /** What `modinfo` prints about a module. */
  modinfoText(def: ModuleDefinition): string {
    return modinfoText(def)
  }

  /**
   * Loads a module: checks its parameters, then runs its `init`.
   *
   * `args` are `name=value`; they are joined by blanks and parsed as the kernel parses the line. An unknown
   * parameter is logged and ignored.
   *
   * @throws Errno EEXIST already loaded; EINVAL or ERANGE a parameter's value (logged); ENOENT a module it depends on
   * is not loaded; whatever `init` throws
   * @kernel init_module(2) kernel/module/main.c
   * @rule LIFE-02 LIFE-11
   */
  insmod(def: ModuleDefinition, args: readonly string[] = []): LoadedModule {
    this.#taint(def)
    if (this.#modules.has(def.name)) throw new Errno('EEXIST')
    for (const needed of def.depends ?? []) if (!this.#modules.has(needed)) throw new Errno('ENOENT')
    const module = new Module(this.#kernel, def, this.#parseArgs(def, args))
    this.#modules.set(def.name, module)
    for (const needed of def.depends ?? []) this.#modules.get(needed)!.holders.push(def.name)
    this.#init(module)
    module.state = 'live'
    return module
  }

  #init(module: Module): void {
    try {
      this.#runIn(module, () => module.def.init(module.ctx))
    } catch (error) {
      this.#forget(module)
      this.#checkLeaks(module.name, 'failed in init')
      throw error
    }
  }

  /**
   * Removes a module: runs its `exit`, then looks for what it left behind.
   *
   * @throws Errno ENOENT not loaded; EWOULDBLOCK in use; EBUSY it has no `exit`, or is just being loaded or removed
   * @kernel delete_module(2) kernel/module/main.c
   * @rule LIFE-11
   */
  rmmod(name: string): void {
    const module = this.#modules.get(name)
    if (module === undefined) throw new Errno('ENOENT', `Module ${name} is not currently loaded`)
    if (module.holders.length > 0) {
      throw new Errno('EWOULDBLOCK', `Module ${name} is in use by: ${module.holders.join(' ')}`)
    }
    if (module.state !== 'live' || module.def.exit === undefined) throw new Errno('EBUSY')
    if (module.gets > 0) throw new Errno('EWOULDBLOCK', `Module ${name} is in use`)
    module.state = 'going'
    try {
      this.#runIn(module, () => module.def.exit?.(module.ctx))
    } finally {
      this.#forget(module)
    }
    this.#checkLeaks(name, 'was removed')
  }

  /**
   * Takes a reference, so that the module cannot be removed.
   *
   * @returns false when there is no such module or it is being removed
   * @kernel try_module_get() include/linux/module.h
   */
  tryModuleGet(name: string): boolean {
    const module = this.#modules.get(name)
    if (module === undefined || module.state === 'going') return false
    module.gets++
    return true
  }

  /** Gives a reference back. @kernel module_put() include/linux/module.h */
  modulePut(name: string): void {
    const module = this.#modules.get(name)
    if (module === undefined || module.gets === 0) {
      this.#kernel.warnOn('LIFE-05', `module ${name}: modulePut without tryModuleGet`)
      return
    }
    module.gets--
  }

  #runIn(module: Module, fn: () => void): void {
    const before = this.#kernel.currentModule
    this.#kernel.currentModule = module.name
    try {
      fn()
    } finally {
      this.#kernel.currentModule = before
    }
  }

  #forget(module: Module): void {
    this.#modules.delete(module.name)
    for (const needed of module.def.depends ?? []) {
      const holders = this.#modules.get(needed)?.holders
      if (holders !== undefined) holders.splice(holders.indexOf(module.name), 1)
    }
    this.#kernel.dyndbg.removeModule(module.name)
  }

  #checkLeaks(name: string, when: string): void {
    const left = this.#kernel.census.take().filter((item) => item.module === name)
    if (left.length === 0) return
    const names = left.map((item) => `${item.kind} ${item.name}`).join(', ')
    this.#kernel.warnOn('LIFE-11', `module ${name} ${when} and left behind: ${names}`)
  }

  /** Each kind of taint is logged once in a kernel's life. */
  #taint(def: ModuleDefinition): void {
    if (def.intree !== true && (this.#tainted & TAINT_OOT_MODULE) === 0) {
      prWarn(this.#kernel, `${def.name}: loading out-of-tree module taints kernel.`)
      this.#tainted |= TAINT_OOT_MODULE
    }
    if (!GPL_COMPATIBLE.includes(def.license) && (this.#tainted & TAINT_PROPRIETARY_MODULE) === 0) {
      prWarn(this.#kernel, `${def.name}: module license '${def.license}' taints kernel.`)
      this.#tainted |= TAINT_PROPRIETARY_MODULE
    }
  }

  /** @kernel parse_args() kernel/params.c */
  #parseArgs(def: ModuleDefinition, args: readonly string[]): Record<string, ModuleParamValue> {
    const values: Record<string, ModuleParamValue> = {}
    for (const [name, param] of Object.entries(def.params ?? {})) values[name] = param.default
    const line = args.join(' ')
    for (const arg of splitModuleArgs(line)) {
      if (arg.name === '--' && arg.value === undefined) {
        const rest = line.slice(line.indexOf('--') + 2).trim()
        prWarn(this.#kernel, `${def.name}: parameters '${rest}' after \`--' ignored`)
        break
      }
      this.#parseArg(def, arg, values)
    }
    return values
  }

  #parseArg(def: ModuleDefinition, arg: ModuleArgument, values: Record<string, ModuleParamValue>): void {
    const found = Object.entries(def.params ?? {}).find(([name]) => parameq(name, arg.name))
    if (found === undefined) {
      if (arg.name === 'dyndbg') this.#kernel.dyndbg.moduleLoading(def.name, arg.value ?? '+p')
      else prWarn(this.#kernel, `${def.name}: unknown parameter '${arg.name}' ignored`)
      return
    }
    const [name, param] = found
    try {
      values[name] = parseModuleParam(param, arg.value)
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      this.#kernel.dyndbg.removeModule(def.name)
      const what = error.code === 'ENOSPC' ? 'too large' : 'invalid'
      prErr(this.#kernel, `${def.name}: \`${arg.value ?? ''}' ${what} for parameter \`${name}'`)
      throw error
    }
  }
}
