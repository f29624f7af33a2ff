import { DEBUG_FLAGS, parseDebugQueries } from './dyndbg-query.ts'
import type { DebugQuery } from './dyndbg-query.ts'
import { Errno } from './errno.ts'
import type { Kernel } from './kernel.ts'
import { LogLevel } from './printk.ts'
import { vsprintf } from './vsprintf.ts'
import { matchWildcard } from './wildcard.ts'

/** Where a debug line stands in the source, and what it prints. */
export interface DebugSiteInit {
  readonly module: string
  readonly file: string
  readonly line: number
  readonly func: string
  /** A printf format as for `vsprintf()`. A final newline is shown in the control file and dropped when printed. */
  readonly format: string
  /** Sites with a class only react to queries that name it. */
  readonly class?: string
}

/**
 * One debug line that can be switched on and off.
 *
 * On a hot path write `if (site.enabled) site.print(…)`, so that an argument is not even computed.
 *
 * @kernel struct _ddebug include/linux/dynamic_debug.h
 * @rule LOG-02
 */
export class DebugSite {
  readonly module: string
  readonly file: string
  readonly line: number
  readonly func: string
  readonly format: string
  readonly class: string | undefined
  /** True when the `p` flag is set. Only queries change it. */
  enabled = false
  /** Told when the line is switched on or off, for a line whose arguments come from a tracepoint. */
  onSwitch: ((on: boolean) => void) | null = null
  readonly #kernel: Kernel
  #flags = ''

  constructor(kernel: Kernel, init: DebugSiteInit) {
    this.#kernel = kernel
    this.module = init.module
    this.file = init.file
    this.line = init.line
    this.func = init.func
    this.format = init.format
    this.class = init.class
  }

  /** The flags set, in the control file's order; `_` for none. */
  get flags(): string {
    return this.#flags === '' ? '_' : this.#flags
  }

  /**
   * Prints the line at debug level when the site is on, else does nothing.
   *
   * @kernel __dynamic_pr_debug() lib/dynamic_debug.c
   */
  print(...args: readonly (string | number)[]): void {
    if (!this.enabled) return
    this.#kernel.log.emit(LogLevel.DEBUG, this.#prefix() + vsprintf(this.format, args))
  }

  /** Changes the flags as a query says; `DynamicDebug` calls it. */
  apply(op: DebugQuery['op'], flags: string): void {
    let next = ''
    for (const flag of DEBUG_FLAGS) {
      const had = this.#flags.includes(flag)
      const named = flags.includes(flag)
      if (op === '=' ? named : op === '+' ? had || named : had && !named) next += flag
    }
    this.#flags = next
    const on = next.includes('p')
    if (on === this.enabled) return
    this.enabled = on
    this.onSwitch?.(on)
  }

  /** What `m`, `f`, `s`, `l` and `t` put before a line. @kernel __dynamic_emit_prefix() lib/dynamic_debug.c */
  #prefix(): string {
    const has = (flag: string) => this.#flags.includes(flag)
    const task = has('t') ? (this.#kernel.ctx === 'process' ? '[1] ' : '<intr> ') : ''
    let where = ''
    if (has('m')) where += `${this.module}:`
    if (has('f')) where += `${this.func}:`
    if (has('s')) where += `${this.file}:`
    if (has('l')) where += `${this.line}:`
    return where === '' ? task : `${task}${where} `
  }
}

/**
 * All debug lines of a kernel, and the queries that switch them.
 *
 * @kernel dynamic debug lib/dynamic_debug.c
 * @rule LOG-02
 */
