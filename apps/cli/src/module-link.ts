import * as backend from '@vnet/backend'
import * as coreRing from '@vnet/core-ring'
import * as ethtool from '@vnet/ethtool'
import * as kernel from '@vnet/kernel'
import * as napi from '@vnet/napi'
import * as netdev from '@vnet/netdev'
import * as vnet from '@vnet/vnet'
import * as wire from '@vnet/wire'
import * as nodeModule from 'node:module'

/** What a module file may import: the running kernel's own, as a `.ko` is linked against the kernel that loads it. */
const SYMBOLS: Readonly<Record<string, object>> = {
  '@vnet/backend': backend,
  '@vnet/core-ring': coreRing,
  '@vnet/ethtool': ethtool,
  '@vnet/kernel': kernel,
  '@vnet/napi': napi,
  '@vnet/netdev': netdev,
  '@vnet/vnet': vnet,
  '@vnet/wire': wire,
}
const REGISTRY = Symbol.for('vnet.kernel.symbols')
const SCHEME = 'vnet:'

type Registry = Record<symbol, typeof SYMBOLS | undefined>

/** What Node has from 22.15 on. */
interface SyncHooks {
  registerHooks?(hooks: { resolve: Resolve; load: Load }): void
}
type Resolve = (
  specifier: string,
  context: unknown,
  next: (specifier: string, context: unknown) => unknown,
) => unknown
type Load = (url: string, context: unknown, next: (url: string, context: unknown) => unknown) => unknown

/**
 * From now on, files that import `@vnet/…` get the packages of this process. With a copy of their own, a module's
 * errors and devices would be strangers to the kernel that runs it.
 */
export function linkModules(): void {
  const registry = globalThis as Registry
  if (registry[REGISTRY] !== undefined) return
  registry[REGISTRY] = SYMBOLS
  const sources = Object.fromEntries(
    Object.entries(SYMBOLS).map(([name, symbols]) => [name, sourceOf(name, symbols)]),
  )
  // eslint-disable-next-line n/no-unsupported-features/node-builtins -- where it is not there, the other way is taken
  const { registerHooks } = nodeModule as SyncHooks
  if (registerHooks !== undefined) {
    registerHooks({
      resolve: (specifier, context, next) => resolveIn(sources, specifier) ?? next(specifier, context),
      load: (url, context, next) => loadIn(sources, url) ?? next(url, context),
    })
    return
  }
  // Older: the hooks run in a thread of their own, from their text.
  const text = `const SCHEME = ${JSON.stringify(SCHEME)}
let sources
export const initialize = (data) => { sources = data }
${resolveIn.toString()}
${loadIn.toString()}
export const resolve = (specifier, context, next) => ${resolveIn.name}(sources, specifier) ?? next(specifier, context)
export const load = (url, context, next) => ${loadIn.name}(sources, url) ?? next(url, context)`
  nodeModule.register(`data:text/javascript,${encodeURIComponent(text)}`, { data: sources })
}

/** A module that hands on what the registry has. */
function sourceOf(name: string, symbols: object): string {
  const names = Object.keys(symbols).filter((one) => one !== 'default')
  return `export const { ${names.join(', ')} } = globalThis[Symbol.for('vnet.kernel.symbols')][${JSON.stringify(name)}]`
}

function resolveIn(sources: Readonly<Record<string, string>>, specifier: string): object | undefined {
  if (sources[specifier] === undefined) return undefined
  return { url: SCHEME + specifier, format: 'module', shortCircuit: true }
}

function loadIn(sources: Readonly<Record<string, string>>, url: string): object | undefined {
  if (!url.startsWith(SCHEME)) return undefined
  return { format: 'module', shortCircuit: true, source: sources[url.slice(SCHEME.length)] }
}
