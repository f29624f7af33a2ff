/** Runs one measurement and prints its figures as JSON. */
import type { Measure } from './measures.ts'

type Run = (quick: boolean) => Promise<Measure[]>

const runs: Readonly<Record<string, (() => Promise<Run>) | undefined>> = {
  alloc: async () => (await import('./measures/alloc.ts')).alloc,
  gc: async () => (await import('./measures/alloc.ts')).collections,
  latency: async () => (await import('./measures/latency.ts')).latency,
  devices: async () => (await import('./measures/scale.ts')).devices,
  machines: async () => (await import('./measures/scale.ts')).machines,
  skbs: async () => (await import('./measures/scale.ts')).skbs,
  switch: async () => (await import('./measures/switch.ts')).hundredHosts,
  parallel: async () => (await import('./measures/parallel.ts')).parallel,
  queues: async () => (await import('./measures/queues.ts')).queues,
  startup: async () => (await import('./measures/startup.ts')).startup,
}

const [name, quick] = process.argv.slice(2)
const load = runs[name!]
if (load === undefined) throw new Error(`no measurement ${name}`)
console.log(JSON.stringify(await (await load())(quick === 'quick')))
