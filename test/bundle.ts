import { join } from 'node:path'
import { build, type BuildOptions } from 'esbuild'
import { packages } from '../scripts/lib/workspace.mjs'

const aliases = Object.fromEntries(packages().map(({ name, folder }) => [name, join(folder, 'src/index.ts')]))

/** One program on the packages' sources, made into one file as a user's bundler would. */
export async function bundle(code: string, options: BuildOptions): Promise<string> {
  const result = await build({
    stdin: { contents: code, loader: 'ts', resolveDir: import.meta.dirname, sourcefile: 'program.ts' },
    alias: aliases,
    bundle: true,
    write: false,
    target: 'es2022',
    logLevel: 'silent',
    ...options,
  })
  return result.outputFiles![0]!.text
}
