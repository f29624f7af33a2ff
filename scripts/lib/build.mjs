/** The fast way from sources to something that runs: turbo for the packages, one bundle for the command. */
import { cpSync, existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { capture, fail, root } from './steps.mjs'

const tsc = join(root, 'node_modules', 'typescript-7', 'bin', 'tsc')

/** The `vnet` command; `./vnet` starts it. */
export const cliBundle = join(root, 'apps', 'cli', 'dist', 'vnet.mjs')

/** Builds every package, or the named ones and what they need; what is unchanged comes from turbo's cache. */
export async function buildPackages(...names) {
  const turbo = join(root, 'node_modules', 'turbo', 'bin', 'turbo')
  const filters = names.map((name) => `--filter=${name}...`)
  const { code, output } = await capture(process.execPath, [
    turbo,
    'run',
    'build',
    '--output-logs=errors-only',
    ...filters,
  ])
  if (code !== 0) fail(`the packages do not compile:\n${compilerMessages(output)}`)
}

/** turbo's output down to what the compiler said. */
function compilerMessages(output) {
  const messages = output.split('\n').filter((line) => / error TS\d+: /.test(line))
  return (
    messages.map((line) => line.replace(/^@vnet\/(.+?):build: /, 'packages/$1/')).join('\n') ||
    output.trimEnd()
  )
}

/** Sources, tests, examples and tools in one program; `expectTypeOf` is checked here. */
export async function checkTypes() {
  const { code, output } = await capture(process.execPath, [tsc, '-p', 'tsconfig.json'])
  if (code !== 0) fail(`type errors:\n${output.trimEnd()}`)
}

/**
 * Bundles the command: one small file, and what each command needs in files beside it, which are read when it runs.
 * @param {string} outdir
 */
export async function bundleCli(outdir = dirname(cliBundle)) {
  const cli = join(root, 'apps', 'cli')
  const source = (name) => join(cli, 'src', name)
  if (!existsSync(source('main.ts')))
    fail('there is no command to bundle yet: apps/cli/src/main.ts is missing')
  const { build } = await import('esbuild')
  const bundle = (options) =>
    build({
      outdir,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      target: 'node20.19',
      format: 'esm',
      conditions: ['@vnet/source'],
      sourcemap: 'linked',
      legalComments: 'none',
      logLevel: 'silent',
      // What is in CommonJS asks for Node's own modules by require().
      banner: {
        js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
      },
      ...options,
    })
  rmSync(outdir, { recursive: true, force: true })
  await Promise.all([
    bundle({ entryPoints: { vnet: source('main.ts') }, splitting: true, plugins: [programsApart] }),
    bundle({
      entryPoints: { programs: source('programs/run.ts') },
      banner: {},
      minifySyntax: true,
      minifyWhitespace: true,
    }),
  ]).catch((error) => fail(`the vnet command cannot be bundled:\n${error.message}`))
  cpSync(join(cli, 'shim', 'prebuilt'), join(outdir, 'shim'), { recursive: true })
}

/** The small programs share nothing with the rest: in chunks with it, `vnet ip` would read a whole kernel. */
const programsApart = {
  name: 'programs-apart',
  setup(build) {
    build.onResolve({ filter: /^\.\/run\.ts$/ }, ({ kind, importer }) =>
      kind === 'dynamic-import' && /[\\/]programs[\\/]/.test(importer)
        ? { path: './programs.mjs', external: true }
        : undefined,
    )
  },
}
