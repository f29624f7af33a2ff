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
  const entry = join(cli, 'src', 'main.ts')
  if (!existsSync(entry)) fail('there is no command to bundle yet: apps/cli/src/main.ts is missing')
  const { build } = await import('esbuild')
  rmSync(outdir, { recursive: true, force: true })
  await build({
    entryPoints: { vnet: entry },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    conditions: ['@vnet/source'],
    sourcemap: 'linked',
    legalComments: 'none',
    logLevel: 'silent',
  }).catch((error) => fail(`the vnet command cannot be bundled:\n${error.message}`))
  cpSync(join(cli, 'shim', 'prebuilt'), join(outdir, 'shim'), { recursive: true })
}
