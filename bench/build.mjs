/** Bundles the contestants from the sources; nothing needs to be built before. */
import { mkdirSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { build } from 'esbuild'

const here = import.meta.dirname
/** Where bundles, C programs and results go; not in git. */
export const dist = `${here}/dist`

const common = {
  absWorkingDir: here,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  conditions: ['@vnet/source'],
  outExtension: { '.js': '.mjs' },
  // What another package does with it is not ours to compile.
  external: [
    'mnemonist',
    '@thi.ng/*',
    'denque',
    'fast-fifo',
    'js-sdsl',
    'ringbuf.js',
    '@toolbuilder/*',
    'circular_buffer_js',
    'esbuild',
  ],
  // Programs of others as they are: lint and formatter shall not touch them.
  loader: { '.ixy': 'js' },
  resolveExtensions: ['.ts', '.mjs', '.js', '.ixy', '.json'],
  logLevel: 'warning',
}

/** What is asked for each packet and is false in a release: rule checks, tracepoints, preemption points. */
const ASKED = [
  [/\b(?:\w+\.)*checks\b(?=\s*(?:&&|\)))/g, 'false'],
  [
    /(?:\bthis\.)?(?:[\w#]+\.)*(?:tp\w*|#raise|#entry|#exit|tracePoll|tracePoint)\.enabled\b(?=\s*(?:&&|\)))/g,
    'false',
  ],
  [/\b(?:\w+\.)+watched\b(?=\s*(?:&&|\)))/g, 'false'],
  [/\b(?:\w+\.)*preemptHook !== null/g, 'false'],
]

const without = {
  name: 'without-checks-and-tracing',
  setup({ onLoad }) {
    onLoad({ filter: /packages\/(kernel|netdev|napi|vnet)\/src\/.*\.ts$/ }, async ({ path }) => {
      let contents = await readFile(path, 'utf8')
      for (const [what, by] of ASKED) contents = contents.replaceAll(what, by)
      return { contents, loader: 'ts' }
    })
  },
}

/** Builds everything; `absent/` holds the same contestants with checks and tracing taken out of the source. */
export async function buildAll() {
  // Chunks of former builds would gather.
  rmSync(dist, { recursive: true, force: true })
  mkdirSync(dist, { recursive: true })
  await build({
    ...common,
    entryPoints: ['main', 'contestant', 'reader', 'card-worker', 'parallel-worker', 'measure', 'insmod'].map(
      (name) => `src/${name}.ts`,
    ),
    outdir: dist,
  })
  await build({
    ...common,
    entryPoints: ['src/contestant.ts'],
    outdir: `${dist}/absent`,
    plugins: [without],
    minifySyntax: true,
  })
}