export class DynamicDebug {
  readonly #kernel: Kernel
  readonly #sites = new Map<string, DebugSite>()
  readonly #atLoad = new Map<string, string>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /**
   * Registers a debug line, switched off. The same place asked for twice is one site.
   *
   * While the module is loaded with `dyndbg=…`, that query is applied to it at once.
   */
  site(init: DebugSiteInit): DebugSite {
    const key = `${init.module} ${init.file}:${init.line} ${init.func} ${init.format}`
    let site = this.#sites.get(key)
    if (site === undefined) {
      site = new DebugSite(this.#kernel, init)
      this.#sites.set(key, site)
      const atLoad = this.#atLoad.get(init.module)
      if (atLoad !== undefined) this.#runFor(init.module, atLoad, [site])
    }
    return site
  }

  /** All sites in the order they were registered. */
  get sites(): readonly DebugSite[] {
    return [...this.#sites.values()]
  }

  /**
   * Runs what somebody writes into the control file, for example `module vnet func vnet_* +p`.
   *
   * Several queries are separated by `;` or newline; a bad one does not stop the others.
   *
   * @returns how many sites matched, changed or not
   * @throws Errno EINVAL with what is wrong and where; E2BIG when the text is longer than a page
   * @kernel ddebug_exec_queries() lib/dynamic_debug.c
   * @rule LOG-02
   */
  query(text: string): number {
    if (text.length > 4096) throw new Errno('E2BIG')
    return this.#run(text, undefined, this.#sites.values())
  }

  /**
   * The control file's text: one line a site.
   *
   * @kernel ddebug_proc_show() lib/dynamic_debug.c
   */
  controlText(): string {
    let out = '# filename:lineno [module]function flags format\n'
    for (const site of this.#sites.values()) out += controlLine(site)
    return out
  }

  /**
   * Keeps a query for sites of a module that are still to be registered: its `dyndbg=` parameter.
   *
   * @kernel ddebug_dyndbg_module_param_cb() lib/dynamic_debug.c
   */
  moduleLoading(module: string, query: string): void {
    this.#atLoad.set(module, query)
    this.#runFor(module, query, this.#sites.values())
  }

  /** Forgets a module's sites. @kernel ddebug_remove_module() lib/dynamic_debug.c */
  removeModule(module: string): void {
    this.#atLoad.delete(module)
    for (const [key, site] of this.#sites) {
      if (site.module !== module) continue
      site.apply('-', 'p')
      this.#sites.delete(key)
    }
  }

  /** A bad `dyndbg=` does not keep the module out; it is only logged. */
  #runFor(module: string, text: string, sites: Iterable<DebugSite>): void {
    try {
      this.#run(text, module, sites)
    } catch (error) {
      if (!(error instanceof Errno)) throw error
      this.#kernel.log.emit(LogLevel.ERR, `dyndbg: ${error.message}`)
    }
  }

  #run(text: string, module: string | undefined, sites: Iterable<DebugSite>): number {
    const all = [...sites]
    let found = 0
    let failed: Errno | undefined
    for (const result of parseDebugQueries(text)) {
      if ('error' in result) failed = result.error
      else found += change({ ...result.query, module: result.query.module ?? module }, all)
    }
    if (failed !== undefined) throw failed
    return found
  }
}

/** @kernel ddebug_change() lib/dynamic_debug.c */
function change(query: DebugQuery, sites: readonly DebugSite[]): number {
  let found = 0
  for (const site of sites) {
    if (!matches(query, site)) continue
    found++
    site.apply(query.op, query.flags)
  }
  return found
}

function matches(query: DebugQuery, site: DebugSite): boolean {
  if (query.module !== undefined && !matchWildcard(query.module, site.module)) return false
  if (query.class !== site.class) return false
  if (query.file !== undefined && !matchesFile(query.file, site.file)) return false
  if (query.func !== undefined && !matchWildcard(query.func, site.func)) return false
  if (query.format !== undefined && !matchesFormat(query.format, site.format)) return false
  if (query.firstLine !== 0 && site.line < query.firstLine) return false
  return query.lastLine === 0 || site.line <= query.lastLine
}

/** The whole path or only its last part. */
function matchesFile(pattern: string, file: string): boolean {
  return matchWildcard(pattern, file) || matchWildcard(pattern, file.slice(file.lastIndexOf('/') + 1))
}

/** `^` at the start means: begins with; else anywhere. No wildcards here. */
function matchesFormat(pattern: string, format: string): boolean {
  return pattern.startsWith('^') ? format.startsWith(pattern.slice(1)) : format.includes(pattern)
}

function controlLine(site: DebugSite): string {
  const format = site.format.replaceAll('\t', '\\t').replaceAll('\r', '\\r').replaceAll('\n', '\\n')
  const suffix = site.class === undefined ? '' : ` class:${site.class}`
  return `${site.file}:${site.line} [${site.module}]${site.func} =${site.flags} "${format}"${suffix}\n`
}
