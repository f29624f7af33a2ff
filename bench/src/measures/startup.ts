import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { type Measure, atMost } from '../measures.ts'
import { spreadOf } from '../stats.ts'

const root = new URL('../../', import.meta.url).pathname
const cli = `${root}apps/cli/dist/vnet.mjs`

function millis(...args: string[]): number {
  const start = performance.now()
  execFileSync(process.execPath, args, { stdio: 'ignore' })
  return performance.now() - start
}

/** The command's own time, the module's, and what a page has to load. */
export async function startup(quick: boolean): Promise<Measure[]> {
  return [...version(quick ? 3 : 15), insmod(quick ? 1 : 9), ...(await bundle())]
}

/** Against a Node that does nothing, in turn. */
function version(times: number): Measure[] {
  if (!existsSync(cli)) return []
  const beyond: number[] = []
  for (let i = 0; i < times; i++) {
    const bare = millis('-e', '0')
    beyond.push(millis(cli, '--version') - bare)
  }
  const { median } = spreadOf(beyond)
  const target = 'under 60 ms beyond node itself'
  return [
    atMost({ id: 'version', label: 'vnet --version, beyond node', value: median, unit: 'ms', target }, 60),
  ]
}

const INSMOD = `
const { createKernel, createVnetModule } = await import(process.argv[1])
const kernel = createKernel()
const start = performance.now()
kernel.modules.insmod(createVnetModule(), [])
console.log(performance.now() - start)`

/** Cold: the first one of a process. */
function insmod(times: number): Measure {
  const entry = new URL('./insmod.mjs', import.meta.url).href
  const once = (): number =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', INSMOD, entry], { encoding: 'utf8' }))
  const { median } = spreadOf(Array.from({ length: times }, once))
  return atMost(
    { id: 'insmod', label: 'insmod vnet, cold', value: median, unit: 'ms', target: 'under 10 ms' },
    10,
  )
}

/** Kernel, driver and card for a page, minified. */
async function bundle(): Promise<Measure[]> {
  const { outputFiles } = await build({
    stdin: {
      contents: "export * from '@vnet/vnet'; export * from '@vnet/kernel'",
      resolveDir: `${root}bench`,
    },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@vnet/source'],
  })
  const bytes = outputFiles[0]!.contents
  return [
    {
      id: 'bundle',
      label: 'browser bundle of kernel, driver and card, minified',
      value: bytes.length / 1024,
      unit: 'KiB',
    },
    { id: 'bundle-gzip', label: 'the same, gzip', value: gzipSync(bytes).length / 1024, unit: 'KiB' },
  ]
}
