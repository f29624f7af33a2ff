import type { ModuleDefinition } from '@vnet/kernel'

/**
 * Where `insmod` and `modprobe` find modules. Names are what the program gave: `vnet`, `vnet.ko`, a path.
 *
 * @kernel request_module() kernel/module/kmod.c
 */
export interface ModuleSource {
  /**
   * Looks for a module and calls `done` once, at once or later. `null` says there is none; `error` is then a sentence
   * for the log when something is there and is no module.
   */
  find(nameOrPath: string, done: (def: ModuleDefinition | null, error?: string) => void): void
  /** The names that can be loaded without a path. */
  names(): string[]
}
