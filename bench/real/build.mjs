/** Bundles what measures real interfaces from the sources, and compiles the C twins; nothing needs to be built before. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { build } from 'esbuild'

const here = import.meta.dirname
/** Where bundles and C programs go; not in git. */
export const dist = `${here}/dist`

const TWINS = ['tap', 'packet', 'xdp', 'join', 'echo']

export async function buildReal() {
  // Chunks of former builds would gather.
  rmSync(dist, { recursive: true, force: true })
  mkdirSync(`${dist}/node_modules`, { recursive: true })
  // It is asked for by name at run time.
  symlinkSync(realpathSync(`${here}/../../packages/linux/node_modules/koffi`), `${dist}/node_modules/koffi`)
  await build({
    absWorkingDir: here,
    entryPoints: ['main', 'contestant'].map((name) => `../src/real/${name}.ts`),
    outdir: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@vnet/source'],
    outExtension: { '.js': '.mjs' },
    external: ['koffi'],
    logLevel: 'warning',
  })
  for (const twin of TWINS) {
    // Without a compiler, or without headers, the table says what was left out.
    spawnSync('gcc', ['-O2', '-o', `${dist}/${twin}`, `${here}/../c/real/${twin}.c`], { stdio: 'ignore' })
  }
}
